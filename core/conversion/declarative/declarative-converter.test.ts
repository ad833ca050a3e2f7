import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { DeclarativeConverter, keptAnnotation } from './declarative-converter.ts'

const text: JsonSchema = { type: 'string', maxLength: 100 }
const integer: JsonSchema = { type: 'integer' }
const kind = (properties: Record<string, JsonSchema>): JsonSchema => ({
  type: 'object',
  properties: { spec: { type: 'object', properties } },
})
const schemas = new Map([
  ['v1', kind({ hostPort: text })],
  ['v2', kind({ host: text, port: integer, comment: text, since: { ...text, format: 'date-time' } })],
  ['v3', kind({ hosts: { type: 'array', maxItems: 4, items: text }, port: integer })],
])

const conversion = `
v1 -> v2:
  set:
    spec.host: self.spec.hostPort.split(':')[0]
    spec.port: int(self.spec.hostPort.split(':')[1])
v2 -> v1:
  set:
    spec.hostPort: self.spec.host + ':' + string(self.spec.port)
  keep: [spec.comment, spec.since]
v2 -> v3: {set: {spec.hosts: '[self.spec.host]'}}
v3 -> v2: {set: {spec.host: 'self.spec.hosts[?0]'}}
`

const object = (version: string, spec: object, metadata: object = { name: 'one' }) =>
  ({ apiVersion: `x.dev/${version}`, kind: 'Widget', metadata, spec }) as UnstructuredObject

const convert = (of: UnstructuredObject, version: string, as = conversion) =>
  new DeclarativeConverter(as, schemas).convert([structuredClone(of)], `x.dev/${version}`)[0]!

test.each([
  { name: 'one step', from: object('v1', { hostPort: 'a:1' }), to: 'v2', want: { host: 'a', port: 1 } },
  { name: 'and back', from: object('v2', { host: 'a', port: 1 }), to: 'v1', want: { hostPort: 'a:1' } },
  { name: 'two steps', from: object('v1', { hostPort: 'a:1' }), to: 'v3', want: { hosts: ['a'], port: 1 } },
  { name: 'a field that is not set', from: object('v3', { hosts: [], port: 1 }), to: 'v2', want: { port: 1 } },
])('fields move: $name', ({ from, to, want }) => {
  const { apiVersion, spec, metadata } = convert(from, to)
  expect({ apiVersion, spec, metadata }).toEqual({ apiVersion: `x.dev/${to}`, spec: want, metadata: { name: 'one' } })
})

test('what the other version lacks is kept beside it, and comes back', () => {
  const v2 = object('v2', { host: 'a', port: 1, comment: 'c', since: '2026-01-01T00:00:00Z' })
  const v1 = convert(v2, 'v1')
  expect(v1.spec).toEqual({ hostPort: 'a:1' })
  expect(JSON.parse(v1.metadata.annotations![keptAnnotation]!)).toEqual({
    v2: { 'spec.comment': 'c', 'spec.since': '2026-01-01T00:00:00Z' },
  })
  expect(convert(v1, 'v2')).toEqual(v2)
})

test('nothing but kept fields is believed of the annotation', () => {
  const forged = JSON.stringify({
    v2: { 'spec.comment': 'c', 'spec.host': 'evil', 'metadata.name': 'evil', __proto__: 1 },
  })
  const v1 = object('v1', { hostPort: 'a:1' }, { name: 'one', annotations: { [keptAnnotation]: forged } })
  expect(convert(v1, 'v2')).toEqual(object('v2', { host: 'a', port: 1, comment: 'c' }))
  const broken = object('v1', { hostPort: 'a:1' }, { name: 'one', annotations: { [keptAnnotation]: '{' } })
  expect(convert(broken, 'v2').spec).toEqual({ host: 'a', port: 1 })
})

test('every object of the richer version comes back as it was', () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/)
  const spec = fc.record({
    host: name,
    port: fc.integer({ min: 1, max: 65_535 }),
    comment: fc.option(name, { nil: undefined }),
  })
  const property = fc.property(spec, (one) => {
    const v2 = JSON.parse(JSON.stringify(object('v2', one)))
    expect(convert(convert(v2, 'v1'), 'v2')).toEqual(v2)
  })
  fc.assert(property, { numRuns: 50 })
})

test('a field that cannot be given fails the object', () => {
  const call = () => convert(object('v1', { hostPort: 'a' }), 'v2')
  expect(call).toThrow('conversion of x.dev/v1, Kind=Widget to x.dev/v2 failed: spec.port: index out of bounds: 1')
})

const faults: { name: string; as: string; says: string }[] = [
  { name: 'no map', as: '[]', says: 'must be a map from "VERSION -> VERSION"' },
  { name: 'no YAML', as: 'a: b: c', says: 'Nested mappings are not allowed' },
  { name: 'a version that is not there', as: 'v1 -> v9: {}', says: 'v1 -> v9: there is no version v9' },
  { name: 'versions apart', as: 'v1 -> v2: {}', says: 'nothing leads from v1 to v3' },
  { name: 'an unknown field', as: 'v1 -> v2: {move: {}}', says: 'v1 -> v2: unknown field "move"' },
  { name: 'metadata', as: 'v1 -> v2: {set: {metadata.name: self.spec}}', says: 'metadata.name: must not be in' },
  {
    name: 'a field of no version',
    as: 'v1 -> v2: {set: {spec.x: "1"}}',
    says: 'v1 -> v2: spec.x: v2 has no such field',
  },
  {
    name: 'another type',
    as: 'v1 -> v2: {set: {spec.port: self.spec.hostPort}}',
    says: 'v1 -> v2: spec.port: is int in v2, but the expression gives string',
  },
  {
    name: 'what does not compile',
    as: 'v1 -> v2: {set: {spec.host: self.spec.nowhere}}',
    says: 'ERROR: <input>:1:10: undefined field',
  },
  { name: 'a field to keep that is not there', as: 'v1 -> v2: {keep: [spec.x]}', says: 'v1 has no such field to keep' },
  { name: 'a field to keep that need not be', as: 'v2 -> v3: {keep: [spec.port]}', says: 'v3 has this field, too' },
  { name: 'a bomb', as: 'a: &a [1]\nb: [*a, *a]', says: 'Alias resolution is disabled' },
]

test.each(faults)('refuses $name', ({ as, says }) => {
  expect(() => new DeclarativeConverter(as, schemas)).toThrow(says)
})

test('a conversion that takes too much fails, and soon', () => {
  const open = new Map([
    ['v1', kind({ items: { type: 'array', items: { type: 'string' } } })],
    ['v2', kind({ count: integer })],
  ])
  const nested = 'self.spec.items.map(a, self.spec.items.filter(b, a == b).size()).size()'
  const as = JSON.stringify({ 'v1 -> v2': { set: { 'spec.count': nested } }, 'v2 -> v1': {} })
  const items = Array.from({ length: 10_000 }, (_, at) => `item-${at}`)
  const converter = new DeclarativeConverter(as, open)
  expect(() => converter.convert([object('v1', { items })], 'x.dev/v2')).toThrow('spec.count: operation')
})
