import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Slab } from './slab.ts'

test('no two buffers of a slab overlap', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 40 }), (lengths) => {
      const slab = new Slab()
      const taken = lengths.map((length, at) => slab.take(length).fill(at))
      expect(taken.map((buffer) => buffer.length)).toEqual(lengths)
      for (const [at, buffer] of taken.entries()) expect(buffer.every((byte) => byte === at)).toBe(true)
    }),
  )
})
