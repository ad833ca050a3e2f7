import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitLines } from './lines.ts'

test('lines come whole wherever the chunks are cut', async () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => text !== '' && !text.includes('\n'))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 9 }), fc.boolean(), async (lines, size, isEnded) => {
      const bytes = Buffer.from(lines.join('\n') + (isEnded ? '\n' : ''))
      const chunks: Buffer[] = []
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
      const seen = await Array.fromAsync(splitLines(streamOf(chunks)))
      expect(seen.map(String)).toEqual(lines)
    }),
  )
})

async function* streamOf(chunks: Buffer[]) {
  yield* chunks
}
