import { type Deployment, deployments, type ReplicaSet, replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { events } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { findCondition } from '@keelson/kit'
import { createFakeClient, type FakeClient } from '@keelson/kit/testing/fake-client.ts'
import { settle } from '@keelson/kit/testing/fake-clock.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runDeployments } from './controller.ts'
import { newReplicaSet } from './revisions.ts'

const web: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    replicas: 3,
    progressDeadlineSeconds: 600,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } },
  },
}

const start = (client: FakeClient) => startComponent((host) => runDeployments(client, host))
const stored = (client: FakeClient) => client.stored(deployments)[0]!
const setImage = (client: FakeClient, image: string) => {
  const body = { spec: { template: { spec: { containers: [{ name: 'c', image }] } } } }
  return client.resource(deployments).in('shop').patch('web', { type: 'merge', body })
}
const imageOf = (replicaSet: ReplicaSet) => replicaSet.spec.template?.spec.containers[0]?.image

/** Plays the ReplicaSet controller: every ReplicaSet gets what it asks for at once. */
function obey(client: FakeClient, signal: AbortSignal): void {
  void (async () => {
    for await (const { object } of client.resource(replicasets).watch({ resourceVersion: '0', signal })) {
      const replicas = object.spec.replicas ?? 0
      const status = {
        replicas,
        readyReplicas: replicas,
        availableReplicas: replicas,
        observedGeneration: object.metadata.generation,
      }
      await client
        .resource(replicasets)
        .in('shop')
        .patch(object.metadata.name!, { type: 'merge', body: { status } }, { subresource: 'status' })
        .catch(() => {})
    }
  })().catch(() => {})
}

const isDone = (client: FakeClient, image: string) => () => {
  const { status, metadata } = stored(client)
  const current = client.stored(replicasets).find((one) => imageOf(one) === image)
  return (
    status?.observedGeneration === metadata.generation &&
    current?.spec.replicas === 3 &&
    status?.updatedReplicas === 3 &&
    status.replicas === 3 &&
    findCondition(status.conditions, 'Progressing')?.reason === 'NewReplicaSetAvailable'
  )
}

test('a Deployment is rolled out, updated and rolled back', async () => {
  const client = createFakeClient()
  client.seed(deployments, web)
  const stopping = new AbortController()
  obey(client, stopping.signal)
  await using component = start(client)
  await component.ready
  await client.waitFor(isDone(client, 'v1'))
  await setImage(client, 'v2')
  await client.waitFor(isDone(client, 'v2'))
  expect(stored(client).metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '2' })
  await setImage(client, 'v1')
  await client.waitFor(isDone(client, 'v1'))
  await settle()
  expect(
    client
      .stored(replicasets)
      .map((one) => [imageOf(one), one.spec.replicas])
      .sort(),
  ).toEqual([
    ['v1', 3],
    ['v2', 0],
  ])
  expect(stored(client).metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '3' })
  const messages = client.stored(events).map((event) => event.message)
  expect(messages[0]).toMatch(/^Scaled up replica set web-\w+ from 0 to 3$/)
  stopping.abort()
})

test('a settled Deployment causes no writes', async () => {
  const client = createFakeClient()
  client.seed(deployments, web)
  const stopping = new AbortController()
  obey(client, stopping.signal)
  await using component = start(client)
  await component.ready
  await client.waitFor(isDone(client, 'v1'))
  await settle()
  const before = client.writes.length
  await client
    .resource(deployments)
    .in('shop')
    .patch('web', { type: 'merge', body: { metadata: { labels: { a: 'b' } } } })
  await settle()
  expect(client.writes.slice(before).filter((call) => call.resource !== 'deployments' || call.subresource)).toEqual([])
  stopping.abort()
})

test('a name that is taken by something else changes the hash', async () => {
  const client = createFakeClient()
  const [seeded] = client.seed(deployments, web)
  const taken = newReplicaSet(seeded!, 1, 0, 4)
  taken.metadata.ownerReferences = undefined
  taken.metadata.labels = {}
  taken.spec.template!.spec.containers[0]!.image = 'other'
  client.seed(replicasets, taken)
  await using component = start(client)
  await component.ready
  await client.waitFor(() => client.stored(replicasets).find((one) => imageOf(one) === 'v1'))
  expect(stored(client).status?.collisionCount).toBe(1)
})

test('a refused ReplicaSet is reported and tried again', async () => {
  const client = createFakeClient()
  client.seed(deployments, web)
  let refusals = 2
  client.intercept((call) => {
    if (call.verb === 'create' && call.resource === 'replicasets' && refusals-- > 0) throw new Error('exceeded quota')
  })
  await using component = start(client)
  await component.ready
  await client.waitFor(() => client.stored(replicasets).length === 1)
  const [event] = client.stored(events)
  expect(event).toMatchObject({ type: 'Warning', reason: 'ReplicaSetCreateError' })
})
