import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatPath } from '#core/machinery/field-paths/element.ts'
import { difference, type FieldSet, isSubset, leaf, paths, union } from '#core/machinery/field-paths/field-set.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { SchemaCompiler } from '#core/schema/compile.ts'
import type { JsonObject } from '#core/schema/json.ts'
import { applyFaults } from './check.ts'
import { compare } from './compare.ts'
import { createdText, everyPath, fieldsOf, withAtomicWhole } from './fields.ts'
import { merge } from './merge.ts'
import { prune } from './prune.ts'
import { removePaths } from './remove.ts'

const text: JsonSchema = { type: 'string' }
const number: JsonSchema = { type: 'integer' }
const schema: JsonSchema = {
  type: 'object',
  properties: {
    name: text,
    count: number,
    on: { type: 'boolean' },
    inner: { type: 'object', properties: { a: text, b: text } },
    labels: { type: 'object', additionalProperties: text },
    selector: { type: 'object', additionalProperties: text, 'x-kubernetes-map-type': 'atomic' },
    args: { type: 'array', items: text },
    tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ports: {
      type: 'array',
      items: {
        type: 'object',
        properties: { port: number, protocol: { ...text, default: 'TCP' }, name: text },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port', 'protocol'],
    },
    items: {
      type: 'array',
      items: {
        type: 'object',
        properties: { id: text, value: text, tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
}
const { root } = new SchemaCompiler({}).compile(schema)

const shown = (set: FieldSet) => Array.from(paths(set), formatPath)

const owned: { name: string; value: JsonObject; want: string[] }[] = [
  { name: 'scalars', value: { name: 'x', count: 1, on: true }, want: ['.count', '.name', '.on'] },
  { name: 'fields of a struct, but not the struct', value: { inner: { a: '1' } }, want: ['.inner.a'] },
  { name: 'a struct without fields', value: { inner: {} }, want: ['.inner'] },
  {
    name: 'entries of a map, but not the map',
    value: { labels: { x: '1', y: '2' } },
    want: ['.labels.x', '.labels.y'],
  },
  { name: 'an atomic map as a whole', value: { selector: { x: '1' } }, want: ['.selector'] },
  { name: 'an atomic list as a whole, even an empty one', value: { args: [] }, want: ['.args'] },
  { name: 'the items of a set', value: { tags: ['b', 'a'] }, want: ['.tags[="a"]', '.tags[="b"]'] },
  { name: 'nothing of an empty set', value: { tags: [] }, want: [] },
  {
    name: 'keyed items and their fields, with keys by default',
    value: { ports: [{ port: 80, name: 'web' }] },
    want: [
      '.ports[port=80,protocol="TCP"]',
      '.ports[port=80,protocol="TCP"].name',
      '.ports[port=80,protocol="TCP"].port',
    ],
  },
  {
    name: 'items that come twice without their fields',
    value: {
      items: [
        { id: 'a', value: '1' },
        { id: 'a', value: '2' },
      ],
    },
    want: ['.items[id="a"]'],
  },
  {
    name: 'what no schema knows: each field, and lists as a whole',
    value: { free: { a: { b: [1] }, c: null } },
    want: ['.free.a', '.free.a.b', '.free.c'],
  },
  {
    name: 'a name that a prototype has',
    value: { labels: JSON.parse('{"__proto__":"1","constructor":"2"}') },
    want: ['.labels.__proto__', '.labels.constructor'],
  },
]
test.each(owned)('who applies owns $name', ({ value, want }) => expect(shown(fieldsOf(root, value))).toEqual(want))

test('what appears with an object is every path of it', () => {
  expect(shown(everyPath(root, { inner: { a: '1' }, tags: ['x'], labels: {} }))).toEqual([
    '.inner',
    '.inner.a',
    '.labels',
    '.tags',
    '.tags[="x"]',
  ])
})

test('fields that a built-in type always writes do not appear with its object, only what is in them', () => {
  const value = { metadata: { labels: { a: '1' } }, spec: { replicas: 1, template: { metadata: {} } } }
  expect(shown(JSON.parse(createdText(undefined, value, true)))).toEqual(
    ['.metadata.labels', '.metadata.labels.a', '.spec', '.spec.replicas'].filter((path) => path !== '.spec'),
  )
  expect(shown(JSON.parse(createdText(undefined, { spec: { size: 1 } }, false)))).toEqual(['.spec', '.spec.size'])
})

const changes: {
  name: string
  before: JsonObject
  after: JsonObject
  added?: string[]
  removed?: string[]
  modified?: string[]
}[] = [
  { name: 'a scalar', before: { count: 1 }, after: { count: 2 }, modified: ['.count'] },
  { name: 'a new map', before: {}, after: { labels: { a: '1' } }, added: ['.labels', '.labels.a'] },
  {
    name: 'an entry less',
    before: { labels: { a: '1', b: '1' } },
    after: { labels: { b: '1' } },
    removed: ['.labels.a'],
  },
  { name: 'an atomic list', before: { args: ['a'] }, after: { args: ['a', 'b'] }, modified: ['.args'] },
  { name: 'the order of a set', before: { tags: ['a', 'b'] }, after: { tags: ['b', 'a'] } },
  {
    name: 'an item of a set',
    before: { tags: ['a', 'b'] },
    after: { tags: ['b', 'c'] },
    added: ['.tags[="c"]'],
    removed: ['.tags[="a"]'],
  },
  {
    name: 'the order of keyed items',
    before: { items: [{ id: 'a' }, { id: 'b' }] },
    after: { items: [{ id: 'b' }, { id: 'a' }] },
  },
  {
    name: 'a field of an item elsewhere',
    before: { items: [{ id: 'a' }, { id: 'b', value: '1' }] },
    after: { items: [{ id: 'b', value: '2' }] },
    removed: ['.items[id="a"]', '.items[id="a"].id'],
    modified: ['.items[id="b"].value'],
  },
  {
    name: 'an object that becomes empty',
    before: { labels: { a: '1' } },
    after: { labels: {} },
    removed: ['.labels.a'],
  },
  {
    name: 'a structure in place of a value',
    before: { free: { a: 1 } },
    after: { free: { a: { b: 1 } } },
    added: ['.free.a.b'],
    modified: ['.free.a'],
  },
  {
    name: 'a default key written out',
    before: { ports: [{ port: 80 }] },
    after: { ports: [{ port: 80, protocol: 'TCP' }] },
    added: ['.ports[port=80,protocol="TCP"].protocol'],
  },
]
test.each(changes)('a comparison tells of $name', ({ before, after, added = [], removed = [], modified = [] }) => {
  const found = compare(root, before, after)
  expect({
    added: shown(found?.added ?? leaf),
    removed: shown(found?.removed ?? leaf),
    modified: shown(found?.modified ?? leaf),
  }).toEqual({ added, removed, modified })
})

const orders: { name: string; live: string[]; applied: string[]; want: string[] }[] = [
  { name: 'new items come behind', live: ['a', 'b'], applied: ['c'], want: ['a', 'b', 'c'] },
  { name: 'the order of what is applied holds', live: ['a', 'b', 'c'], applied: ['c', 'a'], want: ['b', 'c', 'a'] },
  { name: 'others stay between', live: ['a', 'x', 'b'], applied: ['a', 'b'], want: ['a', 'x', 'b'] },
  { name: 'new ones come where they are applied', live: ['a', 'b'], applied: ['a', 'n', 'b'], want: ['a', 'n', 'b'] },
  { name: 'new ones ahead', live: ['a', 'b'], applied: ['n', 'a'], want: ['n', 'a', 'b'] },
]
test.each(orders)('merging lists: $name', ({ live, applied, want }) => {
  expect(merge(root, { tags: live }, { tags: applied })).toEqual({ tags: want })
  const items = (ids: string[]) => ids.map((id) => ({ id }))
  expect(merge(root, { items: items(live) }, { items: items(applied) })).toEqual({ items: items(want) })
})

const merges: { name: string; live: JsonObject; applied: JsonObject; want: JsonObject }[] = [
  {
    name: 'keeps what it does not name',
    live: { count: 1, labels: { a: '1' } },
    applied: { labels: { b: '2' } },
    want: { count: 1, labels: { a: '1', b: '2' } },
  },
  {
    name: 'replaces what is atomic',
    live: { selector: { a: '1' }, args: ['x'] },
    applied: { selector: { b: '2' }, args: ['y'] },
    want: { selector: { b: '2' }, args: ['y'] },
  },
  {
    name: 'merges items by key',
    live: { items: [{ id: 'a', value: '1', tags: ['x'] }] },
    applied: { items: [{ id: 'a', tags: ['y'] }] },
    want: { items: [{ id: 'a', value: '1', tags: ['x', 'y'] }] },
  },
  {
    name: 'leaves a structure alone where it says null',
    live: { labels: { a: '1' } },
    applied: { labels: null },
    want: { labels: { a: '1' } },
  },
  {
    name: 'takes an empty object for nothing to add',
    live: { labels: { a: '1' } },
    applied: { labels: {} },
    want: { labels: { a: '1' } },
  },
  {
    name: 'sets one that was empty',
    live: { labels: {} },
    applied: { labels: { a: '1' } },
    want: { labels: { a: '1' } },
  },
]
test.each(merges)('a merge $name', ({ live, applied, want }) => expect(merge(root, live, applied)).toEqual(want))

test('removing leaves empty what becomes so, and shares what it does not change', () => {
  const value = { labels: { a: '1' }, inner: { a: '1', b: '2' }, items: [{ id: 'x' }, { id: 'y', value: '1' }] }
  const rest = removePaths(root, value, {
    'f:labels': { 'f:a': {} },
    'f:items': { 'k:{"id":"x"}': {}, 'k:{"id":"y"}': { 'f:value': {} } },
  }) as typeof value
  expect(rest).toEqual({ labels: {}, inner: { a: '1', b: '2' }, items: [{ id: 'y' }] })
  expect(rest.inner).toBe(value.inner)
})

/** As the registry does it. */
function applyTo(live: JsonObject, configuration: JsonObject, last: FieldSet, others: FieldSet) {
  const fields = fieldsOf(root, configuration)
  const merged = merge(root, live, configuration) as JsonObject
  if (isSubset(last, fields)) return { object: merged, fields }
  const pruned = prune(root, merged, last, union(others, fields))
  return { object: merge(root, pruned, configuration) as JsonObject, fields }
}

/** Managers apply to one object in turn, without conflicts counting. */
function world() {
  let object: JsonObject = {}
  const owners = new Map<string, FieldSet>()
  return {
    apply(manager: string, configuration: JsonObject) {
      const others = [...owners].filter(([name]) => name !== manager).map(([, set]) => set)
      const before = object
      const applied = applyTo(object, configuration, owners.get(manager) ?? leaf, others.reduce(union, leaf))
      object = applied.object
      owners.set(manager, applied.fields)
      const comparison = compare(root, before, object)
      for (const [name, set] of owners) {
        if (name === manager || !comparison) continue
        const { added, modified, removed } = comparison
        owners.set(name, [added, modified, removed].reduce(difference, set))
      }
      return { object, comparison }
    },
    get object() {
      return object
    },
    ownedBy: (manager: string) => owners.get(manager) ?? leaf,
  }
}

const removals: { name: string; steps: [manager: string, configuration: JsonObject][]; want: JsonObject }[] = [
  {
    name: 'a field nobody else has',
    steps: [
      ['a', { name: 'x', count: 1 }],
      ['a', { name: 'x' }],
    ],
    want: { name: 'x' },
  },
  {
    name: 'not what another has, too',
    steps: [
      ['a', { name: 'x', count: 1 }],
      ['b', { count: 1 }],
      ['a', { name: 'x' }],
    ],
    want: { name: 'x', count: 1 },
  },
  {
    name: 'an item with all that is in it',
    steps: [
      ['a', { items: [{ id: 'x', value: '1' }, { id: 'y' }] }],
      ['a', { items: [{ id: 'y' }] }],
    ],
    want: { items: [{ id: 'y' }] },
  },
  {
    name: 'of an item that another has, too, only his own field',
    steps: [
      ['a', { items: [{ id: 'x', value: '1' }] }],
      ['b', { items: [{ id: 'x', tags: ['t'] }] }],
      ['a', {}],
    ],
    want: { items: [{ id: 'x', tags: ['t'] }] },
  },
  {
    name: 'an item of a set',
    steps: [
      ['a', { tags: ['x', 'y'] }],
      ['b', { tags: ['z'] }],
      ['a', { tags: ['y'] }],
    ],
    want: { tags: ['y', 'z'] },
  },
  {
    name: 'a struct whose last field goes',
    steps: [
      ['a', { inner: { a: '1' }, name: 'x' }],
      ['a', { name: 'x' }],
    ],
    want: { name: 'x' },
  },
  {
    name: 'an atomic list',
    steps: [
      ['a', { args: ['x'], name: 'x' }],
      ['a', { name: 'x' }],
    ],
    want: { name: 'x' },
  },
  {
    name: 'below what no schema knows',
    steps: [
      ['a', { free: { a: { b: 1, c: 2 } } }],
      ['a', { free: { a: { b: 1 } } }],
    ],
    want: { free: { a: { b: 1 } } },
  },
]
test.each(removals)('who no longer applies something takes away $name', ({ steps, want }) => {
  const here = world()
  for (const [manager, configuration] of steps) here.apply(manager, configuration)
  expect(here.object).toEqual(want)
})

const word = fc.constantFrom('x', 'y', 'z', '__proto__', 'constructor')
const dictionary = fc.array(fc.tuple(word, word), { maxLength: 3 }).map((entries) => {
  const value: JsonObject = {}
  for (const [key, one] of entries)
    Object.defineProperty(value, key, { value: one, enumerable: true, configurable: true, writable: true })
  return value
})
const anyConfiguration = fc.record(
  {
    name: word,
    count: fc.integer({ min: 0, max: 2 }),
    on: fc.boolean(),
    inner: fc.record({ a: word, b: word }, { requiredKeys: [] }),
    labels: dictionary,
    selector: dictionary,
    args: fc.array(word, { maxLength: 2 }),
    tags: fc.uniqueArray(word, { maxLength: 3 }),
    ports: fc.uniqueArray(fc.record({ port: fc.integer({ min: 1, max: 3 }), name: word }), {
      maxLength: 3,
      selector: (one) => one.port,
    }),
    items: fc.uniqueArray(
      fc.record({ id: word, value: word, tags: fc.uniqueArray(word, { maxLength: 2 }) }, { requiredKeys: ['id'] }),
      { maxLength: 3, selector: (one) => one.id },
    ),
    free: fc.record({ a: fc.oneof(word, dictionary), b: fc.array(word, { maxLength: 2 }) }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>
const history = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), anyConfiguration), { maxLength: 5 })

test('what is generated can be applied', () => {
  fc.assert(
    fc.property(anyConfiguration, (one) => {
      expect(applyFaults(root, one)).toBeUndefined()
    }),
  )
})

test('applying the same again changes nothing', () => {
  fc.assert(
    fc.property(history, anyConfiguration, (steps, configuration) => {
      const here = world()
      for (const [manager, one] of steps) here.apply(manager, one)
      here.apply('a', configuration)
      expect(here.apply('a', configuration).comparison).toBeUndefined()
    }),
  )
})

test('what is applied is there', () => {
  fc.assert(
    fc.property(history, anyConfiguration, (steps, configuration) => {
      const here = world()
      for (const [manager, one] of steps) here.apply(manager, one)
      const { object } = here.apply('a', configuration)
      expect(isSubset(fieldsOf(root, configuration), everyPath(root, object))).toBe(true)
      expect(compare(root, object, merge(root, object, configuration))).toBeUndefined()
    }),
  )
})

test('who applies changes nothing that others own and he does not name', () => {
  fc.assert(
    fc.property(history, anyConfiguration, (steps, configuration) => {
      const here = world()
      for (const [manager, one] of steps) here.apply(manager, one)
      const others = union(here.ownedBy('b'), here.ownedBy('c'))
      const untouched = difference(others, fieldsOf(root, configuration))
      const { comparison } = here.apply('a', configuration)
      const { added = leaf, modified = leaf, removed = leaf } = comparison ?? {}
      const changed = [added, modified, removed].reduce(union)
      const lost = shown(untouched).filter((path) => shown(changed).includes(path))
      // An atomic value or a scalar that is replaced by a structure takes along what was below it: that is what he names.
      expect(lost.filter((path) => !path.startsWith('.free'))).toEqual([])
    }),
  )
})

test('who applies nothing any more leaves nothing of his own', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const here = world()
      for (const [manager, one] of steps) here.apply(manager, one)
      const others = union(here.ownedBy('b'), here.ownedBy('c'))
      const alone = difference(here.ownedBy('a'), others)
      const { object } = here.apply('a', {})
      const left = shown(fieldsOf(root, object))
      const parents = shown(others)
      const remains = shown(alone).filter(
        (path) => left.includes(path) && !parents.some((other) => other.startsWith(path)),
      )
      expect(remains).toEqual([])
    }),
  )
})

const faults: { name: string; value: JsonObject; want: string }[] = [
  { name: 'an unknown field', value: { what: 1 }, want: '.what: field not declared in schema' },
  {
    name: 'an unknown field of an item',
    value: { items: [{ id: 'a', what: 1 }] },
    want: '.items[id="a"].what: field not declared in schema',
  },
  { name: 'a text for a number', value: { count: 'x' }, want: '.count: expected numeric (int or float), got string' },
  {
    name: 'a number for a text',
    value: { name: 1 },
    want: '.name: expected string, got &value.valueUnstructured{Value:1}',
  },
  { name: 'a list for a map', value: { labels: ['x'] }, want: '.labels: expected map, got &{["x"]}' },
  {
    name: 'an item without its key',
    value: { items: [{ value: 'x' }] },
    want: '.items: element 0: associative list with keys has an element that omits key field "id" (and doesn\'t have default value)',
  },
  {
    name: 'a null item',
    value: { items: [null] },
    want: '.items: element 0: associative list with keys may not have a null element',
  },
  {
    name: 'items that come twice',
    value: { items: [{ id: 'a' }, { id: 'a' }] },
    want: '.items: duplicate entries for key [id="a"]',
  },
  { name: 'a value twice in a set', value: { tags: ['a', 'a'] }, want: '.tags: duplicate entries for key [="a"]' },
  {
    name: 'an object in a set',
    value: { tags: [{}] },
    want: ".tags: element 0: associative list without keys has an element that's a map type",
  },
  {
    name: 'several faults',
    value: { what: 1, on: 1 },
    want: 'errors:\n  .what: field not declared in schema\n  .on: expected boolean, got &value.valueUnstructured{Value:1}',
  },
]
test.each(faults)('a configuration with $name cannot be applied', ({ value, want }) =>
  expect(applyFaults(root, value)).toBe(want),
)

test('who owned parts of what has become atomic owns it as a whole', () => {
  const owned: FieldSet = {
    'f:selector': { 'f:app': {} },
    'f:args': { 'v:"x"': {} },
    'f:labels': { 'f:app': {} },
    'f:items': { 'k:{"id":"a"}': { '.': {}, 'f:value': {} } },
  }
  expect(shown(withAtomicWhole(root, owned))).toEqual([
    '.args',
    '.items[id="a"]',
    '.items[id="a"].value',
    '.labels.app',
    '.selector',
  ])
  const settled = withAtomicWhole(root, owned)
  expect(withAtomicWhole(root, settled)).toBe(settled)
})

const namings = [
  { name: 'in order', ids: ['a', 'b-1', 'c'], want: ['a', 'b-1', 'c'] },
  { name: 'out of order', ids: ['c', 'a', 'b-1'], want: ['a', 'b-1', 'c'] },
  { name: 'with quotes among them', ids: ['c', 'a"', 'b'], want: ['a"', 'b', 'c'] },
  { name: 'twice', ids: ['b', 'a', 'b'], want: ['a', 'b'] },
  { name: 'empty', ids: ['', 'a'], want: ['', 'a'] },
]

test.each(namings)('items that are named $name are owned by their names', ({ ids, want }) => {
  const fields = want.map((id) => {
    const isTwice = ids.indexOf(id) !== ids.lastIndexOf(id)
    return [`k:${JSON.stringify({ id })}`, isTwice ? {} : { '.': {}, 'f:id': {}, 'f:value': {} }]
  })
  const text = createdText(root, { items: ids.map((id) => ({ id, value: 'x' })) }, false)
  expect(text).toBe(JSON.stringify({ 'f:items': { '.': {}, ...Object.fromEntries(fields) } }))
})
