import { configmaps, namespaces, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { findCondition } from '@keelson/kit'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runNamespaces } from './controller.ts'

const namespace = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
  spec: { finalizers: ['kubernetes'] },
})
const config = (name: string, namespace: string, finalizers?: string[]) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, finalizers },
})
const pod = (name: string, nodeName?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop' },
  spec: { containers: [], nodeName },
})

function setUp() {
  const client = createFakeClient({ resources: [configmaps, pods] })
  client.seed(namespaces, namespace('shop'), namespace('other'))
  const condition = (type: string) => findCondition(client.stored(namespaces)[0]?.status?.conditions, type)
  return { client, condition, start: () => startComponent((host) => runNamespaces(client, host)) }
}

test('a namespace goes with all that is in it, and nothing else does', async () => {
  const { client, start } = setUp()
  client.seed(configmaps, config('a', 'shop'), config('b', 'shop'), config('a', 'other'))
  client.seed(pods, pod('web'))
  await using component = start()
  await component.ready
  await client.resource(namespaces).delete('shop')
  await client.waitFor(() => client.stored(namespaces).length === 1)
  expect(client.stored(configmaps).map((one) => one.metadata.namespace)).toEqual(['other'])
  expect(client.stored(pods)).toEqual([])
})

test('a finalizer in it is waited for, and reported', async () => {
  const { client, start, condition } = setUp()
  client.seed(configmaps, config('a', 'shop', ['acme.dev/backup']))
  await using component = start()
  await component.ready
  await client.resource(namespaces).delete('shop')
  const remaining = await client.waitFor(() => condition('NamespaceFinalizersRemaining'))
  expect(remaining).toMatchObject({
    status: 'True',
    reason: 'SomeFinalizersRemain',
    message: 'Some content in the namespace has finalizers remaining: acme.dev/backup in 1 resource instances',
  })
  expect(condition('NamespaceContentRemaining')!.message).toContain('configmaps. has 1 resource instances')
  await client
    .resource(configmaps)
    .in('shop')
    .patch('a', { type: 'merge', body: { metadata: { finalizers: null } } })
  await client.waitFor(() => client.stored(namespaces).length === 1)
})

test('what protects pods outlives them', async () => {
  const { client, start, condition } = setUp()
  client.seed(configmaps, config('a', 'shop'))
  client.seed(pods, pod('web', 'node-1'))
  await using component = start()
  await component.ready
  await client.resource(namespaces).delete('shop')
  await client.waitFor(() => condition('NamespaceContentRemaining')?.status === 'True')
  expect(client.stored(configmaps)).toHaveLength(1)
  await client.resource(pods).in('shop').delete('web', { gracePeriodSeconds: 0 })
  await client.waitFor(() => client.stored(namespaces).length === 1)
  expect(client.stored(configmaps)).toHaveLength(0)
})

test('a deletion that fails is reported and tried again', async () => {
  const { client, start, condition } = setUp()
  client.seed(configmaps, config('a', 'shop'))
  const allow = client.intercept((call) => {
    if (call.verb === 'deletecollection' && call.resource === 'configmaps') throw new Error('webhook says no')
  })
  await using component = start()
  await component.ready
  await client.resource(namespaces).delete('shop')
  const failure = await client.waitFor(() => condition('NamespaceDeletionContentFailure'))
  expect(failure).toMatchObject({ status: 'True', reason: 'ContentDeletionFailed' })
  expect(failure.message).toContain('webhook says no')
  allow()
  await client.waitFor(() => client.stored(namespaces).length === 1)
})
