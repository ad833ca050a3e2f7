import { pods, type ReplicationController, replicationcontrollers } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { controllerOf } from '@keelson/kit'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runReplicationControllers } from './replication-controllers.ts'

const web: ReplicationController = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { name: 'web', namespace: 'shop' },
  spec: {
    replicas: 2,
    selector: { app: 'web' },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web' }] } },
  },
}

test('a replication controller has its pods made, counted and removed, and keeps its selector', async () => {
  const client = createFakeClient()
  client.seed(replicationcontrollers, web)
  await using component = startComponent((host) => runReplicationControllers(client, host))
  await component.ready
  const stored = () => client.stored(replicationcontrollers)[0]
  await client.waitFor(() => stored()?.status?.replicas === 2)
  expect(client.stored(pods).map((pod) => [controllerOf(pod)?.apiVersion, controllerOf(pod)?.kind])).toEqual([
    ['v1', 'ReplicationController'],
    ['v1', 'ReplicationController'],
  ])
  expect(stored()?.spec?.selector).toEqual({ app: 'web' })
  expect(stored()?.status).not.toHaveProperty('terminatingReplicas')

  const body = { spec: { replicas: 0 } }
  await client.resource(replicationcontrollers).in('shop').patch('web', { type: 'merge', body })
  await client.waitFor(() => stored()?.status?.replicas === 0)
  expect(client.stored(pods)).toEqual([])
})
