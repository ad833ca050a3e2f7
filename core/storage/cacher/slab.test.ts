import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheEntry } from './entry.ts'
import { Slabs } from './slab.ts'

const entryOf = (slabs: Slabs, length: number, filler: number) =>
  slabs.house(new CacheEntry('key', slabs.take(length).fill(filler), 1))

test('entries keep their bytes wherever they move', () => {
  const step = fc.record({ length: fc.integer({ min: 0, max: 300_000 }), keeps: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slabs = new Slabs()
      const entries = steps.map(({ length }, at) => entryOf(slabs, length, at))
      for (const entry of entries) entry.hold()
      for (const [at, entry] of entries.entries()) if (!steps[at]!.keeps) entry.letGo()
      for (const [at, entry] of entries.entries()) {
        expect(entry.bytes.length).toBe(steps[at]!.length)
        expect(entry.bytes.every((byte) => byte === at)).toBe(true)
      }
    }),
    { numRuns: 30 },
  )
})

/** Bytes of all the memory that the entries given are in. */
function memoryOf(entries: readonly CacheEntry[]): number {
  const buffers = new Set(entries.map((entry) => entry.bytes.buffer))
  return [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0)
}

test('what stays among much that passes does not keep the memory of what has passed', () => {
  const slabs = new Slabs()
  const staying: CacheEntry[] = []
  for (let at = 0; at < 20_000; at++) {
    const entry = entryOf(slabs, 2_048, at)
    entry.hold()
    if (at % 100 === 0) staying.push(entry)
    else entry.letGo()
  }
  const held = staying.length * 2_048
  expect(memoryOf(staying)).toBeLessThan(4 * held + 2 * 1024 * 1024)
})

test('an entry that nobody holds when its slab is cleared still has its bytes, and can be held later', () => {
  const slabs = new Slabs()
  const late = entryOf(slabs, 10, 7)
  for (let at = 0; at < 2_000; at++) {
    const passing = entryOf(slabs, 2_048, at)
    passing.hold()
    passing.letGo()
  }
  late.hold()
  late.letGo()
  expect([...late.bytes]).toEqual(Array(10).fill(7))
})
