import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readTerminalSizes } from './terminal-sizes.ts'

test('whatever a client sends for sizes of its terminal, what comes out are sizes, and it ends', async () => {
  const size = fc.record({ Width: fc.integer(), Height: fc.integer() }).map((value) => JSON.stringify(value))
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    size.map((text) => Buffer.from(text)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
      try {
        for await (const { width, height } of readTerminalSizes(Readable.from(pieces))) {
          expect(Number.isInteger(width) && Number.isInteger(height)).toBe(true)
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
  )
})
