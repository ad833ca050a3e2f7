import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { compileSchema, SchemaCompiler } from './compile.ts'

const types: Record<string, JsonSchema> = {
  'io.k8s.api.core.v1.Container': {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string' },
      image: { type: 'string' },
      imagePullPolicy: { type: 'string', default: 'IfNotPresent' },
      ports: { type: 'array', items: { $ref: '#/definitions/io.k8s.api.core.v1.ContainerPort' } },
    },
  },
  'io.k8s.api.core.v1.ContainerPort': {
    type: 'object',
    properties: { containerPort: { type: 'integer', format: 'int32' }, protocol: { type: 'string', default: 'TCP' } },
  },
  'io.k8s.api.core.v1.PodSpec': {
    type: 'object',
    properties: { containers: { type: 'array', items: { $ref: '#/definitions/io.k8s.api.core.v1.Container' } } },
  },
  'io.example.v1.Tree': {
    type: 'object',
    properties: {
      leaf: { type: 'string', default: 'green' },
      branches: { type: 'array', items: { $ref: 'io.example.v1.Tree' } },
    },
  },
}
const pod: JsonSchema = { type: 'object', properties: { spec: { $ref: '#/definitions/io.k8s.api.core.v1.PodSpec' } } }

const pruned = (schema: JsonSchema, value: unknown) => {
  const unknown: string[] = []
  compileSchema(schema, types).prune(value, (path) => unknown.push(path))
  return { value, unknown }
}
const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
})
const spec = (schema: JsonSchema) => object({ spec: schema })

const prunes: { name: string; schema: JsonSchema; value: unknown; want: unknown; unknown: string[] }[] = [
  {
    name: 'fields that are not named, at any depth',
    schema: pod,
    value: { kind: 'Pod', apiVersion: 'v1', spec: { containers: [{ name: 'a', foo: 1 }], bar: {} }, baz: [] },
    want: { kind: 'Pod', apiVersion: 'v1', spec: { containers: [{ name: 'a' }] } },
    unknown: ['spec.containers[0].foo', 'spec.bar', 'baz'],
  },
  {
    name: 'metadata by its own schema',
    schema: object({ metadata: { type: 'object' } }),
    value: { metadata: { name: 'a', nme: 'b', labels: { any: 'x' }, ownerReferences: [{ uid: '1', x: 1 }] } },
    want: { metadata: { name: 'a', labels: { any: 'x' }, ownerReferences: [{ uid: '1' }] } },
    unknown: ['metadata.nme', 'metadata.ownerReferences[0].x'],
  },
  {
    name: 'nothing of what preserves unknown fields, but into what is named there',
    schema: spec(object({ known: object({}) }, { 'x-kubernetes-preserve-unknown-fields': true })),
    value: { spec: { free: { any: 1 }, known: { x: 1 } } },
    want: { spec: { free: { any: 1 }, known: {} } },
    unknown: ['spec.known.x'],
  },
  {
    name: 'values of maps',
    schema: spec({ type: 'object', additionalProperties: object({ a: { type: 'string' } }) }),
    value: { spec: { one: { a: 'x', b: 'y' } } },
    want: { spec: { one: { a: 'x' } } },
    unknown: ['spec.one.b'],
  },
  {
    name: 'embedded resources but for their metadata',
    schema: spec(object({}, { 'x-kubernetes-embedded-resource': true })),
    value: { spec: { kind: 'A', apiVersion: 'v1', metadata: { name: 'a', x: 1 }, y: 1 } },
    want: { spec: { kind: 'A', apiVersion: 'v1', metadata: { name: 'a' } } },
    unknown: ['spec.metadata.x', 'spec.y'],
  },
  {
    name: 'values of the wrong type: not at all',
    schema: pod,
    value: { spec: 'text' },
    want: { spec: 'text' },
    unknown: [],
  },
  {
    name: 'recursive types',
    schema: { $ref: 'io.example.v1.Tree' },
    value: { branches: [{ branches: [{ leaf: 'a', x: 1 }] }] },
    want: { branches: [{ branches: [{ leaf: 'a' }] }] },
    unknown: ['branches[0].branches[0].x'],
  },
]
test.each(prunes)('prune removes $name', ({ schema, value, want, unknown }) =>
  expect(pruned(schema, structuredClone(value))).toEqual({ value: want, unknown }),
)

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'a field named %s is unknown like others',
  (key) => {
    const value = JSON.parse(`{"spec":{"${key}":{"polluted":true}}}`)
    expect(pruned(spec(object({})), value).unknown).toEqual([`spec.${key}`])
    expect(Object.keys(value.spec)).toEqual([])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  },
)

const defaults: { name: string; schema: JsonSchema; value: unknown; want: unknown }[] = [
  {
    name: 'absent fields, through references and lists',
    schema: pod,
    value: { spec: { containers: [{ name: 'a', ports: [{}] }] } },
    want: { spec: { containers: [{ name: 'a', imagePullPolicy: 'IfNotPresent', ports: [{ protocol: 'TCP' }] }] } },
  },
  {
    name: 'not the parents of fields',
    schema: spec(object({ a: { type: 'string', default: 'x' } })),
    value: {},
    want: {},
  },
  {
    name: 'what a default brings in its turn',
    schema: object({ spec: object({ a: { type: 'string', default: 'x' } }, { default: {} }) }),
    value: {},
    want: { spec: { a: 'x' } },
  },
  {
    name: 'null where it is not allowed',
    schema: spec(object({ a: { type: 'string', default: 'x' } })),
    value: { spec: { a: null } },
    want: { spec: { a: 'x' } },
  },
  {
    name: 'no null where it is allowed',
    schema: spec(object({ a: { type: 'string', default: 'x', nullable: true } })),
    value: { spec: { a: null } },
    want: { spec: { a: null } },
  },
  {
    name: 'nulls in maps and lists',
    schema: spec(
      object({
        map: { type: 'object', additionalProperties: { type: 'integer', default: 1 } },
        list: { type: 'array', items: { type: 'integer', default: 2 } },
      }),
    ),
    value: { spec: { map: { a: null, b: 3 }, list: [null, 4] } },
    want: { spec: { map: { a: 1, b: 3 }, list: [2, 4] } },
  },
  {
    name: 'a default written beside a reference',
    schema: object({ tree: { $ref: 'io.example.v1.Tree', default: {} } }),
    value: {},
    want: { tree: { leaf: 'green' } },
  },
]
test.each(defaults)('applyDefaults sets $name', ({ schema, value, want }) => {
  compileSchema(schema, types).applyDefaults(value)
  expect(value).toEqual(want)
})

test('defaults are not shared between objects', () => {
  const schema = compileSchema(object({ list: { type: 'array', items: { type: 'string' }, default: ['a'] } }), {})
  const [one, other] = [{} as { list: string[] }, {} as { list: string[] }]
  schema.applyDefaults(one)
  schema.applyDefaults(other)
  one.list.push('b')
  expect(other.list).toEqual(['a'])
})

test('dropNulls removes nulls that mean absence and keeps the others', () => {
  const schema = compileSchema(
    spec(
      object({
        plain: { type: 'string' },
        nullable: { type: 'string', nullable: true },
        defaulted: { type: 'string', default: 'x' },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        map: { type: 'object', additionalProperties: { type: 'string' } },
        list: { type: 'array', items: object({ a: { type: 'string' } }) },
      }),
    ),
    {},
  )
  const value = {
    spec: { plain: null, nullable: null, defaulted: null, any: null, map: { a: null, b: 'c' }, list: [{ a: null }] },
  }
  schema.dropNulls(value)
  expect(value).toEqual({ spec: { nullable: null, defaulted: null, any: null, map: { b: 'c' }, list: [{}] } })
})

test('a definition is prepared once for all kinds of a compiler', () => {
  const compiler = new SchemaCompiler(types)
  const job = object({ template: object({ spec: { $ref: 'io.k8s.api.core.v1.PodSpec' } }) })
  const fromPod = compiler.compile(pod).root.property('spec')
  const fromJob = compiler.compile(job).root.property('template')?.property('spec')
  expect(fromPod).toBeDefined()
  expect(fromJob).toBe(fromPod)
})

test('a type may refer to itself under a junctor', () => {
  const list: JsonSchema = {
    type: 'object',
    properties: { next: { $ref: 'List' }, end: { type: 'boolean' } },
    oneOf: [{ properties: { next: { $ref: 'List' } }, required: ['next'] }, { required: ['end'] }],
  }
  const schema = compileSchema({ $ref: 'List' }, { List: list })
  expect(schema.validate({ next: { next: { end: true } } })).toEqual([])
  expect(schema.validate({ next: { next: {} } })).not.toEqual([])
})

test('a reference to nowhere is told when it is first followed', () => {
  const schema = compileSchema(object({ a: { $ref: 'io.example.v1.None' } }), types)
  expect(() => schema.prune({ a: {} })).toThrow('schema refers to io.example.v1.None, which is not defined')
})

test('CEL rules are found where there are any, but not of built-in kinds', () => {
  const ruled = spec(object({ a: { type: 'integer' } }, { 'x-kubernetes-validations': [{ rule: 'self.a > 1' }] }))
  expect(compileSchema(spec(object({})), {}).rules).toBeUndefined()
  expect(compileSchema(ruled, {}, { builtin: true }).rules).toBeUndefined()
  expect(compileSchema(ruled, {}).judge({ spec: { a: 1 } })).toEqual([
    { reason: 'FieldValueInvalid', field: 'spec', message: 'Invalid value: failed rule: self.a > 1' },
  ])
})

test('a default is an own field, whatever its name', () => {
  const properties = JSON.parse('{"__proto__":{"type":"object","default":{"polluted":true}}}')
  const object: Record<string, unknown> = {}
  compileSchema({ type: 'object', properties }, {}).applyDefaults(object)
  expect(Object.keys(object)).toEqual(['__proto__'])
  expect(object.polluted).toBeUndefined()
})

test('defaults do not make more of an object than could be stored', () => {
  const item = { type: 'object', properties: { a: { type: 'string', default: 'x'.repeat(100_000) } } } as const
  const items: { a?: string }[] = Array.from({ length: 1_000 }, () => ({}))
  compileSchema({ type: 'object', properties: { items: { type: 'array', items: item } } }, {}).applyDefaults({ items })
  expect(items.filter(({ a }) => a !== undefined)).toHaveLength(41)
})

test('a write of the status is held to its schema alone', () => {
  const status = object({ size: { type: 'integer', minimum: 5 }, list: { type: 'array', items: { type: 'string' } } })
  const schema = compileSchema(
    { ...object({ spec: object({ a: { type: 'integer' } }), status }), required: ['spec'] },
    {},
  )
  const judged = (value: object, old: object) =>
    schema.validateStatus(value, old).map(({ field, message }) => `${field}: ${message}`)
  expect(judged({ spec: 'none', status: { size: 1 } }, {})).toEqual([
    'status.size: Invalid value: 1: size in body should be greater than or equal to 5',
  ])
  expect(judged({ status: { size: 1, list: ['a'] } }, { status: { size: 1 } })).toEqual([])
  expect(judged({ status: 'done' }, {})).toEqual([
    'status: Invalid value: "string":  in body must be of type object: "string"',
  ])
  expect(judged({ status: { list: [1] } }, {})).toEqual([
    'status.list[0]: Invalid value: "integer": list[0] in body must be of type string: "integer"',
  ])
  expect(judged({}, { status: { size: 1 } })).toEqual([])
})
