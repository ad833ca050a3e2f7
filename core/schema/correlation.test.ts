import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { Comparison, ItemsByKey } from './correlation.ts'
import { equalJson } from './json.ts'

const text: JsonSchema = { type: 'string' }
const item: JsonSchema = { type: 'object', properties: { a: text, b: text, c: { type: 'array', items: text } } }
const keyed: JsonSchema = {
  type: 'array',
  items: item,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['a', 'b'],
}

test('items are found by all their keys, the first of several', () => {
  const items = new ItemsByKey(
    ['a', 'b'],
    [{ a: 'x' }, 'no item', { a: 'x', b: 1, at: 2 }, { a: 'x', b: 1, at: 3 }, { a: 'x', b: '1', at: 4 }],
  )
  expect(items.counterpart({ a: 'x', b: 1 })).toEqual({ a: 'x', b: 1, at: 2 })
  expect(items.counterpart({ b: '1', a: 'x', more: true })).toEqual({ a: 'x', b: '1', at: 4 })
  expect(items.counterpart({ a: 'x' })).toBeUndefined()
  expect(items.counterpart({ a: 'x', b: 2 })).toBeUndefined()
  expect(items.counterpart(null)).toBeUndefined()
})

test.each<[name: string, schema: JsonSchema | undefined, value: unknown, old: unknown, same: boolean]>([
  ['equal', text, 'a', 'a', true],
  ['another', text, 'a', 'b', false],
  ['new', text, 'a', undefined, false],
  ['null before', text, 'a', null, false],
  ['null now', text, null, 'a', false],
  ['null still', text, null, null, true],
  ['an object with a field more', item, { a: 'x', b: 'y' }, { a: 'x' }, false],
  ['an object with another field', item, { a: 'x' }, { b: 'x' }, false],
  ['an object whose fields changed places', item, { a: 'x', b: 'y' }, { b: 'y', a: 'x' }, true],
  ['a list in place of an object', item, ['x'], { 0: 'x' }, false],
  ['a list in another order', { type: 'array', items: text }, ['x', 'y'], ['y', 'x'], false],
  ['fields that the schema does not know', item, { z: [1] }, { z: [1] }, true],
  ['fields that are another and that the schema does not know', item, { z: [1] }, { z: [2] }, false],
  ['what no schema is known of', undefined, { a: [1] }, { a: [1] }, true],
])('%s', (_, schema, value, old, same) => expect(new Comparison().isUnchanged(schema, value, old)).toBe(same))

test('items of a keyed list may change places, at any depth', () => {
  const schema: JsonSchema = { type: 'object', properties: { list: keyed }, additionalProperties: keyed }
  const [one, two] = [
    { a: 'x', b: '1', c: ['p', 'q'] },
    { a: 'x', b: '2' },
  ]
  const same = (value: unknown, old: unknown) => new Comparison().isUnchanged(schema, value, old)
  expect(same({ list: [one, two] }, { list: [two, one] })).toBe(true)
  expect(same({ other: [one, two] }, { other: [two, one] })).toBe(true)
  expect(same({ list: [one, two] }, { list: [two, { ...one, c: ['q', 'p'] }] })).toBe(false)
  expect(same({ list: [one] }, { list: [one, two] })).toBe(false)
})

test('without keyed lists it is equality', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(new Comparison().isUnchanged(undefined, a, b)).toBe(equalJson(a, b))
      expect(new Comparison().isUnchanged(undefined, a, structuredClone(a))).toBe(true)
    }),
  )
})
