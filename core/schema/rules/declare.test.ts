import { expect, test } from 'vitest'
import type { types } from '#core/cel/cel.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { declare } from './declare.ts'

const list = (items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: 'array', items, ...more })
const map = (values: JsonSchema, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  additionalProperties: values,
  ...more,
})
const text = (more: JsonSchema = {}): JsonSchema => ({ type: 'string', ...more })
const intOrString: JsonSchema = { 'x-kubernetes-int-or-string': true }
const object = (properties: Record<string, JsonSchema>, ...required: string[]): JsonSchema => ({
  type: 'object',
  properties,
  required,
})

/** A type in words, with how large its values may be. */
function told(type: types.Type): string {
  const of = type.params.length > 0 ? `<${type.params.map(told).join(',')}>` : ''
  return `${type.kind}${of}${type.maxElements ? `:${type.maxElements}` : ''}`
}

test.each<[name: string, schema: JsonSchema, type: string, minBytes: number]>([
  ['a boolean', { type: 'boolean' }, 'bool', 4],
  ['an integer', { type: 'integer' }, 'int', 1],
  ['a number', { type: 'number' }, 'double', 1],
  ['a string', text(), 'string:3145726', 2],
  ['a bounded string', text({ maxLength: 20 }), 'string:80', 2],
  ['a string with a negative bound', text({ maxLength: -1 }), 'string', 2],
  ['an enum', text({ enum: ['a', 'longest', 'ü'] }), 'string:7', 2],
  ['an enum in bytes', text({ enum: ['üü', 'abc'] }), 'string:4', 2],
  ['an enum with a bound', text({ enum: ['a'], maxLength: 5 }), 'string:20', 2],
  ['bytes', text({ format: 'byte' }), 'bytes:3145726', 2],
  ['bounded bytes', text({ format: 'byte', maxLength: 20 }), 'bytes:20', 2],
  ['a duration', text({ format: 'duration' }), 'duration:32', 3],
  ['a date', text({ format: 'date' }), 'timestamp:12', 12],
  ['a time', text({ format: 'date-time', maxLength: 3 }), 'timestamp:32', 21],
  ['an unknown format', text({ format: 'uuid' }), 'string:3145726', 2],
  ['an int or string', intOrString, 'dyn:3145726', 1],
  ['a bounded int or string', { ...intOrString, maxLength: 3 }, 'dyn:12', 1],
  ['booleans', list({ type: 'boolean' }), 'list<bool>:629145', 2],
  ['integers', list({ type: 'integer' }), 'list<int>:1572863', 2],
  ['strings', list(text()), 'list<string:3145726>:1048575', 2],
  ['durations', list(text({ format: 'duration' })), 'list<duration:32>:786431', 2],
  ['dates', list(text({ format: 'date' })), 'list<timestamp:12>:241978', 2],
  ['times', list(text({ format: 'date-time' })), 'list<timestamp:32>:142987', 2],
  ['a bounded list', list(text(), { maxItems: 10 }), 'list<string:3145726>:10', 2],
  ['lists', list(list(text())), 'list<list<string:3145726>:1048575>:1048575', 2],
  ['a map', map(text()), 'map<string,string:3145726>:393215', 2],
  ['a bounded map', map(text(), { maxProperties: 15 }), 'map<string,string:3145726>:15', 2],
  ['objects', list(object({ required: text(), optional: text() }, 'required')), 'list<object>:185042', 2],
  ['objects with defaults', list(object({ field: text({ default: 'a' }) }, 'field')), 'list<object>:1048575', 2],
  ['an object', object({ a: text(), b: { type: 'boolean' } }, 'b'), 'object', 11],
  ['an object of anything', { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, 'object', 2],
  ['a map of anything', { type: 'object', additionalProperties: true }, 'object', 2],
])('%s', (_, schema, type, minBytes) => {
  const declared = declare(schema, false)!
  expect([told(declared.type), declared.minBytes]).toEqual([type, minBytes])
})

const unknown: JsonSchema = { 'x-kubernetes-preserve-unknown-fields': true }

test.each<[name: string, schema: JsonSchema]>([
  ['anything', unknown],
  ['a list of anything', list(unknown)],
  ['a map to anything', map(unknown)],
  ['a list that says nothing of its items', { type: 'array' }],
])('rules cannot see %s', (_, schema) => {
  expect(declare(schema, false)).toBeUndefined()
  expect([...declare(object({ hidden: schema, shown: text() }), false)!.fields!.keys()]).toEqual(['shown'])
})

const fieldsOf = (schema: JsonSchema, isResource = false) => [...declare(schema, isResource)!.type.fields!.keys()]

test('fields are named as rules write them; reserved words also as they are', () => {
  expect(fieldsOf(object({ 'a-b': text(), namespace: text(), 'k!': text(), plain: text() }))).toEqual([
    'a__dash__b',
    '__namespace__',
    'namespace',
    'plain',
  ])
})

test('rules see what every resource has, whether or not the schema says so', () => {
  const { fields } = declare(object({ spec: object({}), metadata: object({ name: text({ maxLength: 63 }) }) }), true)!
  expect([...fields!.keys()].sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec'])
  expect([...fields!.get('metadata')!.fields!.keys()]).toEqual(['name', 'generateName'])
  const embedded = { ...object({}), 'x-kubernetes-embedded-resource': true }
  expect([...declare(object({ embedded }), false)!.fields!.get('embedded')!.fields!.keys()]).toContain('kind')
})

test('a schema that says all that every resource has is taken at its word', () => {
  const named = object({ name: text({ maxLength: 63 }), generateName: text(), namespace: text() })
  const whole = object({ kind: text(), apiVersion: text(), metadata: named })
  const metadata = declare(whole, true)!.fields!.get('metadata')!
  expect([...metadata.fields!.keys()]).toEqual(['name', 'generateName', 'namespace'])
  expect(metadata.fields!.get('name')!.type.maxElements).toBe(252)
})

test('lists without an order are told', () => {
  expect(declare(list(text(), { 'x-kubernetes-list-type': 'set' }), false)!.type.identity).toBe('item')
  const keyed: JsonSchema = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a', 'b'] }
  expect(declare(list(object({ a: text(), b: text() }), keyed), false)!.type.identity).toEqual(['a', 'b'])
  expect(declare(list(text(), { 'x-kubernetes-list-type': 'atomic' }), false)!.type.identity).toBeUndefined()
})

test('names of objects tell where they are, and differ', () => {
  const nested = declare(object({ one: list(object({})), two: map(object({})) }), false)!
  expect(nested.type.fields!.get('one')!.params[0]!.name).toBe('self.one.@idx')
  expect(nested.type.fields!.get('two')!.params[1]!.name).toBe('self.two.@elem')
})
