import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { type Storage, StorageError } from '#core/storage/storage.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { ResourceStore, type WriteContext } from './resource-store.ts'

const now = Date.parse('2030-01-01T00:00:00Z')
const configMaps = 'v1/configmaps'
const deployments = 'apps/v1/deployments'

let registry: TestRegistry
beforeAll(async () => {
  registry = await openTestRegistry({ now: () => now })
})
afterAll(() => registry[Symbol.asyncDispose]())

const configMap = (name: string, rest: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  ...rest,
})
const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
})

async function update(
  of: string,
  name: string,
  change: (object: UnstructuredObject) => UnstructuredObject | undefined,
  subresource = '',
  context: Partial<WriteContext> = {},
): Promise<UnstructuredObject> {
  const apply = ({ bytes }: { bytes: Buffer }) => {
    const object = reviveObject(bytes)
    return change(object) ?? object
  }
  const at = { namespace: 'default', name }
  return reviveObject(
    await registry.store.update(registry.served(of), at, subresource, apply, { ...admin, ...context }),
  )
}

const codeOf = async (attempt: Promise<unknown>) => statusOf(await attempt.catch((error: unknown) => error)).code

test('a new object gets what the server decides, whatever the client says', async () => {
  const made = await registry.create(configMaps, {
    ...configMap('decided'),
    metadata: {
      name: 'decided',
      namespace: 'default',
      uid: 'mine',
      creationTimestamp: '1999-01-01T00:00:00Z',
      deletionTimestamp: '1999-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 5,
      generation: 7,
      selfLink: '/x',
      managedFields: [{ manager: 'me' }],
    },
  })
  expect(made.metadata).toEqual({
    name: 'decided',
    namespace: 'default',
    uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    creationTimestamp: '2030-01-01T00:00:00Z',
    resourceVersion: expect.stringMatching(/^\d+$/),
  })
  expect(registry.get(configMaps, 'default/decided')).toEqual(made)
})

test('two objects of one name: the second is refused', async () => {
  await registry.create(configMaps, configMap('twice'))
  expect(await codeOf(registry.create(configMaps, configMap('twice')))).toBe(409)
})

test('generated names differ, also when a hundred ask at once', async () => {
  const generated = { ...configMap(''), metadata: { generateName: 'gen-', namespace: 'default' } }
  const made = await Promise.all(Array.from({ length: 100 }, () => registry.create(configMaps, generated)))
  const names = made.map(({ metadata }) => metadata.name)
  expect(new Set(names).size).toBe(100)
  for (const name of names) expect(name).toMatch(/^gen-[a-z0-9]{5}$/)
})

test('a generated name that is taken is followed by another, but not without end', async () => {
  const served = registry.served(configMaps)
  const generated = () => ({ ...configMap(''), metadata: { generateName: 'taken-', namespace: 'default' } })
  const taken = (times: number) => {
    const create: Storage['create'] = (key, ...rest) =>
      times-- > 0 ? Promise.reject(new StorageError('KeyExists', key)) : registry.storage.create(key, ...rest)
    const storage = Object.assign(Object.create(registry.storage), { create }) as Storage
    const admission = { mutate: async () => {}, validate: async () => {} }
    return new ResourceStore({ storage, admission }).create(served, 'default', generated(), admin)
  }
  expect(reviveObject(await taken(7)).metadata.name).toMatch(/^taken-[a-z0-9]{5}$/)
  expect(await codeOf(taken(8))).toBe(409)
})

test('a generated name fits a label, however long its base', async () => {
  const base = 'x'.repeat(100)
  const generated = { ...configMap(''), metadata: { generateName: base, namespace: 'default' } }
  const { metadata } = await registry.create(configMaps, generated)
  expect(metadata.name).toHaveLength(63)
})

test('an update keeps what no client may change', async () => {
  const made = await registry.create(configMaps, configMap('kept', { data: { a: '1' } }))
  const changed = await update(configMaps, 'kept', (object) => {
    object.metadata = { name: 'kept', namespace: 'default', creationTimestamp: '1999-01-01T00:00:00Z', generation: 9 }
    object.data = { a: '2' }
    return object
  })
  expect(changed).toEqual({
    ...made,
    data: { a: '2' },
    metadata: { ...made.metadata, resourceVersion: changed.metadata.resourceVersion },
  })
  expect(Number(changed.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion))
})

test('an update that changes nothing writes nothing', async () => {
  const made = await registry.create(configMaps, configMap('same'))
  const revision = await registry.storage.currentRevision()
  expect(await update(configMaps, 'same', () => undefined)).toEqual(made)
  expect(await registry.storage.currentRevision()).toBe(revision)
})

test('the generation counts changes of what is desired, not of metadata or status', async () => {
  const made = await registry.create(deployments, deployment('generations'))
  expect(made.metadata.generation).toBe(1)
  const labelled = await update(deployments, 'generations', (object) => {
    object.metadata.labels = { a: 'b' }
    return object
  })
  expect(labelled.metadata.generation).toBe(1)
  const reported = await update(
    deployments,
    'generations',
    (object) => ({ ...object, status: { replicas: 1 } }),
    'status',
  )
  expect([reported.metadata.generation, reported.status]).toEqual([1, { replicas: 1 }])
  const scaled = await update(deployments, 'generations', (object) => ({
    ...object,
    spec: { ...(object.spec as object), replicas: 3 },
  }))
  expect(scaled.metadata.generation).toBe(2)
})

test('a write of the object leaves the status, a write of the status leaves the rest', async () => {
  await registry.create(deployments, { ...deployment('halves'), status: { replicas: 9 } })
  expect(registry.get(deployments, 'default/halves')).not.toHaveProperty('status.replicas')
  await update(deployments, 'halves', (object) => ({ ...object, status: { replicas: 2 } }), 'status')
  const both = (object: UnstructuredObject) => ({
    ...object,
    spec: { ...(object.spec as object), replicas: 5 },
    status: { replicas: 7 },
  })
  expect(await update(deployments, 'halves', both)).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 2 } })
  const other = (object: UnstructuredObject) => ({ ...both(object), spec: { ...(object.spec as object), replicas: 1 } })
  expect(await update(deployments, 'halves', other, 'status')).toMatchObject({
    spec: { replicas: 5 },
    status: { replicas: 7 },
  })
})

test('a dry run answers as if, and changes nothing', async () => {
  const revision = await registry.storage.currentRevision()
  const made = await registry.create(configMaps, configMap('dry'), { dryRun: true })
  expect(made.metadata.uid).toBeDefined()
  expect(registry.get(configMaps, 'default/dry')).toBeUndefined()
  await registry.create(configMaps, configMap('wet'))
  expect(await codeOf(registry.create(configMaps, configMap('wet'), { dryRun: true }))).toBe(409)
  const changed = await update(configMaps, 'wet', (object) => ({ ...object, data: { a: 'b' } }), '', { dryRun: true })
  expect(changed).toMatchObject({ data: { a: 'b' } })
  const context = { ...admin, dryRun: true }
  const { removed } = await registry.store.delete(
    registry.served(configMaps),
    { namespace: 'default', name: 'wet' },
    {},
    context,
  )
  expect(removed).toBe(true)
  expect(registry.get(configMaps, 'default/wet')).not.toHaveProperty('data')
  expect(await registry.storage.currentRevision()).toBe(revision + 1)
})

test('the update that lets go of the last finalizer of a deleted object removes it, and shows it without', async () => {
  await registry.create(configMaps, {
    ...configMap('held'),
    metadata: { name: 'held', namespace: 'default', finalizers: ['a.dev/b'] },
  })
  const at = { namespace: 'default', name: 'held' }
  const { removed } = await registry.store.delete(registry.served(configMaps), at, {}, admin)
  expect(removed).toBe(false)
  const added = update(configMaps, 'held', (object) => {
    object.metadata.finalizers!.push('a.dev/c')
    return object
  })
  expect(await codeOf(added)).toBe(422)
  const last = await update(configMaps, 'held', (object) => {
    object.metadata.finalizers = []
    return object
  })
  expect(last.metadata.finalizers ?? []).toEqual([])
  expect(registry.get(configMaps, 'default/held')).toBeUndefined()
})

test('deletes and updates of one object at once leave it gone', async () => {
  await registry.create(configMaps, configMap('raced'))
  const at = { namespace: 'default', name: 'raced' }
  const updates = Array.from({ length: 20 }, (_, count) =>
    update(configMaps, 'raced', (object) => ({ ...object, data: { count: String(count) } })),
  )
  const deletion = registry.store.delete(registry.served(configMaps), at, {}, admin)
  const outcomes = await Promise.allSettled([...updates, deletion])
  expect(outcomes.at(-1)!.status).toBe('fulfilled')
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(statusOf(outcome.reason).code).toBe(404)
  }
  expect(registry.get(configMaps, 'default/raced')).toBeUndefined()
})

test('an object that would grow beyond what is stored is refused', async () => {
  const revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: 'grown', namespace: 'default' },
    revision: 1,
    data: {},
  }
  await registry.create('apps/v1/controllerrevisions', revision)
  const grow = update('apps/v1/controllerrevisions', 'grown', (object) => {
    object.metadata.finalizers = Array.from({ length: 100_000 }, (_, at) => `a.dev/${'x'.repeat(30)}${at}`)
    return object
  })
  expect(await codeOf(grow)).toBe(413)
})

test('history is listed as it was, in pages', async () => {
  const names = ['h-a', 'h-b', 'h-c']
  for (const name of names) await registry.create(configMaps, configMap(name))
  const then = await registry.storage.currentRevision()
  await registry.store.delete(registry.served(configMaps), { namespace: 'default', name: 'h-b' }, {}, admin)
  const { resource } = registry.served(configMaps)
  const matches = (entry: { key: string }) => entry.key.startsWith('default/h-')
  const first = await registry.store.listAt(resource, 'default/', then, { limit: 2, after: '', matches })
  expect([first.entries.map((entry) => entry.key), first.more]).toEqual([['default/h-a', 'default/h-b'], true])
  const rest = await registry.store.listAt(resource, 'default/', then, { limit: 2, after: 'default/h-b', matches })
  expect([rest.entries.map((entry) => entry.key), rest.more]).toEqual([['default/h-c'], false])
  await registry.storage.compact(then)
  await registry.create(configMaps, configMap('h-d'))
  expect(await codeOf(registry.store.listAt(resource, 'default/', 1, { limit: 0, after: '' }))).toBe(410)
})
