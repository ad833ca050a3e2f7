import { expect, test } from 'vitest'
import type { Exchange } from '#core/server/exchange.ts'
import { negotiate } from './negotiate.ts'

const asking = (accept: string | undefined) => ({ header: () => accept }) as unknown as Exchange

const json = { format: 'json', metaVersion: 'v1' }
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
  { accept: 'application/vnd.kubernetes.protobuf, application/json', want: json },
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
])('Accept: $accept is answered with $want', ({ accept, want }) => expect(negotiate(asking(accept))).toEqual(want))

test.each([
  'text/html',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Chair;v=v1;g=meta.k8s.io',
  ';',
  ',',
])('Accept: %s is refused', (accept) =>
  expect(() => negotiate(asking(accept))).toThrow('only the following media types are accepted'),
)
