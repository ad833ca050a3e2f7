import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { maxSchemaDepth, validateStructural } from './structural.ts'

const lines = (schema: unknown) => validateStructural(schema as JsonSchema).map((one) => `${one.field}: ${one.message}`)
const root = (properties: Record<string, unknown>, more: object = {}) => ({ type: 'object', properties, ...more })
const text = { type: 'string' }
const keyed = (items: object, keys = ['name']) => ({
  type: 'array',
  items,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
})

const cases: { name: string; schema: object; want: string[] }[] = [
  { name: 'a plain one', schema: root({ spec: root({ a: text }) }), want: [] },
  { name: 'no type at the root', schema: {}, want: ['type: Required value: must not be empty at the root'] },
  {
    name: 'a root that is a list',
    schema: { type: 'array', items: text },
    want: ['type: Invalid value: "array": must be object at the root'],
  },
  {
    name: 'fields and items without type',
    schema: root({ a: {}, b: { type: 'array', items: {} }, c: { type: 'array' } }),
    want: [
      'properties[a].type: Required value: must not be empty for specified object fields',
      'properties[b].items.type: Required value: must not be empty for specified array items',
      'properties[c].items: Required value: must be specified',
    ],
  },
  {
    name: 'types that are none',
    schema: root({ a: { type: 'null' }, b: { type: 'float' } }),
    want: [
      'properties[a].type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"',
      'properties[a].type: Forbidden: type cannot be set to null, use nullable as an alternative',
      'properties[b].type: Unsupported value: "float": supported values: "array", "boolean", "integer", "number", "object", "string"',
    ],
  },
  {
    name: 'open values without type',
    schema: root({ a: { 'x-kubernetes-preserve-unknown-fields': true }, b: { 'x-kubernetes-int-or-string': true } }),
    want: [],
  },
  {
    name: 'what is no part of structural schemas',
    schema: root(
      { a: { type: 'string', $ref: '#/x' }, b: { type: 'array', items: text, uniqueItems: true } },
      { definitions: { x: {} } },
    ),
    want: [
      'definitions: Forbidden: definitions is not supported',
      'properties[a].$ref: Forbidden: $ref is not supported',
      'properties[b].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    ],
  },
  {
    name: 'definitions of nothing, which are as none',
    schema: { definitions: {} },
    want: ['type: Required value: must not be empty at the root'],
  },
  {
    name: 'additional items of any kind',
    schema: root({ a: { type: 'array', items: text, additionalItems: {} } }),
    want: ['properties[a].additionalItems: Forbidden: additionalItems is not supported'],
  },
  {
    name: 'the schema of a schema',
    schema: root({}, { $schema: 'https://json-schema.org/draft-07/schema' }),
    want: [`: Invalid value: "": OpenAPIV3Schema 'schema' is not supported`],
  },
  {
    name: 'a reference that is no text',
    schema: root({}, { $ref: {} }),
    want: ['$ref: Invalid value: "object": $ref in body must be of type string: "object"'],
  },
  {
    name: 'a pattern that is none',
    schema: root({ a: { type: 'string', pattern: '(' } }),
    want: [
      'properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `(`',
    ],
  },
  {
    name: 'open maps beside fields',
    schema: root(
      { a: root({ b: text }, { additionalProperties: text }), c: { type: 'object', additionalProperties: false } },
      { additionalProperties: true },
    ),
    want: [
      'additionalProperties: Forbidden: must not be used at the root',
      'properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive',
    ],
  },
  {
    name: 'a list type on what is no list, and a bad one',
    schema: root({
      a: { type: 'string', 'x-kubernetes-list-type': 'set' },
      b: { type: 'array', items: text, 'x-kubernetes-list-type': 'bag' },
    }),
    want: [
      'properties[a].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified',
      'properties[b].x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "map", "set"',
    ],
  },
  {
    name: 'a keyed list without keys',
    schema: root({ a: keyed(root({ name: text }, { required: ['name'] }), []) }),
    want: [
      'properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map',
    ],
  },
  {
    name: 'keys that are no fields, not scalar or optional',
    schema: root({ a: keyed(root({ o: root({}), p: text }, { required: ['o'] }), ['name', 'o', 'p']) }),
    want: [
      'properties[a].x-kubernetes-list-map-keys: Invalid value: ["name","o","p"]: entries must all be names of item properties',
      'properties[a].items.properties[o].type: Invalid value: "object": must be a scalar type if parent array\'s x-kubernetes-list-type is map',
      'properties[a].items.properties[p].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
    ],
  },
  {
    name: 'keys of a list that is not keyed',
    schema: root({ a: { type: 'array', items: text, 'x-kubernetes-list-map-keys': ['name'] } }),
    want: [
      'properties[a].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty',
    ],
  },
  {
    name: 'a set of granular objects',
    schema: root({
      a: { type: 'array', items: root({}, { 'x-kubernetes-map-type': 'granular' }), 'x-kubernetes-list-type': 'set' },
    }),
    want: [
      'properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
    ],
  },
  {
    name: 'preserve-unknown-fields: false, which hides what is not structural',
    schema: root({ a: { 'x-kubernetes-preserve-unknown-fields': false } }),
    want: ['properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined'],
  },
  {
    name: 'preserve-unknown-fields with int-or-string',
    schema: root({ b: { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true } }),
    want: [
      'properties[b].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true',
    ],
  },
  {
    name: 'more of metadata than its name',
    schema: root({ metadata: root({ name: text, labels: { type: 'object', additionalProperties: text } }) }),
    want: [
      'properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
  },
  { name: 'a narrower name', schema: root({ metadata: root({ name: { type: 'string', maxLength: 5 } }) }), want: [] },
  {
    name: 'a kind that is no string',
    schema: root({ kind: { type: 'integer' } }),
    want: ['properties[kind].type: Invalid value: "integer": must be string'],
  },
  {
    name: 'an embedded resource of nothing',
    schema: root({ a: { 'x-kubernetes-embedded-resource': true } }),
    want: [
      'properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      'properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is true',
    ],
  },
  {
    name: 'structure under a junctor',
    schema: root({
      a: { type: 'string', anyOf: [{ type: 'string', default: 'x', description: 'd', nullable: true }] },
    }),
    want: [
      'properties[a].anyOf[0].default: Forbidden: must be undefined to be structural',
      'properties[a].anyOf[0].description: Forbidden: must be empty to be structural',
      'properties[a].anyOf[0].nullable: Forbidden: must be false to be structural',
      'properties[a].anyOf[0].type: Forbidden: must be empty to be structural',
    ],
  },
  {
    name: 'a field only a junctor knows',
    schema: root({ a: root({}) }, { oneOf: [{ properties: { a: { properties: { b: { minimum: 1 } } } } }] }),
    want: [
      'properties[a].properties[b]: Required value: because it is defined in oneOf[0].properties[a].properties[b]',
    ],
  },
  {
    name: 'one that a junctor further inside knows, which Kubernetes lets pass',
    schema: root({ a: root({}, { oneOf: [{ properties: { b: { minimum: 1 } } }] }) }),
    want: [],
  },
  {
    name: 'int-or-string spelled out',
    schema: root({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
    want: [],
  },
  {
    name: 'a default in metadata',
    schema: root({ metadata: root({ name: { type: 'string', default: 'x' } }) }),
    want: ['properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata'],
  },
  {
    name: 'a default the schema refuses',
    schema: root({ a: { type: 'integer', minimum: 1, default: 0 } }),
    want: [
      'properties[a].default: Invalid value: 0: properties[a].default in body should be greater than or equal to 1',
    ],
  },
  {
    name: 'a default with more than the schema knows',
    schema: root({ a: root({ b: text }, { default: { b: 'x', c: 1 } }) }),
    want: ['properties[a].default: Invalid value: {"b":"x","c":1}: must not have unknown fields'],
  },
]
const misshapen: [schema: unknown, want: string][] = [
  [null, ': Invalid value: "null": schema in body must be of type object: "null"'],
  [root([] as never), 'properties: Invalid value: "array": properties in body must be of type object: "array"'],
  [
    root({ a: { type: 'object', additionalProperties: { items: 5 } } }),
    'properties[a].additionalProperties.items: Invalid value: "integer": properties[a].additionalProperties.items in body must be of type object: "integer"',
  ],
  [
    root({}, { required: ['a', 1] }),
    'required[1]: Invalid value: "integer": required[1] in body must be of type string: "integer"',
  ],
]
test.each(misshapen)('%j is no schema', (schema, want) => expect(lines(schema)).toEqual([want]))

test.each(cases)('validateStructural judges $name', ({ schema, want }) => expect(lines(schema)).toEqual(want))

test('a schema nested without end is refused before it is walked', () => {
  let schema: object = text
  for (let depth = 0; depth < 100_000; depth++) schema = { type: 'array', items: schema }
  expect(lines(root({ a: schema }))).toEqual([
    `: Invalid value: "": must not be nested deeper than ${maxSchemaDepth} schemas`,
  ])
})

test('a schema may have more faults than a call has arguments', () => {
  const properties = Object.fromEntries(Array.from({ length: 90_000 }, (_, at) => [`p${at}`, { uniqueItems: true }]))
  expect(lines(root({ a: root(properties) }))).toHaveLength(180_000)
})
