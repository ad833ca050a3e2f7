/**
 * What a CustomResourceDefinition is refused for: the facts are those of Kubernetes' own tests of its validation, each as a
 * piece of a definition and the faults it brings, in the words and at the places of a kube-apiserver.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { statusOf } from '#core/errors/status-error.ts'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'

const crds = 'apiextensions.k8s.io/v1/customresourcedefinitions'
const base = 'spec.validation.openAPIV3Schema'

type Json = Record<string, unknown>

const object = (properties: Json = {}, more: Json = {}): Json => ({ type: 'object', properties, ...more })
const field = (schema: Json) => object({ a: schema })
const text = { type: 'string' }
const anyText = { type: 'object', additionalProperties: text }
const list = (items: Json, more: Json = {}): Json => ({ type: 'array', items, ...more })
const keyed = (items: Json, keys: unknown = ['key'], more: Json = {}) =>
  list(items, { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys, ...more })
const set = (items: Json) => list(items, { 'x-kubernetes-list-type': 'set' })
const embedded = (properties: Json = { x: text }, more: Json = {}) =>
  object(properties, { 'x-kubernetes-embedded-resource': true, ...more })
const preserve = { 'x-kubernetes-preserve-unknown-fields': true }
const intOrString = { 'x-kubernetes-int-or-string': true }

const version = (name: string, more: Json = {}): Json => ({
  name,
  served: true,
  storage: name === 'v1',
  schema: { openAPIV3Schema: { type: 'object' } },
  ...more,
})
const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }

function definition(spec: Json, metadata: Json = {}): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.x.dev', ...metadata },
    spec: { group: 'x.dev', scope: 'Namespaced', names, versions: [version('v1')], ...spec },
  }
}

const withSchema = (openAPIV3Schema: Json, more: Json = {}) =>
  definition({ versions: [version('v1', { schema: { openAPIV3Schema }, ...more })] })
const withVersion = (more: Json) => definition({ versions: [version('v1', more)] })
const withColumn = (column: Json) =>
  withVersion({ additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.a', ...column }] })
const withScale = (scale: Json) => withVersion({ subresources: { scale: { ...soundScale, ...scale } } })
const soundScale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
const withConversion = (webhook: Json | undefined, strategy = 'Webhook') =>
  definition({ conversion: { strategy, ...(webhook && { webhook }) } })
const withClient = (clientConfig: Json, reviews: string[] = ['v1']) =>
  withConversion({ clientConfig, conversionReviewVersions: reviews })
const withService = (service: Json) => withClient({ service: { name: 'n', namespace: 'ns', ...service } })
const selecting = (paths: string[], properties: Json) =>
  withSchema(object(properties), { selectableFields: paths.map((jsonPath) => ({ jsonPath })) })

let registry: TestRegistry
beforeAll(async () => {
  registry = await openTestRegistry()
})
afterAll(() => registry[Symbol.asyncDispose]())

/** The faults of a create; those within the schema without the way to it. */
async function faultsOf(crd: Json): Promise<string[]> {
  const sent = JSON.parse(JSON.stringify(crd)) as Json
  const error = await registry.create(crds, sent, { dryRun: true }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!error) return []
  const causes = statusOf(error)?.details?.causes
  if (!causes) throw error
  return causes.map(({ field = '', message }) => `${field.replace(`${base}.`, '')}: ${message}`)
}

const dns1035 =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const mixed = `may have mixed case, but should otherwise match: ${dns1035}`
const structural = (what: string) => `Forbidden: must be ${what} to be structural`
const types = 'supported values: "array", "boolean", "integer", "number", "object", "string"'

type Row = [what: string, definition: Json, faults?: string[]]

const rows: Record<string, Row[]> = {
  'names and groups': [
    ['sound', definition({})],
    [
      'another name',
      definition({}, { name: 'others.x.dev' }),
      ['metadata.name: Invalid value: "others.x.dev": must be spec.names.plural+"."+spec.group'],
    ],
    [
      'an empty group',
      definition({ group: '' }, { name: 'things.' }),
      [`metadata.name: Invalid value: "things.": ${subdomain}`, 'spec.group: Required value'],
    ],
    [
      'a group without a dot',
      definition({ group: 'dev' }, { name: 'things.dev' }),
      ['spec.group: Invalid value: "dev": should be a domain with at least one dot'],
    ],
    [
      'a group in capitals',
      definition({ group: 'X.dev' }, { name: 'things.X.dev' }),
      [
        `metadata.name: Invalid value: "things.X.dev": ${subdomain}`,
        `spec.group: Invalid value: "X.dev": ${subdomain}`,
      ],
    ],
    [
      'an empty kind',
      definition({ names: { ...names, kind: '', listKind: '' } }),
      ['spec.names.kind: Required value', 'spec.names.listKind: Required value'],
    ],
    [
      'a plural in capitals',
      definition({ names: { ...names, plural: 'Things' } }, { name: 'Things.x.dev' }),
      [
        `metadata.name: Invalid value: "Things.x.dev": ${subdomain}`,
        `spec.names.plural: Invalid value: "Things": ${dns1035}`,
      ],
    ],
    [
      'a singular with a dot',
      definition({ names: { ...names, singular: 'th.ing' } }),
      [`spec.names.singular: Invalid value: "th.ing": ${dns1035}`],
    ],
    [
      'a kind with an asterisk',
      definition({ names: { ...names, kind: 'Thin*' } }),
      [`spec.names.kind: Invalid value: "Thin*": ${mixed}`],
    ],
    [
      'a list kind with an underscore',
      definition({ names: { ...names, listKind: 'Thing_List' } }),
      [`spec.names.listKind: Invalid value: "Thing_List": ${mixed}`],
    ],
    [
      'a list kind that is the kind',
      definition({ names: { ...names, listKind: 'Thing' } }),
      ['spec.names.listKind: Invalid value: "Thing": kind and listKind may not be the same'],
    ],
    [
      'bad short names and categories',
      definition({ names: { ...names, shortNames: ['ok', 'B'], categories: ['all', 'a.b'] } }),
      [
        `spec.names.shortNames[1]: Invalid value: "B": ${dns1035}`,
        `spec.names.categories[1]: Invalid value: "a.b": ${dns1035}`,
      ],
    ],
    ['no scope', definition({ scope: undefined }), ['spec.scope: Required value']],
    [
      'a scope nobody knows',
      definition({ scope: 'Global' }),
      ['spec.scope: Unsupported value: "Global": supported values: "Cluster", "Namespaced"'],
    ],
    [
      'everything kept',
      definition({ preserveUnknownFields: true }),
      [
        'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ],
    ],
    ['unknown fields not kept', definition({ preserveUnknownFields: false })],
  ],
  'protected groups': [
    [
      'no annotation',
      definition({ group: 'x.k8s.io' }, { name: 'things.x.k8s.io' }),
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
    [
      'an annotation that is none',
      definition(
        { group: 'x.kubernetes.io' },
        { name: 'things.x.kubernetes.io', annotations: { 'api-approved.kubernetes.io': 'yes' } },
      ),
      [
        'metadata.annotations[api-approved.kubernetes.io]: Invalid value: "yes": protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
    [
      'a reason',
      definition(
        { group: 'x.k8s.io' },
        { name: 'things.x.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' } },
      ),
    ],
    [
      'an address',
      definition(
        { group: 'x.k8s.io' },
        { name: 'things.x.k8s.io', annotations: { 'api-approved.kubernetes.io': 'https://github.com/x/1' } },
      ),
    ],
    ['a group that only ends alike', definition({ group: 'xk8s.io' }, { name: 'things.xk8s.io' })],
  ],
  versions: [
    [
      'none',
      definition({ versions: [] }),
      [
        'spec.versions: Invalid value: []: must have exactly one version marked as storage version',
        'status.storedVersions: Invalid value: []: must have at least one stored version',
      ],
    ],
    [
      'none that is stored',
      definition({ versions: [version('v1', { storage: false })] }),
      [
        'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
        'status.storedVersions: Invalid value: []: must have at least one stored version',
      ],
    ],
    [
      'two that are stored',
      definition({ versions: [version('v1'), version('v2', { storage: true })] }),
      [
        'spec.versions: Invalid value: ["v1","v2"]: must have exactly one version marked as storage version',
        'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2',
      ],
    ],
    [
      'one twice',
      definition({ versions: [version('v1'), version('v1', { storage: false })] }),
      ['spec.versions: Invalid value: ["v1","v1"]: must contain unique version names'],
    ],
    [
      'a name in capitals',
      definition({ versions: [version('V1', { storage: true })] }),
      [`spec.versions[0].name: Invalid value: "V1": ${dns1035}`, `spec.version: Invalid value: "V1": ${dns1035}`],
    ],
    ['one that is not served', definition({ versions: [version('v1', { served: false })] })],
    ['no schema', withVersion({ schema: undefined }), ['spec.versions[0].schema.openAPIV3Schema: Required value']],
    ['an empty validation', withVersion({ schema: {} }), ['spec.versions[0].schema.openAPIV3Schema: Required value']],
    [
      'no schema in one of two',
      definition({ versions: [version('v1'), version('v2', { schema: undefined })] }),
      ['spec.versions[1].schema.openAPIV3Schema: Required value'],
    ],
    [
      'a fault in one of two different schemas',
      definition({ versions: [version('v1'), version('v2', { schema: { openAPIV3Schema: field({}) } })] }),
      [
        'spec.versions[1].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
      ],
    ],
    [
      'a fault that two have alike',
      definition({
        versions: ['v1', 'v2'].map((name) => version(name, { schema: { openAPIV3Schema: field({}) } })),
      }),
      ['properties[a].type: Required value: must not be empty for specified object fields'],
    ],
    [
      'a warning of what is not deprecated',
      withVersion({ deprecationWarning: 'old' }),
      ['spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions'],
    ],
    ['a warning in any script', withVersion({ deprecated: true, deprecationWarning: 'Iñtërnâtiônàlizætiøn,💝🐹🌇⛔' })],
    ['a long warning', withVersion({ deprecated: true, deprecationWarning: 'x'.repeat(256) })],
    [
      'a warning too long',
      withVersion({ deprecated: true, deprecationWarning: 'x'.repeat(257) }),
      [`spec.versions[0].deprecationWarning: Invalid value: "${'x'.repeat(257)}": must be <= 256 characters long`],
    ],
    [
      'an empty warning',
      withVersion({ deprecated: true, deprecationWarning: '' }),
      ['spec.versions[0].deprecationWarning: Invalid value: "": must not be an empty string'],
    ],
    [
      'a warning of two lines',
      withVersion({ deprecated: true, deprecationWarning: 'Test message\nfoo' }),
      [
        'spec.versions[0].deprecationWarning: Invalid value: "Test message\\nfoo": must only contain printable UTF-8 characters; non-printable character found at index 12',
      ],
    ],
  ],
  columns: [
    ['sound', withColumn({ format: 'int32', type: 'integer', priority: 1 })],
    ['no name', withColumn({ name: '' }), ['spec.additionalPrinterColumns[0].name: Required value']],
    [
      'no type',
      withColumn({ type: '' }),
      ['spec.additionalPrinterColumns[0].type: Required value: must be one of boolean,date,integer,number,string'],
    ],
    [
      'a type nobody knows',
      withColumn({ type: 'object' }),
      [
        'spec.additionalPrinterColumns[0].type: Invalid value: "object": must be one of boolean,date,integer,number,string',
      ],
    ],
    [
      'a format nobody knows',
      withColumn({ format: 'iso' }),
      [
        'spec.additionalPrinterColumns[0].format: Invalid value: "iso": must be one of byte,date,date-time,double,float,int32,int64,password',
      ],
    ],
    ['no path', withColumn({ jsonPath: '' }), ['spec.additionalPrinterColumns[0].JSONPath: Required value']],
    [
      'a path without a dot',
      withColumn({ jsonPath: 'a' }),
      ['spec.additionalPrinterColumns[0].JSONPath: Invalid value: "a": must be a simple json path starting with .'],
    ],
    ['a wild path', withColumn({ jsonPath: '..a[?(@.b)][-1:10000000]' })],
    [
      'different ones, one of them bad',
      definition({
        versions: [
          version('v1'),
          version('v2', { additionalPrinterColumns: [{ name: 'A', type: 'x', jsonPath: '.a' }] }),
        ],
      }),
      [
        'spec.versions[1].additionalPrinterColumns[0].type: Invalid value: "x": must be one of boolean,date,integer,number,string',
      ],
    ],
  ],
  subresources: [
    ['a sound scale', withScale({ labelSelectorPath: '.status.selector' })],
    ['a scale with a list in its path', withScale({ specReplicasPath: '.spec.counts[0]' })],
    ['empty paths', withScale({ specReplicasPath: '' }), ['spec.subresources.scale.specReplicasPath: Required value']],
    [
      'a path outside the spec',
      withScale({ specReplicasPath: '.replicas' }),
      ['spec.subresources.scale.specReplicasPath: Invalid value: ".replicas": should be a json path under .spec'],
    ],
    [
      'a path to the spec itself',
      withScale({ specReplicasPath: '.spec' }),
      ['spec.subresources.scale.specReplicasPath: Invalid value: ".spec": should be a json path under .spec'],
    ],
    [
      'a path without a dot',
      withScale({ statusReplicasPath: 'status.replicas' }),
      [
        'spec.subresources.scale.statusReplicasPath: Invalid value: "status.replicas": must be a simple json path starting with .',
      ],
    ],
    [
      'a path outside the status',
      withScale({ statusReplicasPath: '.spec.replicas' }),
      [
        'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.replicas": should be a json path under .status',
      ],
    ],
    ['a selector in the spec', withScale({ labelSelectorPath: '.spec.selector' })],
    [
      'a selector elsewhere',
      withScale({ labelSelectorPath: '.metadata.labels' }),
      [
        'spec.subresources.scale.labelSelectorPath: Invalid value: ".metadata.labels": should be a json path under either .spec or .status',
      ],
    ],
    [
      'a status beside a minimum of fields',
      withSchema(object({}, { minProperties: 1 }), { subresources: { status: {} } }),
      [
        `${base}: Invalid value: ["minProperties"]: only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled`,
      ],
    ],
    [
      'a status beside what may be there',
      withSchema(object({ spec: text }, { description: 'd', required: ['spec'], ...preserve }), {
        subresources: { status: {} },
      }),
    ],
    [
      'a status of a root that is a text',
      withSchema(text, { subresources: { status: {} } }),
      [
        'type: Invalid value: "string": only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
        'type: Invalid value: "string": must be object at the root',
      ],
    ],
  ],
  'selectable fields': [
    [
      'sound',
      selecting(['.a', '.b.c', '.d'], { a: text, b: object({ c: { type: 'integer' } }), d: { type: 'boolean' } }),
    ],
    [
      'texts of a format and of an enum',
      selecting(['.a', '.b'], { a: { ...text, format: 'uuid' }, b: { ...text, enum: ['x'] } }),
    ],
    [
      'a path to nothing',
      selecting(['.nothing'], { a: text }),
      [
        'spec.selectableFields[0].jsonPath: Invalid value: ".nothing": is an invalid path: does not refer to a valid field',
      ],
    ],
    [
      'a path into a list',
      selecting(['.a[0]'], { a: list(text) }),
      ['spec.selectableFields[0].jsonPath: Invalid value: ".a[0]": is an invalid path: array notation is not allowed'],
    ],
    [
      'a path without a dot',
      selecting(['a'], { a: text }),
      ['spec.selectableFields[0].jsonPath: Invalid value: "a": is an invalid path: expected [ or . but got: a'],
    ],
    [
      'a path that ends with a dot',
      selecting(['.a.'], { a: object({ b: text }) }),
      ['spec.selectableFields[0].jsonPath: Invalid value: ".a.": is an invalid path: unexpected end of JSON path'],
    ],
    [
      'two dots',
      selecting(['.a..b'], { a: object({ b: text }) }),
      [
        'spec.selectableFields[0].jsonPath: Invalid value: ".a..b": is an invalid path: does not refer to a valid field',
      ],
    ],
    ['no path', selecting([''], { a: text }), ['spec.selectableFields[0].jsonPath: Required value']],
    ...['object', 'array', 'number'].map(
      (type): Row => [
        `a field of type ${type}`,
        selecting(['.a'], { a: { type, ...(type === 'array' && { items: text }) } }),
        [
          'spec.selectableFields[0].jsonPath: Invalid value: ".a": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ],
      ],
    ),
    [
      'the name',
      selecting(['.metadata.name'], { metadata: object({ name: text }) }),
      ['spec.selectableFields[0].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata'],
    ],
    ['one twice', selecting(['.a', '.a'], { a: text }), ['spec.selectableFields[1].jsonPath: Duplicate value: ".a"']],
    [
      'nine',
      selecting(
        [...'abcdefghi'].map((name) => `.${name}`),
        Object.fromEntries([...'abcdefghi'].map((name) => [name, text])),
      ),
      ['spec.selectableFields: Too many: 9: must have at most 8 items'],
    ],
    ['the key of a map', selecting(['.a.b'], { a: anyText })],
    [
      'what objects inherit',
      selecting(['.constructor', '.a.__proto__'], { a: object() }),
      [
        'spec.selectableFields[0].jsonPath: Invalid value: ".constructor": is an invalid path: does not refer to a valid field',
        'spec.selectableFields[1].jsonPath: Invalid value: ".a.__proto__": is an invalid path: does not refer to a valid field',
      ],
    ],
  ],
  conversion: [
    ['none', withConversion(undefined, 'None')],
    [
      'a strategy nobody knows',
      withConversion(undefined, 'Magic'),
      ['spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"'],
    ],
    [
      'a webhook nobody asked for',
      withConversion({ clientConfig: { url: 'https://x' }, conversionReviewVersions: ['v1'] }, 'None'),
      [
        'spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook',
        'spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook',
      ],
    ],
    [
      'no webhook',
      withConversion({ conversionReviewVersions: ['v1'] }),
      ['spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook'],
    ],
    ['a sound service', withService({ port: 8443, path: '/convert/it' })],
    ['a sound address', withClient({ url: 'https://x.dev/convert' })],
    [
      'both an address and a service',
      withClient({ url: 'https://x.dev', service: { name: 'n', namespace: 'ns' } }),
      ['spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required'],
    ],
    [
      'neither',
      withClient({}),
      ['spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required'],
    ],
    ...[0, 65536].map(
      (port): Row => [
        `port ${port}`,
        withService({ port }),
        [
          `spec.conversion.webhookClientConfig.service.port: Invalid value: ${port}: port is not valid: must be between 1 and 65535, inclusive`,
        ],
      ],
    ),
    [
      'a path without a slash',
      withService({ path: 'convert' }),
      [`spec.conversion.webhookClientConfig.service.path: Invalid value: "convert": must start with a '/'`],
    ],
    [
      'an empty step in the path',
      withService({ path: '/a//b' }),
      ['spec.conversion.webhookClientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty'],
    ],
    [
      'an address without encryption',
      withClient({ url: 'http://x.dev' }),
      [
        `spec.conversion.webhookClientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      ],
    ],
    [
      'an address with a user, a query and a fragment',
      withClient({ url: 'https://me@x.dev?a=b#c' }),
      [
        'spec.conversion.webhookClientConfig.url: Invalid value: "me": user information is not permitted in the URL',
        'spec.conversion.webhookClientConfig.url: Invalid value: "c": fragments are not permitted in the URL',
        'spec.conversion.webhookClientConfig.url: Invalid value: "a=b": query parameters are not permitted in the URL',
      ],
    ],
    [
      'no version of reviews',
      withClient({ url: 'https://x.dev' }, []),
      ['spec.conversion.conversionReviewVersions: Required value'],
    ],
    [
      'versions of reviews nobody speaks',
      withClient({ url: 'https://x.dev' }, ['v0', 'v2']),
      [
        'spec.conversion.conversionReviewVersions: Invalid value: ["v0","v2"]: must include at least one of v1, v1beta1',
      ],
    ],
    ['one somebody speaks', withClient({ url: 'https://x.dev' }, ['v0', 'v1beta1'])],
    [
      'one twice',
      withClient({ url: 'https://x.dev' }, ['v1', 'v1']),
      ['spec.conversion.conversionReviewVersions[1]: Invalid value: "v1": duplicate version'],
    ],
    [
      'one that is none',
      withClient({ url: 'https://x.dev' }, ['v1', '0v']),
      [`spec.conversion.conversionReviewVersions[1]: Invalid value: "0v": ${dns1035}`],
    ],
  ],
  structure: [
    ['no type at the root', withSchema({}), ['type: Required value: must not be empty at the root']],
    ['a list at the root', withSchema(list(text)), ['type: Invalid value: "array": must be object at the root']],
    [
      'nothing at the root',
      withSchema({ type: 'null' }),
      [
        'type: Invalid value: "null": must be object at the root',
        `type: Unsupported value: "null": ${types}`,
        'type: Forbidden: type cannot be set to null, use nullable as an alternative',
      ],
    ],
    [
      'a type nobody knows',
      withSchema(field({ type: 'bogus' })),
      [`properties[a].type: Unsupported value: "bogus": ${types}`],
    ],
    [
      'null at the root',
      withSchema(object({}, { nullable: true })),
      ['nullable: Forbidden: nullable cannot be true at the root'],
    ],
    ['null inside', withSchema(field({ ...text, nullable: true }))],
    [
      'an item without type',
      withSchema(field(list({}))),
      ['properties[a].items.type: Required value: must not be empty for specified array items'],
    ],
    [
      'a list without items',
      withSchema(field({ type: 'array' })),
      ['properties[a].items: Required value: must be specified'],
    ],
    [
      'values of a map without type',
      withSchema(field({ type: 'object', additionalProperties: {} })),
      ['properties[a].additionalProperties.type: Required value: must not be empty for specified object fields'],
    ],
    ['open values without type', withSchema(field(preserve))],
    ['an integer or a text without type', withSchema(field(intOrString))],
    [
      'a map at the root',
      withSchema({ type: 'object', additionalProperties: text }),
      ['additionalProperties: Forbidden: must not be used at the root'],
    ],
    [
      'fields beside a map',
      withSchema(field(object({ b: text }, { additionalProperties: text }))),
      ['properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive'],
    ],
    [
      'fields and no others',
      withSchema(field(object({ b: text }, { additionalProperties: false }))),
      ['properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive'],
    ],
    ['fields and any others', withSchema(field(object({ b: text }, { additionalProperties: true })))],
    ['no fields at all', withSchema(field({ type: 'object', additionalProperties: false }))],
    [
      'unknown fields kept: false',
      withSchema(field({ type: 'object', 'x-kubernetes-preserve-unknown-fields': false })),
      ['properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined'],
    ],
    [
      'an integer or text that is a resource',
      withSchema(field(embedded({ x: text }, intOrString))),
      [
        'properties[a].x-kubernetes-embedded-resource: Invalid value: true: must be false if x-kubernetes-int-or-string is true',
      ],
    ],
    [
      'unique items',
      withSchema(field(list(text, { uniqueItems: true }))),
      [
        'properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ],
    ],
    ...['id', '$ref'].map(
      (keyword): Row => [
        keyword,
        withSchema(field({ ...text, [keyword]: '#/x' })),
        [`properties[a].${keyword}: Forbidden: ${keyword} is not supported`],
      ],
    ),
    ...['patternProperties', 'definitions', 'dependencies'].map(
      (keyword): Row => [
        keyword,
        withSchema(field(object({}, { [keyword]: { x: text } }))),
        [`properties[a].${keyword}: Forbidden: ${keyword} is not supported`],
      ],
    ),
    [
      'additionalItems',
      withSchema(field(list(text, { additionalItems: text }))),
      ['properties[a].additionalItems: Forbidden: additionalItems is not supported'],
    ],
    [
      'a schema for each item',
      withSchema(field({ type: 'array', items: [text, text] })),
      ['properties[a].items: Forbidden: items must be a schema object and not an array'],
    ],
    [
      'a pattern that is none',
      withSchema(field({ ...text, pattern: '([a-z]' })),
      [
        'properties[a].pattern: Invalid value: "([a-z]": must be a valid regular expression, but isn\'t: error parsing regexp: missing closing ): `([a-z]`',
      ],
    ],
    [
      'a pattern that looks ahead',
      withSchema(field({ ...text, anyOf: [{ pattern: '(?!a)b' }] })),
      [
        'properties[a].anyOf[0].pattern: Invalid value: "(?!a)b": must be a valid regular expression, but isn\'t: error parsing regexp: invalid or unsupported Perl syntax: `(?!`',
      ],
    ],
  ],
  junctors: [
    ['values', withSchema(field({ ...text, anyOf: [{ pattern: 'a' }, { enum: ['b'] }], not: { maxLength: 1 } }))],
    ...(
      [
        ['type', 'string', 'empty'],
        ['title', 't', 'empty'],
        ['description', 'd', 'empty'],
        ['default', 'x', 'undefined'],
        ['nullable', true, 'false'],
        ['additionalProperties', true, 'undefined'],
        ['x-kubernetes-preserve-unknown-fields', true, 'false'],
        ['x-kubernetes-embedded-resource', true, 'false'],
        ['x-kubernetes-int-or-string', true, 'false'],
      ] as const
    ).map(
      ([keyword, value, what]): Row => [
        `${keyword} under one`,
        withSchema(field({ ...text, oneOf: [{ [keyword]: value }] })),
        [`properties[a].oneOf[0].${keyword}: ${structural(what)}`],
      ],
    ),
    [
      'defaults under each',
      withSchema(
        field({
          type: 'number',
          not: { default: 42 },
          anyOf: [{ default: 42 }],
          allOf: [{ default: 42 }],
          oneOf: [{ default: 42 }],
        }),
      ),
      ['allOf[0]', 'anyOf[0]', 'not', 'oneOf[0]'].map(
        (at) => `properties[a].${at}.default: ${structural('undefined')}`,
      ),
    ],
    [
      'rules under one',
      withSchema(field({ ...text, allOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }] })),
      [`properties[a].allOf[0].x-kubernetes-validations: ${structural('empty')}`],
    ],
    [
      'a list of a type under one',
      withSchema(field(list(text, { not: { 'x-kubernetes-list-type': 'set' } }))),
      [
        `properties[a].not.x-kubernetes-list-type: ${structural('undefined')}`,
        'properties[a].not.type: Required value: must be array if x-kubernetes-list-type is specified',
      ],
    ],
    ['no others under one', withSchema(field({ ...text, not: { additionalProperties: false } }))],
    [
      'metadata under one',
      withSchema(object({ metadata: { type: 'object' } }, { allOf: [{ properties: { metadata: {} } }] })),
      ['allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context'],
    ],
    [
      'a field only one knows',
      withSchema(object({}, { anyOf: [{ properties: { b: { minimum: 1 } } }] })),
      [`properties[b]: Required value: because it is defined in ${base}.anyOf[0].properties[b]`],
    ],
    [
      'a list only one knows',
      withSchema(object({ a: { type: 'object' } }, { not: { properties: { a: { items: {} } } } })),
      [`properties[a].items: Required value: because it is defined in ${base}.not.properties[a].items`],
    ],
    ['an integer or a text, spelled out', withSchema(field({ ...intOrString, anyOf: [{ type: 'integer' }, text] }))],
    [
      'an integer or a text, spelled out among others',
      withSchema(field({ ...intOrString, allOf: [{ anyOf: [{ type: 'integer' }, text] }, { pattern: 'a' }] })),
    ],
    [
      'an integer or a text, spelled out elsewhere',
      withSchema(field({ ...intOrString, allOf: [{ pattern: 'a' }, { anyOf: [{ type: 'integer' }, text] }] })),
      [
        `properties[a].allOf[1].anyOf[0].type: ${structural('empty')}`,
        `properties[a].allOf[1].anyOf[1].type: ${structural('empty')}`,
      ],
    ],
    [
      'an integer or a text, the other way round',
      withSchema(field({ ...intOrString, anyOf: [text, { type: 'integer' }] })),
      [0, 1].map((at) => `properties[a].anyOf[${at}].type: ${structural('empty')}`),
    ],
  ],
  resources: [
    [
      'narrower names',
      withSchema(object({ metadata: object({ name: { ...text, pattern: 'a' }, generateName: text }) })),
    ],
    ...(
      [
        ['a description', { description: 'd' }],
        ['a minimum of fields', { minProperties: 1 }],
        ['required fields', { required: ['name'] }],
        ['labels', { properties: { labels: anyText } }],
      ] as const
    ).map(
      ([what, more]): Row => [
        `metadata with ${what}`,
        withSchema(object({ metadata: { type: 'object', ...more } })),
        [
          'properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
        ],
      ],
    ),
    [
      'numbers for what they are',
      withSchema(object({ apiVersion: { type: 'number' }, kind: { type: 'number' }, metadata: { type: 'number' } })),
      [
        'properties[apiVersion].type: Invalid value: "number": must be string',
        'properties[kind].type: Invalid value: "number": must be string',
        'properties[metadata].type: Invalid value: "number": must be object',
      ],
    ],
    [
      'numbers for what one inside is',
      withSchema(field(embedded({ apiVersion: { type: 'number' }, metadata: { type: 'number' } }))),
      [
        'properties[a].properties[apiVersion].type: Invalid value: "number": must be string',
        'properties[a].properties[metadata].type: Invalid value: "number": must be object',
      ],
    ],
    [
      'numbers inside what is none',
      withSchema(field(object({ kind: { type: 'number' }, metadata: { type: 'number' } }))),
    ],
    [
      'more of metadata inside',
      withSchema(field(embedded({ metadata: object({ generation: { type: 'integer', minimum: 42 } }) }))),
    ],
    [
      'one of nothing',
      withSchema(field({ type: 'object', 'x-kubernetes-embedded-resource': true })),
      [
        'properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ],
    ],
    ['one of anything', withSchema(field({ type: 'object', 'x-kubernetes-embedded-resource': true, ...preserve }))],
    [
      'one without type',
      withSchema(field({ 'x-kubernetes-embedded-resource': true, ...preserve })),
      ['properties[a].type: Required value: must be object if x-kubernetes-embedded-resource is true'],
    ],
    [
      'one that is a text',
      withSchema(field({ ...text, 'x-kubernetes-embedded-resource': true, ...preserve })),
      ['properties[a].type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true'],
    ],
    [
      'one that is a map',
      withSchema(field({ ...anyText, 'x-kubernetes-embedded-resource': true, ...preserve })),
      ['properties[a].additionalProperties: Forbidden: must not be used if x-kubernetes-embedded-resource is set'],
    ],
    [
      'one within metadata',
      withSchema(field(embedded({ metadata: object({ x: embedded() }) }))),
      [
        'properties[a].properties[metadata].properties[x].x-kubernetes-embedded-resource: Forbidden: must not be used inside of resource meta',
      ],
    ],
  ],
  'lists and maps': [
    ...(
      [
        ['object', 'Invalid value: "object"'],
        [undefined, 'Required value'],
      ] as const
    ).map(
      ([type, what]): Row => [
        `a list type on ${type}`,
        withSchema(field({ ...preserve, ...(type && { type }), 'x-kubernetes-list-type': 'set' })),
        [`properties[a].type: ${what}: must be array if x-kubernetes-list-type is specified`],
      ],
    ),
    [
      'a list type nobody knows',
      withSchema(field(list(text, { 'x-kubernetes-list-type': 'bag' }))),
      ['properties[a].x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "map", "set"'],
    ],
    [
      'keys of a set',
      withSchema(field(list(text, { 'x-kubernetes-list-type': 'set', 'x-kubernetes-list-map-keys': ['a'] }))),
      [
        'properties[a].x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty',
      ],
    ],
    [
      'keys of a plain list',
      withSchema(field(list(text, { 'x-kubernetes-list-map-keys': ['a'] }))),
      ['properties[a].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty'],
    ],
    [
      'no keys',
      withSchema(field(keyed(object({ key: text }, { required: ['key'] }), []))),
      ['properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map'],
    ],
    [
      'a keyed list of nothing',
      withSchema(field(keyed(undefined as never))),
      [
        'properties[a].items: Required value: must be specified',
        'properties[a].items: Required value: must have a schema if x-kubernetes-list-type is map',
      ],
    ],
    [
      'a keyed list of texts',
      withSchema(field(keyed(text))),
      [
        `properties[a].items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map`,
      ],
    ],
    [
      'a key that is no field',
      withSchema(field(keyed(object()))),
      [
        'properties[a].x-kubernetes-list-map-keys: Invalid value: ["key"]: entries must all be names of item properties',
      ],
    ],
    [
      'a key that objects inherit',
      withSchema(field(keyed(object({}), ['constructor']))),
      [
        'properties[a].x-kubernetes-list-map-keys: Invalid value: ["constructor"]: entries must all be names of item properties',
      ],
    ],
    [
      'a key that is an object',
      withSchema(field(keyed(object({ key: { type: 'object' } }, { required: ['key'] })))),
      [
        `properties[a].items.properties[key].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
      ],
    ],
    [
      'a key twice',
      withSchema(field(keyed(object({ key: text }, { required: ['key'] }), ['key', 'key']))),
      ['properties[a].x-kubernetes-list-map-keys: Invalid value: ["key","key"]: must not contain duplicate entries'],
    ],
    [
      'a key that may be absent',
      withSchema(field(keyed(object({ key: text })))),
      [
        'properties[a].items.properties[key].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
      ],
    ],
    ['a key with a default', withSchema(field(keyed(object({ key: { ...text, default: 'x' } }))))],
    [
      'a key that may be null',
      withSchema(field(keyed(object({ key: { ...text, nullable: true } }, { required: ['key'] })))),
      [
        'properties[a].items.properties[key].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be nullable',
      ],
    ],
    ...(['map', 'set'] as const).map(
      (type): Row => [
        `items of a ${type} that may be null`,
        withSchema(
          field(
            type === 'set'
              ? set({ ...text, nullable: true })
              : keyed(object({ key: text }, { required: ['key'], nullable: true })),
          ),
        ),
        [`properties[a].items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is ${type}`],
      ],
    ),
    ['a set of texts', withSchema(field(set(text)))],
    ['a set of atomic maps', withSchema(field(set(object({}, { 'x-kubernetes-map-type': 'atomic' }))))],
    ...['granular', undefined].map(
      (mapType): Row => [
        `a set of ${mapType} maps`,
        withSchema(field(set(object({}, mapType ? { 'x-kubernetes-map-type': mapType } : {})))),
        [
          'properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
        ],
      ],
    ),
    ['a set of plain lists', withSchema(field(set(list(text))))],
    [
      'a set of sets',
      withSchema(field(set(set(text)))),
      [
        'properties[a].items.x-kubernetes-list-type: Invalid value: "set": must be atomic as item of a list with x-kubernetes-list-type=set',
      ],
    ],
    ...(
      [
        ['string', 'Invalid value: "string"'],
        [undefined, 'Required value'],
      ] as const
    ).map(
      ([type, what]): Row => [
        `a map type on ${type}`,
        withSchema(field({ ...preserve, ...(type && { type }), 'x-kubernetes-map-type': 'granular' })),
        [`properties[a].type: ${what}: must be object if x-kubernetes-map-type is specified`],
      ],
    ),
    [
      'a map type nobody knows',
      withSchema(field({ type: 'object', 'x-kubernetes-map-type': 'badMapType' })),
      ['properties[a].x-kubernetes-map-type: Unsupported value: "badMapType": supported values: "atomic", "granular"'],
    ],
    ['a granular map', withSchema(field({ type: 'object', 'x-kubernetes-map-type': 'granular' }))],
  ],
  defaults: [
    ['a number', withSchema(field({ type: 'number', default: 42 }))],
    ['null, which is none', withSchema(field({ ...text, default: null }))],
    [
      'a field nobody knows',
      withSchema(field(object({ foo: text }, { default: { foo: 'abc', bar: 42 } }))),
      ['properties[a].default: Invalid value: {"foo":"abc","bar":42}: must not have unknown fields'],
    ],
    [
      'another type',
      withSchema(field(object({ foo: text }, { default: { foo: 42 } }))),
      [
        'properties[a].default.foo: Invalid value: "integer": properties[a].default.foo in body must be of type string: "integer"',
      ].map((line) => line.replace(': properties[a]', `: ${base}.properties[a]`)),
    ],
    [
      'a text off its pattern',
      withSchema(
        field(
          object(
            { good: { ...text, pattern: 'a' }, bad: { ...text, pattern: 'b' } },
            { default: { good: 'a', bad: 'a' } },
          ),
        ),
      ),
      [`properties[a].default.bad: Invalid value: "a": ${base}.properties[a].default.bad in body should match 'b'`],
    ],
    [
      'unknown fields of fields of what keeps them',
      withSchema(field(object({ b: object({}, { default: { x: 1 } }) }, preserve))),
      ['properties[a].properties[b].default: Invalid value: {"x":1}: must not have unknown fields'],
    ],
    ...(['metadata', 'kind', 'apiVersion'] as const).map(
      (name): Row => [
        `at the top, of ${name}`,
        withSchema(object({ [name]: name === 'metadata' ? object({}, { default: {} }) : { ...text, default: 'v1' } })),
        [`properties[${name}].default: Forbidden: must not be set in top-level ${name}`],
      ],
    ),
    [
      'at the top, within metadata',
      withSchema(object({ metadata: object({ name: { ...text, default: 'foo' } }) })),
      ['properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata'],
    ],
    [
      'inside a map within metadata',
      withSchema(
        field(
          embedded({
            metadata: object({ annotations: { type: 'object', additionalProperties: { ...text, default: 'abc' } } }),
          }),
        ),
      ),
      [
        'properties[a].properties[metadata].properties[annotations].additionalProperties.default: Forbidden: must not be set inside additionalProperties applying to object metadata',
      ],
    ],
    ['inside a map elsewhere', withSchema(field({ type: 'object', additionalProperties: { ...text, default: 1 } }))],
    [
      'of a resource, with metadata nobody knows',
      withSchema(
        field(
          embedded({ x: text }, { default: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'foo', unknown: 42 } } }),
        ),
      ),
    ],
    [
      'of a resource, with a field nobody knows',
      withSchema(field(embedded({ x: text }, { default: { apiVersion: 'v1', kind: 'Pod', unknown: 42 } }))),
      [
        'properties[a].default: Invalid value: {"apiVersion":"v1","kind":"Pod","unknown":42}: must not have unknown fields',
      ],
    ],
    [
      'of a resource that does not say what it is',
      withSchema(field(embedded({ x: text }, { default: { metadata: { name: 'bar' } } }))),
      ['properties[a].default.apiVersion: Required value', 'properties[a].default.kind: Required value'],
    ],
    [
      'of a resource around another',
      withSchema(
        field(
          object(
            { in: embedded() },
            { default: { in: { apiVersion: 'v1', kind: '%', metadata: { labels: { bar: 'x y' } } } } },
          ),
        ),
      ),
      [
        `properties[a].default.in.kind: Invalid value: "%": ${mixed}`,
        "properties[a].default.in.metadata.labels: Invalid value: \"x y\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
    ],
    [
      'of a resource, with a name that is a number',
      withSchema(field(embedded({ x: text }, { default: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 42 } } }))),
      [
        'properties[a].default.metadata: Invalid value: {"name":42}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
      ],
    ],
    [
      'of what a resource is',
      withSchema(
        field(
          embedded({
            kind: { ...text, default: 'Pod' },
            apiVersion: { ...text, default: 'v1' },
            metadata: object({ name: { ...text, default: 'foo' } }),
          }),
        ),
      ),
    ],
    [
      'of what a resource is, unsound',
      withSchema(field(embedded({ kind: { ...text, default: '%' } }))),
      [
        `properties[a].properties[kind].default: Invalid value: "%": must result in valid metadata: kind: Invalid value: "%": ${mixed}`,
      ],
    ],
    [
      'of the name of a resource, a number',
      withSchema(field(embedded({ metadata: object({ name: { ...text, default: 42 } }) }))),
      [
        'properties[a].properties[metadata].properties[name].default: Invalid value: 42: must result in valid metadata: metadata: Invalid value: {"name":42}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
      ],
    ],
    [
      'of metadata, against the schema',
      withSchema(field(embedded({ metadata: object({ name: { ...text, enum: ['x'] } }, { default: { name: 'y' } }) }))),
      ['properties[a].properties[metadata].default.name: Unsupported value: "y": supported values: "x"'],
    ],
  ],
}

for (const [subject, some] of Object.entries(rows)) {
  describe(subject, () => {
    test.each(some)('%s', async (_what, crd, faults = []) => expect(await faultsOf(crd)).toEqual(faults))
  })
}

test('there are as many as it takes', () => {
  expect(Object.values(rows).flat().length).toBeGreaterThanOrEqual(150)
})
