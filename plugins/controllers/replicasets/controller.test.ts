import { type ReplicaSet, replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { events, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { controllerOf } from '@keelson/kit'
import { createFakeClient, type FakeClient } from '@keelson/kit/testing/fake-client.ts'
import { settle } from '@keelson/kit/testing/fake-clock.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runReplicaSets } from './controller.ts'

const web = (replicas: number): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web' }] } },
  },
})
const stray: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'stray', namespace: 'shop', labels: { app: 'web' } },
  spec: { containers: [] },
}

const start = (client: FakeClient) => startComponent((host) => runReplicaSets(client, host))
const status = (client: FakeClient) => client.stored(replicasets)[0]?.status
const scaleTo = (client: FakeClient, replicas: number) =>
  client
    .resource(replicasets)
    .in('shop')
    .patch('web', { type: 'merge', body: { spec: { replicas } } })

async function makeReady(client: FakeClient) {
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }]
  for (const { metadata } of client.stored(pods)) {
    const body = { status: { phase: 'Running', conditions } }
    await client.resource(pods).in('shop').patch(metadata.name!, { type: 'merge', body }, { subresource: 'status' })
  }
}

test('pods are created once each, adopted, counted and removed', async () => {
  const client = createFakeClient()
  client.seed(pods, stray)
  client.seed(replicasets, web(5))
  await using component = start(client)
  await component.ready
  await client.waitFor(() => status(client)?.replicas === 5)
  await settle()
  expect(client.stored(pods)).toHaveLength(5)
  expect(client.writes.filter((call) => call.verb === 'create' && call.resource === 'pods')).toHaveLength(4)
  expect(client.stored(pods).every((pod) => controllerOf(pod)?.name === 'web')).toBe(true)

  await makeReady(client)
  await client.waitFor(() => status(client)?.availableReplicas === 5)
  await scaleTo(client, 2)
  await client.waitFor(() => status(client)?.replicas === 2)
  await settle()
  expect(client.stored(pods)).toHaveLength(2)
  const reasons = client.stored(events).map((event) => event.reason)
  expect(reasons.filter((reason) => reason === 'SuccessfulCreate')).toHaveLength(4)
  expect(reasons.filter((reason) => reason === 'SuccessfulDelete')).toHaveLength(3)
})

test('a cache that lags behind neither creates twice nor counts what was deleted', async () => {
  const client = createFakeClient()
  client.seed(replicasets, web(3))
  let goOn = () => {}
  // Nothing is heard of pods once they are written, but the ReplicaSet is looked at again: its status was refused.
  let failures = 3
  client.intercept((call) => {
    if (call.resource === 'pods' && (call.verb === 'create' || call.verb === 'delete')) goOn = client.pauseWatches()
    if (call.subresource === 'status' && failures-- > 0) throw new Error('try again')
  })
  await using component = start(client)
  await component.ready
  await client.waitFor(() => status(client)?.replicas === 3)
  expect(client.stored(pods)).toHaveLength(3)
  goOn()
  await settle()
  expect(client.stored(pods)).toHaveLength(3)
  failures = 3
  await scaleTo(client, 1)
  await client.waitFor(() => status(client)?.replicas === 1)
  expect(client.stored(pods)).toHaveLength(1)
})

test('a lost pod is replaced, a relabelled one let go', async () => {
  const client = createFakeClient()
  client.seed(replicasets, web(2))
  await using component = start(client)
  await component.ready
  const [first, second] = await client.waitFor(() => client.stored(pods).length === 2 && client.stored(pods))
  await client.resource(pods).in('shop').delete(first!.metadata.name!)
  const relabelled = { metadata: { labels: { app: 'debug' } } }
  await client.resource(pods).in('shop').patch(second!.metadata.name!, { type: 'merge', body: relabelled })
  await client.waitFor(() => client.stored(pods).filter((pod) => controllerOf(pod)).length === 2)
  const released = client.stored(pods).find((pod) => pod.metadata.uid === second!.metadata.uid)!
  expect(released.metadata.ownerReferences).toEqual([])
  await client.waitFor(() => status(client)?.replicas === 2)
})

test('a refused creation is reported as a condition and an event, and costs one call at a time', async () => {
  const client = createFakeClient()
  client.seed(replicasets, web(50))
  let refused = 0
  client.intercept((call) => {
    if (call.verb !== 'create' || call.resource !== 'pods') return
    refused++
    throw new Error('exceeded quota')
  })
  await using component = start(client)
  await component.ready
  const condition = await client.waitFor(() => status(client)?.conditions?.[0])
  expect(condition).toMatchObject({ type: 'ReplicaFailure', reason: 'FailedCreate', message: 'exceeded quota' })
  await client.waitFor(() => client.stored(events).some((event) => event.message === 'Error creating: exceeded quota'))
  expect(refused).toBeLessThan(10)
})
