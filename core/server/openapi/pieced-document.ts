import { promisify } from 'node:util'
import { gunzip as gunzipCallback } from 'node:zlib'
import type { Body, Document } from '../discovery/document.ts'
import { joinPieces, type Piece } from './gzip-pieces.ts'

const gunzip = promisify(gunzipCallback)

/** A document that is put together of pieces which are compressed already; who does not take it so has it unpacked. */
export class PiecedDocument implements Document {
  readonly etag: string
  readonly #build: () => Promise<readonly Piece[]>
  #gzipped: Promise<Buffer> | undefined
  #unpacking: Promise<Buffer> | undefined
  /** As long as anybody is being sent it: many may be, and slowly. */
  #unpacked: WeakRef<Buffer> | undefined

  /**
   * @param hash changes whenever the content does
   * @param build gives the same content whenever it is called
   */
  constructor(hash: string, build: () => Promise<readonly Piece[]>) {
    this.etag = `"${hash}"`
    this.#build = build
  }

  async body(takesGzip: boolean): Promise<Body> {
    this.#gzipped ??= this.#build().then(joinPieces)
    try {
      const gzipped = await this.#gzipped
      return takesGzip ? { bytes: gzipped, isGzip: true } : { bytes: await this.#unpack(gzipped), isGzip: false }
    } catch (error) {
      this.#gzipped = undefined
      throw error
    }
  }

  release(): void {
    this.#gzipped = undefined
  }

  /** One buffer for all who want it at the same time. */
  async #unpack(gzipped: Buffer): Promise<Buffer> {
    const known = this.#unpacked?.deref()
    if (known) return known
    try {
      this.#unpacking ??= gunzip(gzipped)
      const bytes = await this.#unpacking
      this.#unpacked = new WeakRef(bytes)
      return bytes
    } finally {
      this.#unpacking = undefined
    }
  }
}
