import type { DuplexOptions, Readable } from 'node:stream'
import { createInflate, type Inflate, type ZlibOptions } from 'node:zlib'
import { spdyDictionary, spdyDictionaryAdler32 } from './spdy-dictionary.ts'
import { SpdyProtocolError } from './spdy-frames.ts'

/**
 * Header blocks of SPDY/3: names and values behind their lengths, in one zlib stream a connection and direction.
 * @see https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/#2610-name-value-header-block
 */

/** Names in lower case. A value that was sent several times holds a NUL between each. */
export type SpdyHeaders = ReadonlyMap<string, string>

const maxBlockBytes = 64 * 1024
const maxHeaders = 256

/**
 * Writes header blocks as *stored* zlib blocks: the few dozen bytes a stream needs are not worth a compressor's state, and
 * secrets in them cannot leak through their compressed size.
 */
export class HeaderBlockWriter {
  #started = false

  write(headers: SpdyHeaders): Buffer {
    const names = encodeHeaders(headers)
    const start = this.#started ? [] : [zlibStart()]
    this.#started = true
    // The empty block behind the bytes is zlib's sync flush: readers hand out what they have when they meet it.
    return Buffer.concat([...start, storedBlockHead(names.length), names, storedBlockHead(0)])
  }
}

function zlibStart(): Buffer {
  const start = Buffer.alloc(6)
  // Deflate with a 32 KiB window; a preset dictionary follows; check bits make it a multiple of 31.
  start.writeUInt16BE(0x7820)
  start.writeUInt32BE(spdyDictionaryAdler32, 2)
  return start
}

function storedBlockHead(length: number): Buffer {
  if (length > 0xffff) throw new RangeError('header block is too large')
  const head = Buffer.alloc(5)
  head.writeUInt16LE(length, 1)
  head.writeUInt16LE(~length & 0xffff, 3)
  return head
}

function encodeHeaders(headers: SpdyHeaders): Buffer {
  const parts = [word(headers.size)]
  for (const pair of headers) {
    for (const text of pair) {
      const bytes = Buffer.from(text, 'utf8')
      parts.push(word(bytes.length), bytes)
    }
  }
  return Buffer.concat(parts)
}

function word(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const inflateOptions: ZlibOptions & DuplexOptions = {
  dictionary: spdyDictionary,
  chunkSize: maxBlockBytes,
  readableHighWaterMark: maxBlockBytes,
}

/** Reads the header blocks of one direction, in the order they came. */
export class HeaderBlockReader {
  readonly #inflate: Inflate = createInflate(inflateOptions)

  /** One call at a time. @throws SpdyProtocolError for what is no header block, or one of more than 64 KiB */
  async read(block: Buffer): Promise<SpdyHeaders> {
    return decodeHeaders(await this.#decompress(block))
  }

  close(): void {
    this.#inflate.destroy()
  }

  #decompress(block: Buffer): Promise<Buffer> {
    const inflate = this.#inflate
    return new Promise((resolve, reject) => {
      const fail = () => reject(new SpdyProtocolError('malformed or oversized header block'))
      // A block that inflates to more than the high-water mark fills the stream, which then waits for a reader.
      const onReadable = () => inflate.readableLength >= maxBlockBytes && fail()
      const done = (error?: Error | null) => {
        inflate.off('readable', onReadable).off('error', fail).off('close', fail)
        if (error) fail()
        else resolve(readAll(inflate))
      }
      inflate.on('readable', onReadable).once('error', fail).once('close', fail)
      inflate.write(block, done)
    })
  }
}

/** All that is buffered: one `read` may give only the first piece of it. */
function readAll(source: Readable): Buffer {
  const pieces: Buffer[] = []
  for (let piece: Buffer | null; (piece = source.read() as Buffer | null); ) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** @throws SpdyProtocolError */
export function decodeHeaders(bytes: Buffer): SpdyHeaders {
  let at = 0
  const take = (length: number) => {
    if (at + length > bytes.length) throw new SpdyProtocolError('header block is cut short')
    at += length
    return bytes.subarray(at - length, at)
  }
  const text = () => take(take(4).readUInt32BE()).toString('utf8')
  const count = take(4).readUInt32BE()
  if (count > maxHeaders) throw new SpdyProtocolError(`${count} headers are too many`)
  const headers = new Map<string, string>()
  for (let index = 0; index < count; index++) {
    const name = text().toLowerCase()
    if (name === '' || headers.has(name)) throw new SpdyProtocolError('empty or repeated header name')
    headers.set(name, text())
  }
  if (at !== bytes.length) throw new SpdyProtocolError('bytes behind the header block')
  return headers
}
