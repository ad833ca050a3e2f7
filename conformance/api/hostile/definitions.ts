import { type HostileRow, row } from './rows.ts'

/** CustomResourceDefinitions made to hurt: each is refused with its reason, or taken and harmless. */

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All'
const names = { plural: 'traps', singular: 'trap', kind: 'Trap', listKind: 'TrapList' }

type Schema = Record<string, unknown>

const version = (openAPIV3Schema: unknown, more: object = {}) => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema },
  ...more,
})
const define = (versions: unknown[]) => ({
  method: 'POST',
  path: crds,
  body: {
    metadata: { name: 'traps.hostile.example.com' },
    spec: { group: 'hostile.example.com', scope: 'Namespaced', names, versions },
  },
})
const schema = (openAPIV3Schema: unknown, more: object = {}) => define([version(openAPIV3Schema, more)])
/** With a schema that is written as text, where JavaScript would not keep it. */
const written = (text: string) => {
  const { body, ...request } = schema('here')
  return { ...request, body: JSON.stringify(body).replace('"here"', text) }
}
const object = (properties: Schema, more: Schema = {}) => ({ type: 'object', properties, ...more })
const field = (a: unknown) => schema(object({ a }))
const text = { type: 'string' }

const nested = (depth: number, wrap: (inner: unknown) => unknown, inner: unknown = text): unknown =>
  depth === 0 ? inner : nested(depth - 1, wrap, wrap(inner))
const numbered = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))
const fields = (count: number, make: (at: number) => unknown): Schema =>
  Object.fromEntries(numbered(count, (at) => [`field${at}`, make(at)]))
/** A tree of junctors, twice as many a level. */
const doubled = (depth: number): Schema =>
  depth === 0 ? { minimum: 1 } : { anyOf: [doubled(depth - 1), doubled(depth - 1)] }
const columns = (paths: readonly string[]) => ({
  additionalPrinterColumns: paths.map((jsonPath, at) => ({ name: `c${at}`, type: 'string', jsonPath })),
})

const taken: [string, ReturnType<typeof define>][] = [
  ['two thousand branches under junctors', field({ type: 'integer', ...doubled(10) })],
  ['45 levels of objects', schema(nested(45, (a) => object({ a })))],
  ['10,000 fields', schema(object({ spec: object(fields(10_000, () => text)) }))],
  [
    '1,000 versions',
    define([
      version({ type: 'object' }),
      ...numbered(999, (at) => ({ ...version({ type: 'object' }), name: `w${at}`, storage: false })),
    ]),
  ],
  ['a default of a megabyte', field({ ...text, default: 'x'.repeat(1_000_000) })],
  ['a description of a megabyte', field({ ...text, description: 'x'.repeat(1_000_000) })],
  ['a field whose name takes 100 kB', schema(object({ ['n'.repeat(100_000)]: text }))],
  ['20,000 values of an enum', field({ ...text, enum: numbered(20_000, (at) => `e${at}`) })],
  ['20,000 required fields', schema(object({}, { required: numbered(20_000, (at) => `e${at}`) }))],
  [
    'patterns that backtrack without end elsewhere',
    schema(
      object({
        a: { ...text, pattern: '^(a+)+$' },
        b: { ...text, pattern: '(x+x+)+y' },
        c: { ...text, pattern: '^((a{0,9}){0,9}){0,9}$' },
      }),
    ),
  ],
  ['1,000 columns', schema({ type: 'object' }, columns(numbered(1_000, () => '.a')))],
  [
    'paths of columns through everything',
    schema(
      { type: 'object' },
      columns(['..*..*..*..*', '.a[-5]', '.a[0:99999999999]', '.a[?(@.b=="c")]', '.[', '..', '.a'.repeat(4_000)]),
    ),
  ],
]
const refused: [string, { method: string; path: string; body: unknown }, string][] = [
  ['150 levels of objects', schema(nested(150, (a) => object({ a }))), 'must not be nested deeper than 100 schemas'],
  [
    '250 levels of junctors',
    field({ ...text, ...(nested(250, (not) => ({ not }), {}) as Schema) }),
    'must not be nested deeper',
  ],
  ['a reference to itself', field({ $ref: '#' }), 'properties[a].$ref: Forbidden: $ref is not supported'],
  ['a reference elsewhere', field({ ...text, $ref: 'https://example.com/schema.json' }), '$ref is not supported'],
  [
    'definitions that refer to each other',
    schema(object({}, { definitions: { a: { $ref: '#/definitions/b' }, b: { $ref: '#/definitions/a' } } })),
    'definitions is not supported',
  ],
  ['a pattern with too many repetitions', field({ ...text, pattern: '((a{100}){100}){100}' }), 'invalid repeat count'],
  ['a pattern that looks behind', field({ ...text, pattern: '(?<=a)b' }), 'error parsing regexp'],
  [
    'a pattern of 5,000 parentheses',
    field({ ...text, pattern: `${'('.repeat(5_000)}${')'.repeat(5_000)}` }),
    'error parsing regexp',
  ],
  [
    'patterns of a megabyte',
    schema(object(fields(1_000, () => ({ ...text, pattern: 'a{0,100}'.repeat(125) })))),
    'must not have patterns of more than',
  ],
  [
    'unique items',
    field({ type: 'array', items: text, uniqueItems: true }),
    'the runtime complexity becomes quadratic',
  ],
  [
    'keys that objects inherit',
    field({
      type: 'array',
      items: object({}),
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['constructor', 'toString'],
    }),
    'entries must all be names of item properties',
  ],
  [
    'selectable fields that objects inherit',
    schema(object({}), { selectableFields: [{ jsonPath: '.constructor.name' }] }),
    'does not refer to a valid field',
  ],
  [
    'required fields of junctors that objects inherit',
    schema(object({}, { allOf: [{ properties: { constructor: { maxLength: 1 } } }] })),
    'properties[constructor]: Required value: because it is defined in',
  ],
  ['20,000 faults', schema(object({ spec: object(fields(10_000, () => ({ uniqueItems: true }))) })), 'and 19000 more]'],
  ['numbers for items', field({ type: 'array', items: 7 }), 'must be of type object'],
]
const unread: [string, { method: string; path: string; body: unknown }, number][] = [
  ['100,000 levels', written(`${'{"type":"array","items":'.repeat(100_000)}{}${'}'.repeat(100_000)}`), 400],
  ['more than 3 MiB', field({ ...text, description: 'x'.repeat(3 * 1024 * 1024) }), 413],
  [
    'a minimum beyond all bounds',
    written('{"type":"object","properties":{"a":{"type":"integer","minimum":1e400}}}'),
    400,
  ],
  ['several types', field({ type: ['string', 'null'] }), 400],
  ['a list for its fields', schema({ type: 'object', properties: [text] }), 400],
  ['no end', written('{"type":"object"'), 400],
  ['true for a schema', field(true), 400],
]
const inherited = [
  '{"type":"object","properties":{"__proto__":{"type":"object","default":{}},"constructor":{"type":"string","default":"x"}}}',
  '{"type":"object","properties":{"toString":{"type":"integer"},"hasOwnProperty":{"type":"object","properties":{"__proto__":{"type":"string"}}}}}',
]

export const harmless: HostileRow[] = [
  ...taken.map(([what, request]) => row(`a definition with ${what}`, request, 201)),
  ...inherited.map((schema) => row(`a definition with fields that objects inherit: ${schema}`, written(schema), 201)),
]

export const rows: HostileRow[] = [
  ...refused.map(([what, request, says]) => row(`a definition with ${what}`, request, 422, says)),
  ...unread.map(([what, request, status]) => row(`a definition with ${what}`, request, status)),
]
