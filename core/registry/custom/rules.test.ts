/** What updates of a CustomResourceDefinition may and may not do, and what becomes of one that was stored by looser rules. */
import { expect, test } from 'vitest'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { customResourceDefinitionRules as rules } from './rules.ts'

type Json = Record<string, unknown>

const text = { type: 'string' }
const object = (properties: Json, more: Json = {}) => ({ type: 'object', properties, ...more })
const version = (name: string, schema: unknown = { type: 'object' }, more: Json = {}) => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: schema ? { openAPIV3Schema: schema } : undefined,
  ...more,
})

interface Parts {
  spec?: Json
  established?: boolean
  storedVersions?: string[]
  annotations?: Record<string, string>
  group?: string
}

function crd({ spec, established = true, storedVersions = ['v1'], annotations, group = 'x.dev' }: Parts = {}) {
  const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}`, annotations },
    spec: { group, scope: 'Namespaced', names, versions: [version('v1')], ...spec },
    status: {
      storedVersions,
      conditions: [{ type: 'Established', status: established ? 'True' : 'False' }],
    },
  } as unknown as CustomResourceDefinition
}

const faults = (old: Parts, next: Parts) =>
  rules.validateUpdate!(crd(next), crd(old), '').map(({ field, message }) => `${field}: ${message}`)

const withSchema = (schema: unknown, more: Json = {}): Parts => ({ spec: { versions: [version('v1', schema, more)] } })
const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }
const keyed = (key: Json, items: Json = {}) =>
  object({
    a: {
      type: 'array',
      items: object({ key }, items),
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
    },
  })
const setOf = (items: Json) => object({ a: { type: 'array', items, 'x-kubernetes-list-type': 'set' } })
const nine = [...'abcdefghi']
const selecting = (...paths: string[]) =>
  withSchema(object(Object.fromEntries(nine.map((name) => [name, text]))), {
    selectableFields: paths.map((path) => ({ jsonPath: `.${path}` })),
  })
const webhook = (caBundle: string | undefined, versions = ['v1'], established = true): Parts => ({
  established,
  spec: {
    conversion: {
      strategy: 'Webhook',
      webhook: { clientConfig: { url: 'https://x.dev', caBundle }, conversionReviewVersions: versions },
    },
  },
})
const base = 'spec.validation.openAPIV3Schema'
const protectedGroup = { group: 'x.k8s.io' }
const approved = (value: string) => ({ ...protectedGroup, annotations: { 'api-approved.kubernetes.io': value } })

const updates: [what: string, old: Parts, next: Parts, want: string[]][] = [
  ['nothing', {}, {}, []],
  [
    'another kind and scope of what is served',
    {},
    { spec: { names: { ...names, kind: 'Other' }, scope: 'Cluster' } },
    [
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Other": field is immutable',
    ],
  ],
  [
    'another kind and scope of what is not served yet',
    { established: false },
    { spec: { names: { ...names, kind: 'Other' }, scope: 'Cluster' } },
    [],
  ],
  [
    'another plural',
    { established: false },
    { spec: { names: { ...names, plural: 'others' } } },
    ['spec.names.plural: Invalid value: "others": field is immutable'],
  ],
  [
    'another group',
    { established: false },
    { group: 'y.dev' },
    ['spec.group: Invalid value: "y.dev": field is immutable'],
  ],
  [
    'a version of which objects are stored gone',
    { storedVersions: ['v0', 'v1'] },
    { storedVersions: ['v0', 'v1'] },
    [
      'status.storedVersions[0]: Invalid value: "v0": missing from spec.versions; v0 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v0 and removes v0 from status.storedVersions',
    ],
  ],
  [
    'a type that is none, where there was one before',
    withSchema(object({ a: { type: 'bogus' } })),
    withSchema(object({ a: { type: 'bogus' }, b: { type: 'bogus' } })),
    [],
  ],
  [
    'a type that is none',
    withSchema(object({ a: text })),
    withSchema(object({ a: { type: 'bogus' } })),
    [
      `${base}.properties[a].type: Unsupported value: "bogus": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
  ],
  [
    'a set of granular items, where there was one before',
    withSchema(setOf({ type: 'object' })),
    withSchema(setOf({ type: 'object', 'x-kubernetes-map-type': 'granular' })),
    [],
  ],
  [
    'a set of granular items',
    withSchema(setOf(text)),
    withSchema(setOf({ type: 'object' })),
    [
      `${base}.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
    ],
  ],
  [
    'an optional key, where there was one before',
    withSchema(keyed(text)),
    withSchema(keyed({ ...text, maxLength: 1 })),
    [],
  ],
  [
    'an optional key',
    withSchema(keyed(text, { required: ['key'] })),
    withSchema(keyed(text)),
    [
      `${base}.properties[a].items.properties[key].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ],
  ],
  [
    'a default with unknown fields, where there was one before',
    withSchema(object({ a: object({}, { default: { x: 1 } }) })),
    withSchema(object({ a: object({}, { default: { x: 1 } }), b: text })),
    [],
  ],
  [
    'what is not structural, though there was some before',
    withSchema(object({ a: {} })),
    withSchema(object({ a: {} })),
    [`${base}.properties[a].type: Required value: must not be empty for specified object fields`],
  ],
  [
    'no schema of a version that is not served, where there was none before',
    { spec: { versions: [version('v1'), version('v2', null, { served: false })] } },
    { spec: { versions: [version('v1'), version('v2', null, { served: false })] } },
    [],
  ],
  [
    'no schema of a version that is served, where there was none before',
    { spec: { versions: [version('v1'), version('v2', null)] } },
    { spec: { versions: [version('v1'), version('v2', null)] } },
    ['spec.versions[1].schema.openAPIV3Schema: Required value: because otherwise all fields are pruned'],
  ],
  ['the nine selectable fields there were', selecting(...nine), selecting(...nine), []],
  [
    'nine other selectable fields',
    selecting(...nine),
    selecting(...nine.toReversed()),
    ['spec.selectableFields: Too many: 9: must have at most 8 items'],
  ],
  [
    'certificates that are none, once it is served',
    webhook(undefined),
    webhook('eA=='),
    [
      'spec.conversion.webhookClientConfig.caBundle: Invalid value: "eA==": unable to load root certificates: unable to parse bytes as PEM block',
    ],
  ],
  ['certificates that are none, as before', webhook('eA=='), webhook('eQ=='), []],
  [
    'certificates that are none, before it is served',
    webhook(undefined, ['v1'], false),
    webhook('eA==', ['v1'], false),
    [],
  ],
  ['versions of reviews that nobody speaks, as before', webhook(undefined, ['v0']), webhook(undefined, ['v00']), []],
  [
    'versions of reviews that nobody speaks any more',
    webhook(undefined),
    webhook(undefined, ['v0']),
    ['spec.conversion.conversionReviewVersions: Invalid value: ["v0"]: must include at least one of v1, v1beta1'],
  ],
  ['a missing approval, as before', protectedGroup, protectedGroup, []],
  [
    'an approval taken back',
    approved('https://github.com/x/1'),
    protectedGroup,
    [
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    ],
  ],
  ['an approval given', protectedGroup, approved('unapproved, for now'), []],
  [
    'everything kept',
    {},
    { spec: { preserveUnknownFields: true } },
    [
      'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    ],
  ],
  [
    'everything kept, as before',
    { spec: { preserveUnknownFields: true } },
    { spec: { preserveUnknownFields: true } },
    [],
  ],
]
test.each(updates)('an update to %s', (_what, old, next, want) => expect(faults(old, next)).toEqual(want))

test('a version that is stored from now on is remembered, and so is the one before', () => {
  const next = crd({
    spec: { versions: [version('v1', {}, { storage: false }), version('v2', {}, { storage: true })] },
  })
  rules.prepareUpdate!(next, crd(), '')
  expect(next.status?.storedVersions).toEqual(['v1', 'v2'])
})

test('formats nobody knows are told of, on an update those that are new', () => {
  const schema = (...formats: string[]) =>
    crd(withSchema(object(Object.fromEntries(formats.map((format) => [format, { ...text, format }])))))
  const old = schema('zip', 'date-time')
  expect(rules.warnings!(old)).toEqual(['unrecognized format "zip"'])
  expect(rules.warnings!(schema('zip', 'iban', 'k8s-short-name'), old)).toEqual(['unrecognized format "iban"'])
})
