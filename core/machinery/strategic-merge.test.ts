import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBadRequest, isInvalid } from '#core/errors/status-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { compileSchema } from '#core/schema/compile.ts'
import { applyStrategicMergePatch } from './strategic-merge.ts'

const text: JsonSchema = { type: 'string' }
const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
})
const byName = (item: JsonSchema): JsonSchema => ({
  type: 'array',
  items: item,
  'x-kubernetes-patch-strategy': 'merge',
  'x-kubernetes-patch-merge-key': 'name',
})
const container = object({
  name: text,
  image: text,
  args: { type: 'array', items: text },
  env: byName(object({ name: text, value: text })),
})
const schema = compileSchema(
  object({
    spec: object({
      containers: byName(container),
      finalizers: { type: 'array', items: text, 'x-kubernetes-patch-strategy': 'merge' },
      args: { type: 'array', items: text },
      labels: { type: 'object', additionalProperties: text },
      strategy: object(
        { type: text, rolling: object({}), recreate: object({}) },
        { 'x-kubernetes-patch-strategy': 'retainKeys' },
      ),
      whole: object({ a: text, b: text }, { 'x-kubernetes-patch-strategy': 'replace' }),
    }),
  }),
  {},
)
const merge = (spec: unknown, patch: unknown) =>
  (applyStrategicMergePatch(structuredClone({ spec }), structuredClone({ spec: patch }), schema) as { spec: unknown })
    .spec

const a = { name: 'a', image: 'x' }
const b = { name: 'b', image: 'y' }
const c = { name: 'c', image: 'z' }

const cases: { name: string; spec: unknown; patch: unknown; want: unknown }[] = [
  {
    name: 'fields of objects',
    spec: { labels: { a: '1', b: '2' } },
    patch: { labels: { b: '3', c: '4' } },
    want: { labels: { a: '1', b: '3', c: '4' } },
  },
  {
    name: 'null as removal',
    spec: { labels: { a: '1', b: '2' } },
    patch: { labels: { a: null, x: null } },
    want: { labels: { b: '2' } },
  },
  {
    name: 'lists without strategy as a whole',
    spec: { args: ['a', 'b'] },
    patch: { args: ['c'] },
    want: { args: ['c'] },
  },
  {
    name: 'items by their key',
    spec: { containers: [a, b] },
    patch: { containers: [{ name: 'b', image: 'new' }] },
    want: { containers: [a, { name: 'b', image: 'new' }] },
  },
  { name: 'new items', spec: { containers: [a] }, patch: { containers: [c] }, want: { containers: [c, a] } },
  {
    name: 'lists within items',
    spec: { containers: [{ ...a, args: ['x'], env: [{ name: 'e', value: '1' }] }] },
    patch: {
      containers: [
        {
          name: 'a',
          args: ['y'],
          env: [
            { name: 'f', value: '2' },
            { name: 'e', value: '3' },
          ],
        },
      ],
    },
    want: {
      containers: [
        {
          ...a,
          args: ['y'],
          env: [
            { name: 'f', value: '2' },
            { name: 'e', value: '3' },
          ],
        },
      ],
    },
  },
  {
    name: 'items to delete',
    spec: { containers: [a, b] },
    patch: { containers: [{ name: 'a', $patch: 'delete' }] },
    want: { containers: [b] },
  },
  {
    name: 'a list to replace',
    spec: { containers: [a, b] },
    patch: { containers: [c, { $patch: 'replace' }] },
    want: { containers: [c] },
  },
  {
    name: 'an object to replace',
    spec: { labels: { a: '1' } },
    patch: { labels: { b: '2', $patch: 'replace' } },
    want: { labels: { b: '2' } },
  },
  {
    name: 'an object to empty',
    spec: { labels: { a: '1' } },
    patch: { labels: { $patch: 'delete' } },
    want: { labels: {} },
  },
  {
    name: 'an object with strategy replace',
    spec: { whole: { a: '1' } },
    patch: { whole: { b: '2' } },
    want: { whole: { b: '2' } },
  },
  {
    name: 'sets of scalars',
    spec: { finalizers: ['a', 'b'] },
    patch: { finalizers: ['b', 'c'] },
    want: { finalizers: ['a', 'b', 'c'] },
  },
  {
    name: 'scalars to delete',
    spec: { finalizers: ['a', 'b'] },
    patch: { '$deleteFromPrimitiveList/finalizers': ['a', 'x'] },
    want: { finalizers: ['b'] },
  },
  {
    name: 'the order of items',
    spec: { containers: [a, b] },
    patch: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }], containers: [c] },
    want: { containers: [b, c, a] },
  },
  {
    name: 'the order of items with one the patch does not know',
    spec: { containers: [a, { name: 'mine' }, b] },
    patch: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
    want: { containers: [{ name: 'mine' }, b, a] },
  },
  {
    name: 'the order of scalars, deleting one',
    spec: { finalizers: ['a', 'b', 'c'] },
    patch: { '$setElementOrder/finalizers': ['c', 'a'], '$deleteFromPrimitiveList/finalizers': ['b'] },
    want: { finalizers: ['c', 'a'] },
  },
  {
    name: 'an item deleted and the others in order',
    spec: { containers: [a, b, c] },
    patch: {
      '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }],
      containers: [{ name: 'b', $patch: 'delete' }],
    },
    want: { containers: [c, a] },
  },
  {
    name: 'only the keys to retain',
    spec: { strategy: { type: 'Rolling', rolling: {} } },
    patch: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    want: { strategy: { type: 'Recreate' } },
  },
  {
    name: 'values that are new, without directives',
    spec: {},
    patch: { containers: [c, { $patch: 'replace' }], labels: { $retainKeys: ['a'], a: '1', b: null } },
    want: { containers: [c], labels: { a: '1' } },
  },
  {
    name: 'fields the schema does not know as a merge patch',
    spec: { other: { a: 1, l: [1] } },
    patch: { other: { b: 2, l: [2] } },
    want: { other: { a: 1, b: 2, l: [2] } },
  },
  {
    name: 'other types as replacement',
    spec: { labels: 'text' },
    patch: { labels: { a: '1' } },
    want: { labels: { a: '1' } },
  },
]
test.each(cases)('merges $name', ({ spec, patch, want }) => expect(merge(spec, patch)).toEqual(want))

test.each([
  [
    'an item without key',
    { containers: [a] },
    { containers: [{ image: 'x' }] },
    'map: {"image":"x"} does not contain declared merge key: name',
  ],
  [
    'an unknown directive',
    { labels: {} },
    { labels: { $patch: 'swap' } },
    'unknown patch type: swap in map: {"$patch":"swap"}',
  ],
  [
    'an unknown directive in a list',
    { containers: [a] },
    { containers: [{ $patch: 'swap' }] },
    'unknown patch type: swap in map: {"$patch":"swap"}',
  ],
  [
    'a merge directive in a list',
    { containers: [a] },
    { containers: [{ $patch: 'merge' }] },
    'merging lists cannot yet be specified in the patch',
  ],
  [
    'retainKeys that is no list',
    { strategy: {} },
    { strategy: { $retainKeys: 'type' } },
    'invalid patch format of retainKeys',
  ],
  [
    'a directive that is no list',
    {},
    { '$setElementOrder/containers': {} },
    'invalid patch format of setElementOrder list',
  ],
  [
    'a list to delete from that is none',
    {},
    { '$deleteFromPrimitiveList/finalizers': {} },
    'invalid patch format of primitive list',
  ],
  ['mixed elements', { finalizers: ['a'] }, { finalizers: [{}] }, 'list element types are not identical: ["a",{}]'],
  [
    'an item that the order does not name',
    { containers: [a] },
    { '$setElementOrder/containers': [{ name: 'a' }], containers: [c] },
    'The order in patch list:',
  ],
])('refuses %s', (_, spec, patch, want) => {
  const act = () => merge(spec, patch)
  expect(act).toThrow(want)
  expect(act).toThrow(expect.toSatisfy(isBadRequest) as unknown as Error)
})

test('refuses a key that is not to be retained as Invalid', () => {
  const act = () => merge({ strategy: {} }, { strategy: { $retainKeys: ['type'], rolling: {} } })
  expect(act).toThrow(expect.toSatisfy(isInvalid) as unknown as Error)
})

test('lists of lists cannot be merged', () => {
  let refused: unknown
  try {
    merge({ finalizers: [['a']] }, { finalizers: [['b']] })
  } catch (error) {
    refused = error
  }
  expect(isInvalid(refused)).toBe(true)
})

test('a field named __proto__ is a field', () => {
  const result = applyStrategicMergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}'), schema) as object
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
  expect(Object.keys(result)).toEqual(['__proto__'])
})

const name = fc.constantFrom('a', 'b', 'c', 'd')
const containers = fc.uniqueArray(
  fc.record(
    {
      name,
      image: fc.constantFrom('x', 'y'),
      env: fc.uniqueArray(fc.record({ name, value: fc.constantFrom('1', '2') }), { selector: (one) => one.name }),
    },
    { requiredKeys: ['name'] },
  ),
  { selector: (one) => one.name },
)
const specs = fc.record(
  {
    containers,
    finalizers: fc.uniqueArray(name),
    labels: fc.dictionary(name, fc.constantFrom('1', '2')),
    args: fc.array(name),
  },
  { requiredKeys: [] },
)

test('a patch applied twice is as good as once', () => {
  fc.assert(
    fc.property(specs, specs, (spec, patch) => {
      const once = merge(spec, patch)
      expect(merge(once, patch)).toEqual(once)
    }),
  )
})

test('an object merged with itself is itself', () => {
  fc.assert(
    fc.property(specs, (spec) => {
      expect(merge(spec, spec)).toEqual(JSON.parse(JSON.stringify(spec)))
    }),
  )
})

test('what the patch sends is in the result, and nothing of the keyed list is lost', () => {
  fc.assert(
    fc.property(containers, containers, (live, sent) => {
      const { containers: merged } = merge({ containers: live }, { containers: sent }) as {
        containers: { name: string }[]
      }
      const names = new Set([...live, ...sent].map((one) => one.name))
      expect(new Set(merged.map((one) => one.name))).toEqual(names)
      expect(merged).toHaveLength(names.size)
      for (const one of sent)
        expect(merged.find((other) => other.name === one.name)).toMatchObject({
          name: one.name,
          ...(one.image && { image: one.image }),
        })
    }),
  )
})

test('the order that is set holds', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name), fc.uniqueArray(name), (live, order) => {
      const sent = new Set<string>(order)
      const patch = { '$setElementOrder/finalizers': order }
      const { finalizers: merged } = merge({ finalizers: live }, patch) as { finalizers: string[] }
      expect(merged.filter((one) => sent.has(one))).toEqual(order.filter((one) => live.includes(one)))
      expect(merged.filter((one) => !sent.has(one))).toEqual(live.filter((one) => !order.includes(one)))
    }),
  )
})
