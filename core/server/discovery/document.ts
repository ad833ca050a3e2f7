import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import type { RemoteGroupVersion } from './served.ts'

const compress = promisify(gzip)

/**
 * An answer that stays the same while the set of definitions does, made when it is first asked for. Its bytes can be given
 * back and are then made again; its ETag stays, so that who knows the document costs nothing.
 */
export class ServedDocument {
  readonly #build: () => object | string | Buffer
  #bytes: Buffer | undefined
  #gzipped: Promise<Buffer> | undefined
  #etag: string | undefined

  /**
   * @param build gives the same content whenever it is called
   * @param known what is at hand: the content, or a hash that changes whenever the content does
   */
  constructor(
    build: () => object | string | Buffer,
    known: { content?: object | string | Buffer | undefined; hash?: string } = {},
  ) {
    this.#build = build
    if (known.content !== undefined) this.#bytes = bytesOf(known.content)
    if (known.hash !== undefined) this.#etag = `"${known.hash}"`
  }

  get bytes(): Buffer {
    return (this.#bytes ??= bytesOf(this.#build()))
  }

  /** Quoted, as the header wants it. */
  get etag(): string {
    return (this.#etag ??= `"${hashOf(this.bytes)}"`)
  }

  gzipped(): Promise<Buffer> {
    return (this.#gzipped ??= compress(this.bytes))
  }

  /** Gives the memory back. */
  release(): void {
    this.#bytes = undefined
    this.#gzipped = undefined
  }
}

function bytesOf(content: object | string | Buffer): Buffer {
  if (Buffer.isBuffer(content)) return content
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
}

/** Where the definitions come from: the registry, and what other servers answer for. */
export interface DefinitionSource {
  /** Changes with anything this source tells. */
  readonly generation: number
  definitions(): readonly ResourceDefinition[]
  /** Absent: every group version is served here. */
  remotes?(): readonly RemoteGroupVersion[]
}

/** The form Kubernetes gives hashes of documents: SHA-512, upper-case hex. */
export function hashOf(bytes: Buffer | string): string {
  return createHash('sha512').update(bytes).digest('hex').toUpperCase()
}
