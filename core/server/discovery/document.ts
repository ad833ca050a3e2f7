import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { DefinitionGroups } from '#core/registry/resource.ts'
import type { RemoteGroupVersion } from './served.ts'

const compress = promisify(gzip)

/** An answer that stays the same while what it is made of does, made when it is first asked for. */
export interface Document {
  /** Quoted, as the header wants it. Known without the content, so that who has the document costs nothing. */
  readonly etag: string
  /** @param takesGzip whether the client does: what is small is sent as it is all the same */
  body(takesGzip: boolean): Body | Promise<Body>
  /** Gives memory back; what is asked for again is made again. */
  release(): void
}

export interface Body {
  bytes: Buffer
  isGzip: boolean
}

const gzipThreshold = 128 * 1024

/** A document that is made in one piece. */
export class ServedDocument implements Document {
  readonly #build: () => object | string | Buffer
  #bytes: Buffer | undefined
  #gzipped: Promise<Buffer> | undefined
  #etag: string | undefined
  #encoded: Map<string, ServedDocument> | undefined

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

  get etag(): string {
    return (this.#etag ??= `"${hashOf(this.bytes)}"`)
  }

  async body(takesGzip: boolean): Promise<Body> {
    const { bytes } = this
    if (!takesGzip || bytes.length <= gzipThreshold) return { bytes, isGzip: false }
    return { bytes: await (this.#gzipped ??= compress(bytes)), isGzip: true }
  }

  /** The same in another encoding. @param format names it */
  as(format: string, encode: (bytes: Buffer) => Buffer): ServedDocument {
    this.#encoded ??= new Map()
    let encoded = this.#encoded.get(format)
    if (!encoded) {
      encoded = new ServedDocument(() => encode(this.bytes), { hash: hashOf(`${format} ${this.etag}`) })
      this.#encoded.set(format, encoded)
    }
    return encoded
  }

  release(): void {
    this.#bytes = undefined
    this.#gzipped = undefined
    for (const encoded of this.#encoded?.values() ?? []) encoded.release()
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
  /** A group's list is another one after each change of the group, and the same until then. */
  readonly groups: DefinitionGroups
  /** Absent: every group version is served here. */
  remotes?(): readonly RemoteGroupVersion[]
}

/** The form Kubernetes gives hashes of documents: SHA-512, upper-case hex. */
export function hashOf(bytes: Buffer | string): string {
  return createHash('sha512').update(bytes).digest('hex').toUpperCase()
}
