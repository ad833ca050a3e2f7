import { type HostileRow, mergePatch, row } from './rows.ts'

/** Configurations that cannot be applied, and managers that cannot be named. */

const applyPatch = { 'content-type': 'application/apply-patch+yaml' }
const apply = (body: unknown, query = 'fieldManager=tester', path = '{cm}/standing') => ({
  method: 'PATCH',
  path: `${path}?${query}`,
  headers: applyPatch,
  body,
})
const merge = (query: string) => ({ method: 'PATCH', path: `{cm}/standing?${query}`, headers: mergePatch, body: {} })
const post = (query: string) => ({ method: 'POST', path: `{cm}?${query}`, body: { metadata: { name: 'one' } } })
const put = (query: string) => ({
  method: 'PUT',
  path: `{cm}/standing?${query}`,
  body: { metadata: { name: 'standing' } },
})

const configuration = (rest: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'standing', ...metadata },
  ...rest,
})

const noConfiguration: [string, unknown][] = [
  ['a list', '[]'],
  ['text', 'just text'],
  ['a number', '7'],
  ['malformed', 'a: ['],
  ['indented by tabs', 'a:\n\tb: 1'],
  [
    'aliases of aliases',
    [
      'l0: &l0 [x]',
      ...Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join()}]`),
    ].join('\n'),
  ],
  ['too deep', `{"data":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
  ['of another version', configuration({ apiVersion: 'apps/v1' })],
  ['of another name', configuration({}, { name: 'other' })],
  ['of another namespace', configuration({}, { namespace: 'kube-system' })],
  [
    'with managed fields',
    configuration(
      {},
      { managedFields: [{ manager: 'a', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }] },
    ),
  ],
]
const badManagers: [string, string][] = [
  ['too long', 'x'.repeat(129)],
  ['a line break', 'a%0ab'],
  ['a zero byte', 'a%00b'],
]

export const rows: HostileRow[] = [
  ...noConfiguration.map(([what, body]) => row(`a configuration that is ${what}`, apply(body), 400)),
  row(
    'a configuration of nobody',
    apply(configuration(), ''),
    422,
    'fieldManager: Required value: is required for apply patch',
  ),
  ...badManagers.flatMap(([what, manager]) =>
    [
      apply(configuration(), `fieldManager=${manager}`),
      merge(`fieldManager=${manager}`),
      post(`fieldManager=${manager}`),
      put(`fieldManager=${manager}`),
    ].map((request) => row(`${request.method} of a manager whose name is ${what}`, request, 422, 'fieldManager')),
  ),
  row(
    'force for what is no configuration',
    merge('force=true'),
    422,
    'force: Forbidden: may not be specified for non-apply patch',
  ),
  row('what another manager owns', apply(configuration({ data: { a: '2' } })), 409, 'Apply failed with 1 conflict'),
  row('another object', apply(configuration({}, { uid: 'other' })), 409),
  row('an old state', apply(configuration({}, { resourceVersion: '1' })), 409),
  row('a bad label', apply(configuration({}, { labels: { 'a b': 'c' } })), 422),
  row('a bad key', apply(configuration({ data: { 'a/b': 'c' } })), 422),
  row(
    'a name that is none',
    apply({ ...configuration(), metadata: { name: 'A' } }, 'fieldManager=tester', '{cm}/A'),
    422,
  ),
  row(
    'nowhere',
    apply(
      { ...configuration(), metadata: { name: 'one' } },
      'fieldManager=tester',
      '/api/v1/namespaces/nowhere/configmaps/one',
    ),
    404,
  ),
  row(
    'a collection',
    { method: 'PATCH', path: '{cm}?fieldManager=tester', headers: applyPatch, body: configuration() },
    405,
  ),
  row('a dry run nobody knows', apply(configuration(), 'fieldManager=tester&dryRun=some'), 422, 'dryRun'),
  row(
    'configurations of configurations',
    { ...apply(configuration()), headers: { 'content-type': 'application/apply-patch+cbor' } },
    415,
  ),
]
