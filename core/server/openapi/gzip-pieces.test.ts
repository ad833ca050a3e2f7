import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compressPiece, joinPieces, storedPiece } from './gzip-pieces.ts'

test('pieces in a row are the whole text', async () => {
  const part = fc.record({ text: fc.uint8Array({ maxLength: 4_000 }), isStored: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      const pieces = await Promise.all(
        parts.map(({ text, isStored }) => (isStored ? storedPiece : compressPiece)(Buffer.from(text))),
      )
      // A reader checks the sum and the length, too.
      expect(gunzipSync(joinPieces(pieces))).toEqual(Buffer.concat(parts.map(({ text }) => text)))
    }),
    { numRuns: 50 },
  )
})

test('a long text is a piece as well, and a stored one must be short', async () => {
  const text = randomBytes(300_000)
  expect(gunzipSync(joinPieces([await compressPiece(text), storedPiece('end')]))).toEqual(
    Buffer.concat([text, Buffer.from('end')]),
  )
  expect(() => storedPiece(text)).toThrow('do not fit')
})
