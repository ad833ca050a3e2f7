import { constants, createDeflate } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spdyDictionary } from './spdy-dictionary.ts'
import { SpdyProtocolError } from './spdy-frames.ts'
import { decodeHeaders, HeaderBlockReader, HeaderBlockWriter } from './spdy-headers.ts'

const text = fc.string({ maxLength: 40 })
const name = fc.stringMatching(/^[a-z][a-z-]{0,20}$/)

test('header blocks survive writing and reading, one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.tuple(name, text)), { maxLength: 5 }), async (blocks) => {
      const [writer, reader] = [new HeaderBlockWriter(), new HeaderBlockReader()]
      for (const block of blocks) {
        const headers = new Map(block)
        expect(await reader.read(writer.write(headers))).toEqual(headers)
      }
      reader.close()
    }),
    { numRuns: 50 },
  )
})

/** Compresses as clients do: one deflate stream, flushed after each block. */
function compressor(): (block: Buffer) => Promise<Buffer> {
  const deflate = createDeflate({ dictionary: spdyDictionary })
  let pieces: Buffer[] = []
  deflate.on('data', (piece) => pieces.push(piece))
  return async (block) => {
    pieces = []
    deflate.write(block)
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
    return Buffer.concat(pieces)
  }
}

test('blocks from a real compressor are read', async () => {
  const compress = compressor()
  const reader = new HeaderBlockReader()
  const block = Buffer.concat([
    Buffer.from([0, 0, 0, 1, 0, 0, 0, 10]),
    Buffer.from('streamType'),
    Buffer.from([0, 0, 0, 5]),
    Buffer.from('error'),
  ])
  for (let round = 0; round < 3; round++) {
    expect(await reader.read(await compress(block))).toEqual(new Map([['streamtype', 'error']]))
  }
  reader.close()
})

test('a small block that inflates past the limit is refused', async () => {
  const bomb = await compressor()(Buffer.alloc(10 * 1024 * 1024))
  expect(bomb.length).toBeLessThan(64 * 1024)
  const reader = new HeaderBlockReader()
  await expect(reader.read(bomb)).rejects.toThrow(SpdyProtocolError)
  reader.close()
})

test('what is no zlib stream is refused', async () => {
  const reader = new HeaderBlockReader()
  await expect(reader.read(Buffer.from('not compressed'))).rejects.toThrow(SpdyProtocolError)
})

test('arbitrary decompressed bytes give headers or a SpdyProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeHeaders(Buffer.from(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(SpdyProtocolError)
      }
    }),
  )
})
