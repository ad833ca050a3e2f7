import { type HostileRow, jsonPatch, mergePatch, row } from './rows.ts'

/** Custom resources their schema does not allow, and definitions that define nothing. */

const post = (body: unknown) => ({ method: 'POST', path: '{widgets}?dryRun=All', body })
const patch = (headers: Record<string, string>, body: unknown) => ({
  method: 'PATCH',
  path: '{widgets}/standing',
  headers,
  body,
})
const one = (spec: unknown) => ({ metadata: { name: 'one' }, spec })

const badSpecs: [string, unknown][] = [
  ['no size', {}],
  ['text for size', { size: 'large' }],
  ['a fraction', { size: 1.5 }],
  ['too small', { size: 0 }],
  ['too large', { size: 101 }],
  ['a list for the spec', []],
  ['text for the spec', 'a'],
  ['a colour nobody knows', { size: 1, colour: 'pink' }],
  ['a colour named constructor', { size: 1, colour: 'constructor' }],
]
const badMetadata: [string, unknown][] = [
  ['text', 'a'],
  ['a number for the name', { name: 1 }],
  ['text for labels', { name: 'one', labels: 'a' }],
  ['a number for a label', { name: 'one', labels: { a: 1 } }],
  ['text for finalizers', { name: 'one', finalizers: 'a' }],
  ['numbers for owners', { name: 'one', ownerReferences: [1] }],
  ['text for a time', { name: 'one', deletionTimestamp: 'soon' }],
]

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All'
const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }
const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }
const definition = (spec: object, name = 'things.hostile.example.com') => ({
  method: 'POST',
  path: crds,
  body: {
    metadata: { name },
    spec: { group: 'hostile.example.com', scope: 'Namespaced', names, versions: [version], ...spec },
  },
})
const schema = (openAPIV3Schema: unknown) => definition({ versions: [{ ...version, schema: { openAPIV3Schema } }] })

const badDefinitions: [string, ReturnType<typeof definition>][] = [
  ['another name', definition({}, 'other.hostile.example.com')],
  ['no versions', definition({ versions: [] })],
  ['two stored versions', definition({ versions: [version, { ...version, name: 'v2' }] })],
  ['no stored version', definition({ versions: [{ ...version, storage: false }] })],
  ['the same version twice', definition({ versions: [version, { ...version, storage: false }] })],
  ['a version that is none', definition({ versions: [{ ...version, name: 'One' }] })],
  ['no schema', definition({ versions: [{ ...version, schema: undefined }] })],
  ['a scope nobody knows', definition({ scope: 'Global' })],
  ['a plural in capitals', definition({ names: { ...names, plural: 'Things' } })],
  ['a schema that is no object', schema({ type: 'string' })],
  ['a schema of a type nobody knows', schema({ type: 'object', properties: { a: { type: 'constructor' } } })],
  ['a property without type', schema({ type: 'object', properties: { a: {} } })],
  ['a pattern that is none', schema({ type: 'object', properties: { a: { type: 'string', pattern: '(' } } })],
  ['an array without items', schema({ type: 'object', properties: { a: { type: 'array' } } })],
]

export const rows: HostileRow[] = [
  ...badSpecs.map(([what, spec]) => row(`a custom resource with ${what}`, post(one(spec)), 422)),
  ...badMetadata.map(([what, metadata]) =>
    row(`a custom resource whose metadata is ${what}`, post({ metadata, spec: { size: 1 } }), 400),
  ),
  row('a number beyond all bounds', post('{"metadata":{"name":"one"},"spec":{"size":1e400}}'), 400),
  row('another kind', post({ ...one({ size: 1 }), kind: 'Gadget' }), 400),
  row(
    'a replacement without state',
    { method: 'PUT', path: '{widgets}/standing', body: { metadata: { name: 'standing' }, spec: { size: 1 } } },
    422,
    'must be specified for an update',
  ),
  row(
    'an unknown field, strictly',
    { method: 'POST', path: '{widgets}?fieldValidation=Strict', body: one({ size: 1, sise: 2 }) },
    400,
    'strict decoding error: unknown field "spec.sise"',
  ),
  row(
    'a field that comes twice, strictly',
    {
      method: 'POST',
      path: '{widgets}?fieldValidation=Strict',
      body: '{"metadata":{"name":"one"},"spec":{"size":1,"size":2}}',
    },
    400,
    'strict decoding error: duplicate field "spec.size"',
  ),
  row('a merge patch against the schema', patch(mergePatch, { spec: { size: 'large' } }), 422),
  row('a merge patch of everything to nothing', patch(mergePatch, { spec: null, metadata: null }), 422),
  row('a JSON patch against the schema', patch(jsonPatch, [{ op: 'replace', path: '/spec/size', value: 1000 }]), 422),
  row('a JSON patch of __proto__', patch(jsonPatch, [{ op: 'add', path: '/spec/__proto__/size', value: 1 }]), 422),
  ...badDefinitions.map(([what, request]) => row(`a definition with ${what}`, request, 422)),
]
