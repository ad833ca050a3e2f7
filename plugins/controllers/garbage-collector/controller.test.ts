import { customresourcedefinitions } from '@keelson/apis/apiextensions/v1/zz_generated.types.ts'
import { configmaps, nodes, secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject, OwnerReference, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { createFakeClock, settle } from '@keelson/kit/testing/fake-clock.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runGarbageCollector } from './controller.ts'

const ownerOf = (object: KubeObject, more: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name!,
  uid: object.metadata.uid!,
  ...more,
})
const config = (name: string, owners: OwnerReference[] = []) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop', ownerReferences: owners },
})

function setUp() {
  const clock = createFakeClock()
  const client = createFakeClient({ clock, resources: [configmaps, secrets, nodes, customresourcedefinitions] })
  const names = () => client.stored(configmaps).map((one) => one.metadata.name)
  const resource = client.resource(configmaps).in('shop')
  return {
    clock,
    client,
    names,
    resource,
    start: () => startComponent((host) => runGarbageCollector(client, host, clock)),
  }
}

test('dependents go after their owner, and theirs after them', async () => {
  const { client, names, resource, start } = setUp()
  const [a] = client.seed(configmaps, config('a'))
  const [b] = client.seed(configmaps, config('b', [ownerOf(a!)]))
  client.seed(configmaps, config('c', [ownerOf(b!)]), config('free'))
  await using component = start()
  await component.ready
  await settle()
  expect(names()).toHaveLength(4)
  await resource.delete('a')
  await client.waitFor(() => names().length === 1)
  expect(names()).toEqual(['free'])
})

test('an object with another owner stays and loses the reference to the one that is gone', async () => {
  const { client, names, resource, start } = setUp()
  const [a, b] = client.seed(configmaps, config('a'), config('b'))
  client.seed(configmaps, config('shared', [ownerOf(a!), ownerOf(b!)]))
  await using component = start()
  await component.ready
  await resource.delete('a')
  const owners = () =>
    client.stored(configmaps).find((one) => one.metadata.name === 'shared')!.metadata.ownerReferences!
  await client.waitFor(() => owners().length === 1)
  expect(owners()[0]!.name).toBe('b')
  expect(names()).toContain('shared')
})

test('an owner that never was, or was replaced, does not hold', async () => {
  const { client, clock, names, start } = setUp()
  const [a] = client.seed(configmaps, config('a'))
  client.seed(configmaps, config('b', [{ ...ownerOf(a!), uid: 'former' }]))
  await using component = start()
  await component.ready
  await clock.advance(1_000)
  await client.waitFor(() => names().length === 1)
  expect(names()).toEqual(['a'])
})

test('an owner the cache has not seen yet is asked for before anything is deleted', async () => {
  const { client, clock, names, start } = setUp()
  await using component = start()
  await component.ready
  const served = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'shop', uid: 's' } }
  client.seed(configmaps, config('b', [ownerOf(served)]))
  client.seed(secrets, served)
  client.breakWatches()
  await clock.advance(1_000)
  expect(names()).toEqual(['b'])
})

test('foreground deletion waits for those that block it', async () => {
  const { client, names, resource, start } = setUp()
  const [a] = client.seed(configmaps, config('a'))
  const held = config('held', [ownerOf(a!, { blockOwnerDeletion: true })])
  client.seed(configmaps, { ...held, metadata: { ...held.metadata, finalizers: ['acme.dev/hold'] } })
  await using component = start()
  await component.ready
  await resource.delete('a', { propagationPolicy: 'Foreground' })
  const isGoing = () =>
    client.stored(configmaps).find((one) => one.metadata.name === 'held')?.metadata.deletionTimestamp
  await client.waitFor(isGoing)
  await settle()
  expect(names()).toEqual(['a', 'held'])
  await resource.patch('held', { type: 'merge', body: { metadata: { finalizers: null } } })
  await client.waitFor(() => names().length === 0)
})

test('orphaning sets dependents free', async () => {
  const { client, names, resource, start } = setUp()
  const [a] = client.seed(configmaps, config('a'))
  client.seed(configmaps, config('b', [ownerOf(a!)]))
  await using component = start()
  await component.ready
  await resource.delete('a', { propagationPolicy: 'Orphan' })
  await client.waitFor(() => names().length === 1)
  await settle()
  expect(client.stored(configmaps)[0]!.metadata).toMatchObject({ name: 'b', ownerReferences: [] })
})

test('a cluster-scoped object with a namespaced owner is left alone', async () => {
  const { client, clock, start } = setUp()
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: 'gone' }
  client.seed(nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', ownerReferences: [reference] } })
  await using component = start()
  await component.ready
  await clock.advance(5_000)
  expect(client.stored(nodes)).toHaveLength(1)
})

test('a new custom resource is collected too', async () => {
  const { client, names, resource, start } = setUp()
  const backups: ResourceRef = {
    group: 'acme.dev',
    version: 'v1',
    resource: 'backups',
    kind: 'Backup',
    namespaced: true,
  }
  const [a] = client.seed(configmaps, config('a'))
  await using component = start()
  await component.ready
  const metadata = { name: 'b', namespace: 'shop', ownerReferences: [ownerOf(a!)] }
  client.seed(backups, { apiVersion: 'acme.dev/v1', kind: 'Backup', metadata })
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'backups.acme.dev' },
  }
  client.seed(customresourcedefinitions, definition as never)
  const watching = new Promise<void>((resolve) => {
    client.intercept((call) => call.verb === 'watch' && call.resource === 'backups' && resolve())
  })
  await watching
  await resource.delete('a')
  await client.waitFor(() => client.stored(backups).length === 0)
  expect(names()).toEqual([])
})
