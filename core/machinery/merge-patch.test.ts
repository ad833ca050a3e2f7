import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyMergePatch, createMergePatch } from './merge-patch.ts'

/** The examples of RFC 7386, appendix A. */
test.each<[unknown, unknown, unknown]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j with %j is %j', (target, patch, want) => expect(applyMergePatch(target, patch)).toEqual(want))

test('a field named __proto__ is a field', () => {
  const result = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}')) as object
  expect(Object.keys(result)).toEqual(['__proto__'])
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
  expect(applyMergePatch(result, JSON.parse('{"__proto__":null,"constructor":{"a":1}}'))).toEqual({
    constructor: { a: 1 },
  })
})

const withoutNulls = fc.object({
  key: fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'),
  values: [fc.integer(), fc.string(), fc.boolean()],
  maxDepth: 3,
})
const json = (value: unknown) => JSON.parse(JSON.stringify(value))

test('a patch applied twice is as good as once', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      const once = applyMergePatch(json(target), json(patch))
      expect(applyMergePatch(json(once), json(patch))).toEqual(once)
    }),
  )
})

test('the patch made of two objects turns one into the other', () => {
  fc.assert(
    fc.property(withoutNulls, withoutNulls, (from, to) => {
      const patch = createMergePatch(json(from), json(to))
      expect(applyMergePatch(json(from), patch)).toEqual(json(to))
    }),
  )
})

test('the empty patch changes nothing', () => {
  fc.assert(
    fc.property(withoutNulls, (target) => {
      expect(applyMergePatch(json(target), {})).toEqual(json(target))
      expect(createMergePatch(json(target), json(target))).toEqual({})
    }),
  )
})
