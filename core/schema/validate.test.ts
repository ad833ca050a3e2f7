import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { compileSchema } from './compile.ts'

const object = (properties: Record<string, JsonSchema>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
})
const spec = (properties: Record<string, JsonSchema>) => object({ spec: object(properties) })
const faults = (schema: JsonSchema, value: unknown, old?: unknown) =>
  compileSchema(schema, {})
    .validate(value, old)
    .map((error) => `${error.field}: ${error.message}`)

const int: JsonSchema = { type: 'integer' }
const text: JsonSchema = { type: 'string' }
const list = (items: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: 'array', items, ...more })

/** `a` is the schema of spec.a, `value` its value. */
const cases: { name: string; a: JsonSchema; value: unknown; want: string[] }[] = [
  {
    name: 'a string for an integer',
    a: int,
    value: 'x',
    want: ['spec.a: Invalid value: "string": spec.a in body must be of type integer: "string"'],
  },
  {
    name: 'a fraction for an integer',
    a: int,
    value: 1.5,
    want: ['spec.a: Invalid value: "number": spec.a in body must be of type integer: "number"'],
  },
  {
    name: 'a boolean for an int32',
    a: { type: 'integer', format: 'int32' },
    value: true,
    want: ['spec.a: Invalid value: "": spec.a in body must be of type int32: ""'],
  },
  {
    name: 'null for a string',
    a: text,
    value: null,
    want: ['spec.a: Invalid value: "null": spec.a in body must be of type string: "null"'],
  },
  { name: 'null where it is allowed', a: { type: 'string', nullable: true, enum: ['x'] }, value: null, want: [] },
  { name: 'an integer for a number', a: { type: 'number' }, value: 1, want: [] },
  {
    name: 'a list for an object',
    a: object({}),
    value: [],
    want: ['spec.a: Invalid value: "array": spec.a in body must be of type object: "array"'],
  },
  {
    name: 'an item of the wrong type',
    a: list(text),
    value: ['x', 1],
    want: ['spec.a[1]: Invalid value: "integer": spec.a[1] in body must be of type string: "integer"'],
  },
  {
    name: 'a value of a map of the wrong type',
    a: { type: 'object', additionalProperties: text },
    value: { k: 1 },
    want: ['spec.a.k: Invalid value: "integer": spec.a.k in body must be of type string: "integer"'],
  },
  {
    name: 'a missing field',
    a: object({}, { required: ['b', 'c'] }),
    value: { b: 1 },
    want: ['spec.a.c: Required value'],
  },
  {
    name: 'a value out of an enum, which keeps its order',
    a: { type: 'string', enum: ['b', 'a'] },
    value: 'x',
    want: ['spec.a: Unsupported value: "x": supported values: "b", "a"'],
  },
  {
    name: 'a number out of an enum',
    a: { type: 'integer', enum: [1] },
    value: 2,
    want: ['spec.a: Unsupported value: 2: supported values: "1"'],
  },
  { name: 'an object of an enum', a: object({}, { enum: [{ x: [1] }] }), value: { x: [1] }, want: [] },
  {
    name: 'less than the minimum',
    a: { type: 'integer', minimum: 0 },
    value: -1,
    want: ['spec.a: Invalid value: -1: spec.a in body should be greater than or equal to 0'],
  },
  {
    name: 'the exclusive minimum',
    a: { type: 'integer', minimum: 0, exclusiveMinimum: true },
    value: 0,
    want: ['spec.a: Invalid value: 0: spec.a in body should be greater than 0'],
  },
  {
    name: 'more than the maximum',
    a: { type: 'number', maximum: 1.5 },
    value: 2,
    want: ['spec.a: Invalid value: 2: spec.a in body should be less than or equal to 1.5'],
  },
  {
    name: 'no multiple',
    a: { type: 'integer', multipleOf: 5 },
    value: 7,
    want: ['spec.a: Invalid value: 7: spec.a in body should be a multiple of 5'],
  },
  { name: 'a multiple of a fraction', a: { type: 'number', multipleOf: 0.1 }, value: 0.3, want: [] },
  {
    name: 'more than an int32',
    a: { type: 'integer', format: 'int32' },
    value: 2 ** 31,
    want: ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.a'],
  },
  {
    name: 'more than an int64',
    a: { type: 'integer', format: 'int64' },
    value: 1e30,
    want: ['<nil>: Invalid value: "": Checked value must be of type integer with format int64 in spec.a'],
  },
  {
    name: 'a text too long',
    a: { type: 'string', maxLength: 2 },
    value: 'abc',
    want: ['spec.a: Too long: may not be more than 2 bytes'],
  },
  { name: 'characters, not code units', a: { type: 'string', maxLength: 2, minLength: 2 }, value: '😀😀', want: [] },
  {
    name: 'a text too short',
    a: { type: 'string', minLength: 2 },
    value: 'é',
    want: ['spec.a: Invalid value: "é": spec.a in body should be at least 2 chars long'],
  },
  {
    name: 'a text off its pattern',
    a: { type: 'string', pattern: '^[a-z]+$' },
    value: 'A',
    want: ['spec.a: Invalid value: "A": spec.a in body should match \'^[a-z]+$\''],
  },
  {
    name: 'a pattern in the spelling of RE2',
    a: { type: 'string', pattern: '(?i)\\A[[:alpha:]]+\\z' },
    value: 'Ab',
    want: [],
  },
  {
    name: 'a text too long for any pattern',
    a: { type: 'string', pattern: '^a*$' },
    value: 'a'.repeat(10_001),
    want: [expect.stringContaining("should match '^a*$'") as unknown as string],
  },
  {
    name: 'a text off its format',
    a: { type: 'string', format: 'ipv4' },
    value: '1.2.3',
    want: ['spec.a: Invalid value: "1.2.3": spec.a in body must be of type ipv4: "1.2.3"'],
  },
  { name: 'a format nobody knows', a: { type: 'string', format: 'colour' }, value: 'x', want: [] },
  {
    name: 'too few items',
    a: list(text, { minItems: 1 }),
    value: [],
    want: ['spec.a: Invalid value: 0: spec.a in body should have at least 1 items'],
  },
  {
    name: 'too many items',
    a: list(text, { maxItems: 1 }),
    value: ['a', 'b'],
    want: ['spec.a: Too many: 2: must have at most 1 items'],
  },
  {
    name: 'repeated items',
    a: list(object({}), { uniqueItems: true }),
    value: [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    want: ['spec.a: Invalid value: "": spec.a in body shouldn\'t contain duplicates'],
  },
  {
    name: 'too few fields',
    a: object({}, { minProperties: 1 }),
    value: {},
    want: ['spec.a: Invalid value: 1: spec.a in body should have at least 1 properties'],
  },
  {
    name: 'too many fields',
    a: object({}, { maxProperties: 0 }),
    value: { x: 1 },
    want: ['spec.a: Too many: 1: must have at most 0 items'],
  },
  {
    name: 'a set that repeats itself',
    a: list(text, { 'x-kubernetes-list-type': 'set' }),
    value: ['a', 'b', 'a'],
    want: ['spec.a[2]: Duplicate value: "a"'],
  },
  {
    name: 'a keyed list that repeats a key',
    a: list(object({ name: text, port: { type: 'integer', default: 80 } }), {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name', 'port'],
    }),
    value: [{ name: 'a' }, { name: 'b' }, { name: 'a', port: 80 }],
    want: ['spec.a[2]: Duplicate value: {"name":"a","port":80}'],
  },
  { name: 'an int-or-string', a: { 'x-kubernetes-int-or-string': true }, value: '50%', want: [] },
  {
    name: 'neither an int nor a string',
    a: { 'x-kubernetes-int-or-string': true },
    value: true,
    want: ['spec.a: Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"'],
  },
  {
    name: 'an embedded resource that does not say what it is',
    a: object({}, { 'x-kubernetes-embedded-resource': true }),
    value: { apiVersion: '' },
    want: ['spec.a.apiVersion: Invalid value: "": must not be empty', 'spec.a.kind: Required value'],
  },
  {
    name: 'an embedded resource that is called what nothing is',
    a: object({}, { 'x-kubernetes-embedded-resource': true }),
    value: { apiVersion: 'a/b/c', kind: 'Po.d', metadata: { name: 'a/b', labels: { 'a/b/c': '' } } },
    want: [
      'spec.a.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      `spec.a.kind: Invalid value: "Po.d": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
      `spec.a.metadata.name: Invalid value: "a/b": may not contain '/'`,
      `spec.a.metadata.labels: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ],
  },
  {
    name: 'none of oneOf',
    a: object({ x: int, y: int }, { oneOf: [{ required: ['x'] }, { required: ['y'] }] }),
    value: {},
    want: [
      '<nil>: Invalid value: "": "spec.a" must validate one and only one schema (oneOf). Found none valid',
      'spec.a.x: Required value',
    ],
  },
  {
    name: 'two of oneOf',
    a: object({ x: int, y: int }, { oneOf: [{ required: ['x'] }, { required: ['y'] }] }),
    value: { x: 1, y: 1 },
    want: [
      '<nil>: Invalid value: "": "spec.a" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  },
  {
    name: 'one of oneOf',
    a: object({ x: int }, { oneOf: [{ required: ['x'] }, { required: ['y'] }] }),
    value: { x: 1 },
    want: [],
  },
  {
    name: 'none of anyOf',
    a: { type: 'integer', anyOf: [{ minimum: 5 }, { maximum: 1 }] },
    value: 3,
    want: [
      '<nil>: Invalid value: "": "spec.a" must validate at least one schema (anyOf)',
      'spec.a: Invalid value: 3: spec.a in body should be greater than or equal to 5',
    ],
  },
  {
    name: 'not all of allOf',
    a: { type: 'integer', allOf: [{ minimum: 5 }, { maximum: 9 }] },
    value: 3,
    want: [
      'spec.a: Invalid value: 3: spec.a in body should be greater than or equal to 5',
      '<nil>: Invalid value: "": "spec.a" must validate all the schemas (allOf)',
    ],
  },
  {
    name: 'what must not be',
    a: { type: 'string', not: { enum: ['x'] } },
    value: 'x',
    want: ['<nil>: Invalid value: "": "spec.a" must not validate the schema (not)'],
  },
]
test.each(cases)('validate judges $name', ({ a, value, want }) =>
  expect(faults(spec({ a }), { spec: { a: value } })).toEqual(want),
)

const either: JsonSchema = {
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
}

test.each([1, '1', '', -7])('%j is an integer or a string, however often the schema says so', (value) =>
  expect(faults(spec({ a: either }), { spec: { a: value } })).toEqual([]),
)

test.each([true, 1.5, 2 ** 70, {}, []])('what is neither is told as often as the schema says so: %j', (value) => {
  const told = faults(spec({ a: either }), { spec: { a: value } })
  expect(told).toContain('<nil>: Invalid value: "": "spec.a" must validate at least one schema (anyOf)')
  // A branch that asks for more is looked at in any case.
  const bounded = { ...either, anyOf: [{ type: 'integer', minimum: 5 } as const, { type: 'string' } as const] }
  expect(faults(spec({ a: bounded }), { spec: { a: 1 } })).not.toEqual([])
})

test('validate tells all faults', () => {
  const schema = spec({ a: int, b: text })
  expect(faults(schema, { spec: { a: 'x', b: 1 } })).toHaveLength(2)
})

test('metadata is understood, and a schema may narrow its name', () => {
  const schema = object({ metadata: object({ name: { type: 'string', maxLength: 3 } }) })
  expect(faults(schema, { metadata: { name: 'abcd', labels: { a: 1 } } })).toEqual([
    'metadata.name: Too long: may not be more than 3 bytes',
    'metadata.labels.a: Invalid value: "integer": metadata.labels.a in body must be of type string: "integer"',
  ])
})

test.each(['__proto__', 'constructor', 'toString'])('a required field named %s is not found on the prototype', (key) =>
  expect(faults(object({ spec: object({}, { required: [key] }) }), { spec: {} })).toEqual([
    `spec.${key}: Required value`,
  ]),
)

test('a built-in kind may repeat itself in lists', () => {
  const schema = spec({ a: list(text, { 'x-kubernetes-list-type': 'set' }) })
  expect(compileSchema(schema, {}, { builtin: true }).validate({ spec: { a: ['x', 'x'] } })).toEqual([])
})

const keyed = list(object({ name: text, n: { type: 'integer', minimum: 5 } }), {
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
})
const ratchet = spec({
  n: { type: 'integer', minimum: 5 },
  m: { type: 'integer', minimum: 5 },
  keyed,
  plain: list({ ...int, minimum: 5 }),
  few: { ...keyed, maxItems: 1 },
  set: list(text, { 'x-kubernetes-list-type': 'set' }),
  other: list(text, { 'x-kubernetes-list-type': 'set' }),
  embedded: object({ kind: text }, { 'x-kubernetes-embedded-resource': true }),
})
const changes: { name: string; old: object; value: object; want: string[] }[] = [
  { name: 'what did not change', old: { n: 1 }, value: { n: 1, m: 9 }, want: [] },
  {
    name: 'only what changed',
    old: { n: 1, m: 1 },
    value: { n: 2, m: 1 },
    want: ['spec.n: Invalid value: 2: spec.n in body should be greater than or equal to 5'],
  },
  {
    name: 'items of a keyed list wherever they moved',
    old: { keyed: [{ name: 'a', n: 1 }] },
    value: {
      keyed: [
        { name: 'b', n: 6 },
        { name: 'a', n: 1 },
      ],
    },
    want: [],
  },
  {
    name: 'all items of other lists once one changed',
    old: { plain: [1] },
    value: { plain: [1, 6] },
    want: ['spec.plain[0]: Invalid value: 1: spec.plain[0] in body should be greater than or equal to 5'],
  },
  {
    name: 'a keyed list no longer as a whole when its items only changed places',
    old: { few: [{ name: 'a' }, { name: 'b' }] },
    value: { few: [{ name: 'b' }, { name: 'a' }], n: 5 },
    want: [],
  },
  {
    name: 'sets that repeat themselves when none did before',
    old: { set: ['a'] },
    value: { set: ['a', 'a'], n: 1 },
    want: [
      'spec.n: Invalid value: 1: spec.n in body should be greater than or equal to 5',
      'spec.set[1]: Duplicate value: "a"',
    ],
  },
  {
    name: 'no sets that repeat themselves when any did before',
    old: { set: ['a', 'a'] },
    value: { set: ['a', 'a'], other: ['b', 'b'] },
    want: [],
  },
  {
    name: 'what resources within say of themselves always',
    old: { embedded: { kind: 'Pod' } },
    value: { embedded: { kind: 'Pod' }, n: 5 },
    want: ['spec.embedded.apiVersion: Required value'],
  },
]
test.each(changes)('an update is judged by $name', ({ old, value, want }) =>
  expect(faults(ratchet, { spec: value }, { spec: old })).toEqual(want),
)

test('no more faults are looked for than anybody is told of', () => {
  const schema = spec({ list: list(text), map: object({}, { additionalProperties: text }) })
  const many = Array.from({ length: 20_000 }, (_, at) => at)
  const value = { list: many, map: Object.fromEntries(many.map((at) => [`k${at}`, at])) }
  expect(faults(schema, { spec: value })).toHaveLength(10_000)
  expect(faults(schema, { spec: value }, { spec: { list: [], map: {} } })).toHaveLength(10_000)
})
