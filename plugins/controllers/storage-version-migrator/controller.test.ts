import {
  type CustomResourceDefinition,
  customresourcedefinitions,
} from '@keelson/apis/apiextensions/v1/zz_generated.types.ts'
import type { KubeObject, ResourceRef, StatusReason } from '@keelson/apis/meta/v1/types.ts'
import {
  type StorageVersionMigration,
  storageversionmigrations,
} from '@keelson/apis/storagemigration/v1beta1/zz_generated.types.ts'
import { ApiError } from '@keelson/client'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { createFakeClock, settle } from '@keelson/kit/testing/fake-clock.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runStorageVersionMigrator } from './controller.ts'

const gadgets: ResourceRef = { group: 'x.dev', version: 'v2', resource: 'gadgets', kind: 'Gadget', namespaced: true }

const definition: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.x.dev' },
  spec: {
    group: 'x.dev',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget' },
    versions: ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === 'v2' })),
  },
  status: { acceptedNames: { plural: 'gadgets', kind: 'Gadget' }, storedVersions: ['v1', 'v2'] },
}

const gadget = (name: string): KubeObject => ({
  apiVersion: 'x.dev/v2',
  kind: 'Gadget',
  metadata: { name, namespace: 'default' },
})

const migration = (name: string, resource = 'gadgets'): StorageVersionMigration => ({
  apiVersion: 'storagemigration.k8s.io/v1beta1',
  kind: 'StorageVersionMigration',
  metadata: { name },
  spec: { resource: { group: 'x.dev', resource } },
})

const failure = (reason: StatusReason, code: number, message: string) =>
  new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code, message })

function setUp(count: number) {
  const clock = createFakeClock()
  const client = createFakeClient({ clock, resources: [gadgets] })
  client.seed(customresourcedefinitions, definition)
  client.seed(gadgets, ...Array.from({ length: count }, (_, at) => gadget(`o${at}`)))
  const find = (name: string) => client.stored(storageversionmigrations).find((one) => one.metadata.name === name)
  const truths = (name: string) =>
    (find(name)?.status?.conditions ?? []).filter(({ status }) => status === 'True').map(({ type }) => type)
  return {
    clock,
    client,
    find,
    start: () => startComponent((host) => runStorageVersionMigrator(client, host, { clock, pageSize: 2 })),
    make: (name: string, resource?: string) =>
      client.resource(storageversionmigrations).create(migration(name, resource)),
    until: (name: string, type: string) => client.waitFor(() => truths(name).includes(type)),
    written: () => client.writes.filter(({ resource }) => resource === 'gadgets').map(({ name }) => name),
    definition: () => client.stored(customresourcedefinitions)[0]!,
  }
}

const migratingOf = ({ status }: CustomResourceDefinition) =>
  status?.conditions?.find(({ type }) => type === 'StorageMigrating')

test('every object is written once, then nothing is stored in another version', async () => {
  const { make, until, start, written, find, definition } = setUp(5)
  await using _component = start()
  await make('m')
  await until('m', 'Succeeded')
  expect(written()).toEqual(['o0', 'o1', 'o2', 'o3', 'o4'])
  expect(find('m')).toMatchObject({
    metadata: { annotations: { 'keelson.dev/progress': '5/5' } },
    status: {
      resourceVersion: expect.stringMatching(/^\d+$/),
      conditions: [
        { type: 'Succeeded', reason: 'StorageVersionMigrationSucceeded', message: '5 objects are stored in v2' },
      ],
    },
  })
  expect(find('m')?.metadata.annotations).not.toHaveProperty('keelson.dev/continue')
  expect(definition().status?.storedVersions).toEqual(['v2'])
  expect(migratingOf(definition())).toMatchObject({ status: 'False', reason: 'MigrationSucceeded' })
})

test('a resource that does not exist fails its migration', async () => {
  const { make, until, start, find } = setUp(0)
  await using _component = start()
  await make('m', 'gizmos')
  await until('m', 'Failed')
  expect(find('m')?.status?.conditions).toMatchObject([
    { type: 'Failed', reason: 'StorageVersionMigrationFailed', message: 'resource does not exist in discovery' },
  ])
})

test('an object that cannot be written fails its migration, and versions stay remembered', async () => {
  const { make, until, start, client, find, definition } = setUp(3)
  client.intercept(({ verb, name }) => {
    if (verb === 'patch' && name === 'o1') throw failure('Invalid', 422, 'gadgets "o1" is invalid')
  })
  await using _component = start()
  await make('m')
  await until('m', 'Failed')
  expect(find('m')?.status?.conditions).toMatchObject([
    { type: 'Failed', message: 'migration encountered unhandled error: gadgets "o1" is invalid' },
  ])
  expect(definition().status?.storedVersions).toEqual(['v1', 'v2'])
  expect(migratingOf(definition())).toMatchObject({ status: 'False', reason: 'MigrationFailed' })
})

test('a migration that cannot begin yet is not under way', async () => {
  const { make, until, start, client, clock, find, definition } = setUp(1)
  const refused = Promise.withResolvers<void>()
  const stop = client.intercept(({ verb, resource }) => {
    if (verb !== 'list' || resource !== 'gadgets') return
    refused.resolve()
    throw failure('ServiceUnavailable', 503, 'wait')
  })
  await using component = start()
  await make('m')
  await refused.promise
  await settle()
  stop()
  expect(component.log.lines.map(({ message }) => message)).toContain('reconcile failed')
  expect(find('m')?.status?.conditions ?? []).toEqual([])
  await clock.advance(60_000)
  await until('m', 'Succeeded')
  expect(definition().status?.storedVersions).toEqual(['v2'])
})

test('what a busy server refuses is tried again, from the page where it stopped', async () => {
  const { make, until, start, client, clock, written, find } = setUp(5)
  let refusals = 0
  client.intercept(({ verb, name }) => {
    if (verb === 'patch' && name === 'o3' && refusals++ < 2) throw failure('TooManyRequests', 429, 'too many requests')
  })
  await using _component = start()
  await make('m')
  await until('m', 'Running')
  const delayed = await client.waitFor(() =>
    find('m')?.status?.conditions?.find(({ message }) => message.includes('tried again after: too many requests')),
  )
  expect(delayed.type).toBe('Running')
  await clock.advance(60_000)
  await until('m', 'Succeeded')
  expect(written().filter((name) => name === 'o0')).toHaveLength(1)
  expect(written()).toContain('o4')
})

test('behind a restart it goes on where it was', async () => {
  const { make, start, client, written, until } = setUp(6)
  const reached = Promise.withResolvers<void>()
  const stop = client.intercept(({ verb, name }) => {
    if (verb !== 'patch' || name !== 'o4') return
    reached.resolve()
    throw failure('ServiceUnavailable', 503, 'starting')
  })
  {
    await using _component = start()
    await make('m')
    await reached.promise
    await settle()
  }
  stop()
  const before = written().length
  await using _component = start()
  await until('m', 'Succeeded')
  expect(written().slice(before)).toEqual(['o4', 'o5'])
})

test('a copy of a migration that stopped half-way begins at the first object', async () => {
  const { client, start, written, until } = setUp(4)
  const copy = migration('copy')
  copy.metadata.annotations = { 'keelson.dev/continue': 'uid-of-another 2', 'keelson.dev/progress': '2/4' }
  copy.status = { conditions: [] }
  await client.resource(storageversionmigrations).create(copy)
  await using _component = start()
  await until('copy', 'Succeeded')
  expect(written()).toEqual(['o0', 'o1', 'o2', 'o3'])
})

test('of one resource, migrations are carried out one after the other', async () => {
  const { client, clock, make, start, until } = setUp(3)
  await make('first')
  await clock.advance(1_000)
  await make('another')
  const order: string[] = []
  client.intercept(({ verb, resource, subresource, name, body }) => {
    if (verb !== 'patch' || resource !== 'storageversionmigrations' || subresource !== 'status') return
    const { status } = body as StorageVersionMigration
    order.push(`${name} ${status?.conditions?.at(-1)?.type}`)
  })
  await using _component = start()
  await until('another', 'Succeeded')
  expect(order).toEqual(['first Running', 'first Succeeded', 'another Running', 'another Succeeded'])
})

test('a definition that changed meanwhile keeps the versions it may be stored in', async () => {
  const { client, make, start, until, definition } = setUp(1)
  let changed = false
  client.intercept(({ verb, resource }) => {
    if (changed || verb !== 'patch' || resource !== 'gadgets') return
    changed = true
    const { spec, ...rest } = definition()
    const [v1, v2] = spec.versions
    const versions = [
      { ...v1!, storage: true },
      { ...v2!, storage: false },
    ]
    void client.resource(customresourcedefinitions).update({ ...rest, spec: { ...spec, versions } })
  })
  await using _component = start()
  await make('m')
  await until('m', 'Succeeded')
  expect(definition().status?.storedVersions).toEqual(['v1', 'v2'])
  expect(migratingOf(definition())?.message).toContain('generation mismatch')
})

test('a migration that is deleted ends', async () => {
  const { client, make, start, written, definition } = setUp(6)
  let isDeleted = false
  client.intercept(({ verb, resource }) => {
    if (isDeleted || verb !== 'patch' || resource !== 'gadgets') return
    isDeleted = true
    void client.resource(storageversionmigrations).delete('m')
  })
  await using _component = start()
  await make('m')
  await client.waitFor(() => migratingOf(definition())?.status === 'False')
  expect(migratingOf(definition())?.reason).toBe('MigrationFailed')
  expect(definition().status?.storedVersions).toEqual(['v1', 'v2'])
  expect(written()).toEqual(['o0', 'o1'])
})

test('what is over is not begun again, whatever the cache still says', async () => {
  const { client, make, start, until, written } = setUp(3)
  await using _component = start()
  await make('m')
  await until('m', 'Running')
  const goOn = client.pauseWatches()
  await until('m', 'Succeeded')
  await make('other', 'gizmos')
  goOn()
  await until('other', 'Failed')
  await settle()
  expect(written()).toEqual(['o0', 'o1', 'o2'])
})
