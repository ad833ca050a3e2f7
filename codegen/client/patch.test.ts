import fc from 'fast-check'
import { expect, test } from 'vitest'
import { equalJson, patchOf } from './patch.ts'

const cases = [
  { name: 'nothing for equal objects', from: { a: { b: 1 } }, to: { a: { b: 1 } }, want: undefined },
  { name: 'a changed field', from: { a: 1, b: 2 }, to: { a: 1, b: 3 }, want: { b: 3 } },
  { name: 'null for a removed field', from: { a: { b: 1, c: 2 } }, to: { a: { c: 2 } }, want: { a: { b: null } } },
  { name: 'null for an undefined field', from: { a: 1 }, to: { a: undefined }, want: { a: null } },
  { name: 'whole arrays', from: { a: [1, 2] }, to: { a: [1] }, want: { a: [1] } },
  { name: 'an object for what was an array', from: { a: [1] }, to: { a: { b: 1 } }, want: { a: { b: 1 } } },
]
test.each(cases)('patchOf gives $name', ({ from, to, want }) => expect(patchOf(from, to)?.body).toEqual(want))

/** RFC 7396, word for word. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : []
  const result = new Map<string, unknown>(base)
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key)
    else result.set(key, merge(result.get(key), value))
  }
  return Object.fromEntries(result)
}

/** Objects as the API has them: without null, which a merge patch cannot write. */
const json = fc.letrec((tie) => ({
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), tie('value'), { maxKeys: 4 }),
  value: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.string(), fc.array(fc.integer()), tie('object')),
}))

test('merging the patch into the old object gives the new one', () => {
  const object = json.object as fc.Arbitrary<Record<string, unknown>>
  fc.assert(
    fc.property(object, object, (from, to) => {
      const patch = patchOf(from, to)
      const merged = patch ? merge(from, patch.body) : from
      expect(equalJson(merged, to)).toBe(true)
    }),
  )
})
