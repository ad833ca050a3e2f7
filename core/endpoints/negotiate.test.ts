import { expect, test } from 'vitest'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { negotiate, negotiateEncoding } from './negotiate.ts'

const exchange = (accept: string | undefined) => ({ header: () => accept }) as unknown as Exchange
const servedAs = (apiVersion: string, kind: string, builtin: boolean) =>
  ({ apiVersion, resource: { definition: { kind, builtin } } }) as unknown as ServedVersion
const pods = servedAs('v1', 'Pod', true)
const custom = servedAs('apps/v1', 'Deployment', false)
const plugins = servedAs('keelson.dev/v1', 'Plugin', true)
const asking = (accept: string | undefined, served = pods) => ({ exchange: exchange(accept), served })

const json = { format: 'json', metaVersion: 'v1' }
const protobuf = { format: 'protobuf', metaVersion: 'v1' }
const type = 'application/vnd.kubernetes.protobuf'
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'

test.each([
  { accept: undefined, want: json },
  { accept: '', want: json },
  { accept: '*/*', want: json },
  { accept: 'application/*', want: json },
  { accept: 'application/json', want: json },
  { accept: 'Application/JSON', want: json },
  { accept: 'application/json;stream=watch', want: json },
  { accept: 'application/json; q=0.5, text/html', want: json },
  { accept: 'text/html;q=0.9, */*;q=0.1', want: json },
  { accept: '*/*, application/yaml', want: { format: 'yaml', metaVersion: 'v1' } },
  { accept: 'application/json;q=0.5, application/yaml', want: { format: 'yaml', metaVersion: 'v1' } },
  { accept: 'application/yaml;stream=watch, application/json;stream=watch', want: json },
  { accept: type, want: protobuf },
  { accept: `${type}, application/json`, want: protobuf },
  { accept: `${type};stream=watch`, want: protobuf },
  { accept: `application/json, ${type}`, want: json },
  { accept: table.replace('application/json', type).concat(',application/json'), want: json },
  {
    accept: `${type};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`,
    want: { ...protobuf, as: 'PartialObjectMetadata' },
  },
  { accept: 'application/yaml', want: { format: 'yaml', metaVersion: 'v1' } },
  { accept: table, want: { ...json, as: 'Table' } },
  { accept: table.replace('v1', 'v1beta1'), want: { format: 'json', metaVersion: 'v1beta1', as: 'Table' } },
  { accept: `${table},application/json`, want: { ...json, as: 'Table' } },
  { accept: 'application/json; as=Table; v=v1; g=meta.k8s.io', want: { ...json, as: 'Table' } },
  { accept: 'application/json;as=Table;v=v2;g=meta.k8s.io,application/json', want: json },
  {
    accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    want: { ...json, as: 'PartialObjectMetadata' },
  },
  {
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    want: { ...json, as: 'PartialObjectMetadata' },
  },
  {
    accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.keelson.dev',
    want: { ...json, as: 'PartialObjectMetadata', isPlain: true },
  },
  { accept: `${table.replace('meta.k8s.io', 'meta.keelson.dev')},application/json`, want: json },
  { accept: `${type};as=PartialObjectMetadata;v=v1;g=meta.keelson.dev,application/json`, want: json },
])('Accept: $accept is answered with $want', ({ accept, want }) => expect(negotiate(asking(accept))).toEqual(want))

const refusal =
  'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf'

test.each([
  'text/html',
  'application/cbor',
  'application/json;as=Chair;v=v1;g=meta.k8s.io',
  `${type};as=Table;v=v1;g=meta.k8s.io`,
  'application/json;stream=film',
  ';',
  ',',
])('Accept: %s is refused', (accept) => expect(() => negotiate(asking(accept))).toThrow(refusal))

const metadata = `${type};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`

test.each([
  { name: 'a custom resource', served: custom },
  { name: 'a kind of this server’s own', served: plugins },
])('objects of $name have no protobuf form, and their metadata has one', ({ served }) => {
  expect(negotiate(asking(`${type}, application/json`, served))).toEqual(json)
  expect(() => negotiate(asking(type, served))).toThrow(refusal)
  expect(negotiate(asking(metadata, served))).toEqual({ ...protobuf, as: 'PartialObjectMetadata' })
  expect(negotiate(asking(type, served), 'own')).toEqual(protobuf)
})

test('what is no object of the resource has one shape', () => {
  expect(negotiate(asking(`${table},application/yaml`), 'own')).toEqual({ format: 'yaml', metaVersion: 'v1' })
  expect(() => negotiate(asking(table), 'own')).toThrow(refusal)
})

test('a watch is answered in what has frames', () => {
  expect(negotiate(asking(`application/yaml, ${type}`), 'watch')).toEqual(protobuf)
  expect(() => negotiate(asking('application/yaml'), 'watch')).toThrow(
    'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch',
  )
})

test.each([
  { accept: undefined, want: 'json' },
  { accept: `${type}, application/json`, want: 'protobuf' },
  { accept: 'application/yaml', want: 'yaml' },
  { accept: `${metadata}, application/yaml`, want: 'yaml' },
  { accept: table, want: 'json' },
  { accept: 'image/png', want: 'json' },
])('what has one shape is answered in $want for Accept: $accept', ({ accept, want }) => {
  expect(negotiateEncoding(exchange(accept))).toBe(want)
})
