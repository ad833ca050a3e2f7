import { expect, test } from 'vitest'
import { dnsLabelFaults } from './names.ts'
import type { ObjectMeta } from './types.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './validate-object-meta.ts'

const lines = (errors: { field: string; message: string }[]) => errors.map((one) => `${one.field}: ${one.message}`)

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: '1' }

const creates: { name: string; meta: ObjectMeta; namespaced?: boolean; want: unknown[] }[] = [
  { name: 'a good one', meta: { name: 'a', namespace: 'default', labels: { a: 'b' } }, want: [] },
  {
    name: 'no name',
    meta: { namespace: 'default' },
    want: ['metadata.name: Required value: name or generateName is required'],
  },
  {
    name: 'a bad name',
    meta: { name: 'A', namespace: 'default' },
    want: [
      "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  { name: 'a generateName ending in a dash', meta: { name: 'a-x', generateName: 'a-', namespace: 'n' }, want: [] },
  {
    name: 'a bad generateName',
    meta: { name: 'a', generateName: 'A-', namespace: 'n' },
    want: [expect.stringMatching(/^metadata.generateName: Invalid value: "A-"/)],
  },
  { name: 'no namespace', meta: { name: 'a' }, want: ['metadata.namespace: Required value'] },
  {
    name: 'a namespace where none may be',
    namespaced: false,
    meta: { name: 'a', namespace: 'n' },
    want: ['metadata.namespace: Forbidden: not allowed on this type'],
  },
  {
    name: 'a bad label',
    meta: { name: 'a', namespace: 'n', labels: { '/': ' ' } },
    want: [
      'metadata.labels: Invalid value: "/": prefix part must be non-empty',
      'metadata.labels: Invalid value: "/": name part must be non-empty',
      expect.stringContaining('metadata.labels: Invalid value: "/": name part must consist of'),
      expect.stringContaining('metadata.labels: Invalid value: " ": a valid label must be'),
    ],
  },
  {
    name: 'too many annotations',
    meta: { name: 'a', namespace: 'n', annotations: { a: 'x'.repeat(256 * 1024) } },
    want: ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  },
  {
    name: 'two controllers',
    meta: {
      name: 'a',
      namespace: 'n',
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, name: 'other', controller: true },
      ],
    },
    want: [expect.stringContaining('Found "true" in references for ReplicaSet/web and ReplicaSet/other')],
  },
  {
    name: 'an empty owner',
    meta: { name: 'a', namespace: 'n', ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] },
    want: [
      'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
      'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
    ],
  },
  {
    name: 'an Event as owner',
    meta: { name: 'a', namespace: 'n', ownerReferences: [{ ...owner, apiVersion: 'v1', kind: 'Event' }] },
    want: [expect.stringContaining('/v1, Kind=Event is disallowed from being an owner')],
  },
  {
    name: 'contradicting finalizers',
    meta: { name: 'a', namespace: 'n', finalizers: ['orphan', 'foregroundDeletion'] },
    want: [expect.stringContaining('finalizer orphan and foregroundDeletion cannot be both set')],
  },
]
test.each(creates)('a create refuses $name', ({ meta, namespaced = true, want }) =>
  expect(lines(validateObjectMeta(meta, { namespaced }))).toEqual(want),
)

test('the kind may bring its own grammar of names', () => {
  const errors = validateObjectMeta({ name: 'a.b' }, { namespaced: false, nameFaults: dnsLabelFaults })
  expect(lines(errors)).toEqual(['metadata.name: Invalid value: "a.b": must not contain dots'])
})

const live: ObjectMeta = { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1', generation: 2, finalizers: ['f'] }
const updates: { name: string; change: ObjectMeta; old?: ObjectMeta; want: unknown[] }[] = [
  { name: 'nothing', change: {}, want: [] },
  { name: 'a new label', change: { labels: { a: 'b' } }, want: [] },
  {
    name: 'the name',
    change: { name: 'b' },
    want: ['metadata.name: Invalid value: "b": field is immutable'],
  },
  { name: 'the uid', change: { uid: 'v' }, want: ['metadata.uid: Invalid value: "v": field is immutable'] },
  {
    name: 'the deletionTimestamp',
    change: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    want: ['metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable'],
  },
  {
    name: 'no resourceVersion',
    change: { resourceVersion: undefined },
    want: ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
  },
  {
    name: 'an older generation',
    change: { generation: 1 },
    want: ['metadata.generation: Invalid value: 1: must not be decremented'],
  },
  { name: 'a finalizer', change: { finalizers: ['f', 'g'] }, want: [] },
  {
    name: 'a finalizer while deleting',
    old: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    change: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['h', 'g'] },
    want: [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"g", "h"}',
    ],
  },
]
test.each(updates)('an update judges $name', ({ change, old, want }) =>
  expect(lines(validateObjectMetaUpdate({ ...live, ...change }, { ...live, ...old }))).toEqual(want),
)
