import type { Condition, StatusReason } from '@keelson/apis/meta/v1/types.ts'
import { ApiError, ConnectionError, type ServedResource } from '@keelson/client'
import { expect, test } from 'vitest'
import {
  type Definition,
  endedStatus,
  isPassing,
  type Migration,
  migratedDefinition,
  migratingDefinition,
  nextOf,
  resourceKey,
  startedStatus,
  successOf,
  targetOf,
} from './plan.ts'

const now = '2026-01-01T00:00:00Z'

const condition = (type: string, status: 'True' | 'False' = 'True'): Condition => ({
  type,
  status,
  reason: 'R',
  message: '',
  lastTransitionTime: now,
})

const migration = (name: string, created: string, ...conditions: Condition[]): Migration => ({
  apiVersion: 'storagemigration.k8s.io/v1beta1',
  kind: 'StorageVersionMigration',
  metadata: { name, creationTimestamp: `2026-01-01T00:00:0${created}Z` },
  spec: { resource: { group: 'x.dev', resource: 'gadgets' } },
  status: { conditions },
})

test('migrations of a custom resource are known by the name of its definition', () => {
  expect(resourceKey(migration('a', '0'))).toBe('gadgets.x.dev')
})

test.each([
  { name: 'none of none', given: [], want: undefined },
  { name: 'the oldest', given: [migration('new', '2'), migration('old', '1')], want: 'old' },
  { name: 'of the same age the first by name', given: [migration('b', '1'), migration('a', '1')], want: 'a' },
  {
    name: 'the one under way before the oldest',
    given: [migration('old', '1'), migration('new', '2', condition('Running'))],
    want: 'new',
  },
  {
    name: 'none that is over',
    given: [migration('a', '1', condition('Failed')), migration('b', '2', condition('Succeeded'))],
    want: undefined,
  },
  { name: 'one whose conditions are false', given: [migration('a', '1', condition('Failed', 'False'))], want: 'a' },
])('next is $name', ({ given, want }) => expect(nextOf(given)?.metadata.name).toBe(want))

const definition = (storage: string, more: Partial<Definition> = {}): Definition => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.x.dev', generation: 3 },
  spec: {
    group: 'x.dev',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget' },
    versions: ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === storage })),
  },
  status: { acceptedNames: { plural: 'gadgets', kind: 'Gadget' }, storedVersions: ['v1', 'v2'] },
  ...more,
})

const served = (version: string, isPreferred = false, verbs = ['list', 'patch', 'update']): ServedResource => ({
  group: 'x.dev',
  version,
  resource: 'gadgets',
  kind: 'Gadget',
  namespaced: true,
  verbs,
  subresources: [],
  isPreferred,
})

test.each([
  {
    name: 'the stored version',
    resources: [served('v2', true), served('v1')],
    definition: definition('v1'),
    want: 'v1',
  },
  {
    name: 'the preferred version when the stored one is not served',
    resources: [served('v3', true), served('v2')],
    definition: definition('v1'),
    want: 'v3',
  },
  { name: 'the preferred version of a built-in kind', resources: [served('v2', true), served('v1')], want: 'v2' },
])('objects are written in $name', ({ resources, want, ...given }) => {
  const target = targetOf(migration('a', '1'), { resources, failed: [] }, given.definition)
  expect(target).toMatchObject({ resource: { version: want } })
})

test('what is not served, or not to be listed and written, cannot be migrated', () => {
  const other = { ...served('v1', true), group: 'y.dev' }
  expect(targetOf(migration('a', '1'), { resources: [other], failed: ['y.dev/v2'] })).toEqual({
    failure: 'resource does not exist in discovery',
  })
  expect(targetOf(migration('a', '1'), { resources: [served('v1', true, ['list', 'get'])], failed: [] })).toEqual({
    failure: 'resource "x.dev/v1, Resource=gadgets" does not support discovery operations: [update patch list]',
  })
  expect(() => targetOf(migration('a', '1'), { resources: [], failed: ['x.dev/v2'] })).toThrow('x.dev/v2')
})

test('a migration runs, then is over and runs no more', () => {
  const one = migration('a', '1', condition('Mine'))
  const started = startedStatus(one, '42', now)
  expect(started).toMatchObject({
    resourceVersion: '42',
    conditions: [{ type: 'Mine' }, { type: 'Running', status: 'True', reason: 'MigrationRunning' }],
  })
  expect(startedStatus({ ...one, status: { resourceVersion: '7' } }, '42', now).resourceVersion).toBe('7')
  const long = 'x'.repeat(40_000)
  const ended = endedStatus({ ...one, status: started }, 'Failed', long, now)
  expect(ended.resourceVersion).toBe('42')
  expect(ended.conditions?.map(({ type, reason }) => [type, reason])).toEqual([
    ['Mine', 'R'],
    ['Failed', 'StorageVersionMigrationFailed'],
  ])
  expect(ended.conditions?.[1]?.message).toHaveLength(32_768)
  expect(successOf(1, definition('v2'))).toBe('1 object is stored in v2')
  expect(successOf(0, undefined)).toBe('0 objects are stored in the storage version')
})

/** A definition while it is migrated. */
const migrating = (storage: string) => {
  const before = definition(storage)
  return { ...before, status: migratingDefinition(before, 'm', now) }
}
const later = (one: Definition): Definition => ({ ...one, metadata: { ...one.metadata, generation: 4 } })

test.each([
  { name: 'success', given: migrating('v2'), ok: true, says: 'have been updated', stored: ['v2'] },
  { name: 'failure', given: migrating('v2'), ok: false, says: 'The migration has failed', stored: ['v1', 'v2'] },
  {
    name: 'success after a change of the definition',
    given: later(migrating('v2')),
    ok: true,
    says: 'not been updated due to a generation mismatch',
    stored: ['v1', 'v2'],
  },
])('the definition says what came of it: $name', ({ given, ok, says, stored }) => {
  const status = migratedDefinition(given, ok, now)
  expect(status?.storedVersions).toEqual(stored)
  expect(status?.conditions).toMatchObject([{ type: 'StorageMigrating', status: 'False' }])
  expect(status?.conditions?.[0]?.message).toContain(says)
})

test('what has been said once stays as it is', () => {
  const done = { ...definition('v2'), status: migratedDefinition(later(migrating('v2')), true, now) }
  expect(migratedDefinition(done, true, now)).toBeUndefined()
  expect(migratedDefinition(definition('v2'), true, now)).toBeUndefined()
})

const failure = (reason: StatusReason, code: number) =>
  new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code })

test.each([
  { error: failure('TooManyRequests', 429), want: true },
  { error: failure('InternalError', 500), want: true },
  { error: new Error('write', { cause: failure('Conflict', 409) }), want: true },
  { error: new ConnectionError('broken'), want: true },
  { error: failure('Invalid', 422), want: false },
  { error: failure('Forbidden', 403), want: false },
])('whether $error heals with time: $want', ({ error, want }) => expect(isPassing(error)).toBe(want))
