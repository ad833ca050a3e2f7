import { leases } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import { events, type Node, nodes, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { findCondition } from '@keelson/kit'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { createFakeClock, settle } from '@keelson/kit/testing/fake-clock.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runNodeLifecycle } from './controller.ts'

const node = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'once' }] },
})
const lease = (name: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: 'kube-node-lease' },
  spec: { renewTime: '0' },
})
const pod = (name: string, nodeName: string, seconds?: number): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop' },
  spec: {
    containers: [],
    nodeName,
    ...(seconds !== undefined && {
      tolerations: [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }],
    }),
  },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
})

function setUp(endedPodsKept = 100) {
  const clock = createFakeClock()
  const client = createFakeClient({ clock })
  const beats = { n: 0 }
  return {
    clock,
    client,
    start: () => startComponent((host) => runNodeLifecycle(client, host, { clock, endedPodsKept })),
    /** Lets time pass while these nodes renew their leases. */
    async pass(seconds: number, ...alive: string[]) {
      for (let passed = 0; passed < seconds; passed += 10) {
        await clock.advance(10_000)
        for (const name of alive) {
          const body = { spec: { renewTime: String(++beats.n) } }
          await client.resource(leases).in('kube-node-lease').patch(name, { type: 'merge', body })
        }
      }
      await settle()
    },
    ready: (name: string) =>
      findCondition(client.stored(nodes).find((one) => one.metadata.name === name)?.status?.conditions, 'Ready')
        ?.status,
    taints: (name: string) =>
      (client.stored(nodes).find((one) => one.metadata.name === name)?.spec?.taints ?? [])
        .map(({ key, effect }) => `${key.split('/')[1]}:${effect}`)
        .sort(),
    pod: (name: string) => client.stored(pods).find((one) => one.metadata.name === name),
  }
}

test('a silent node is found dead, its pods unready and evicted in time; when it is back, all is as before', async () => {
  const { client, start, pass, ready, taints, pod: find } = setUp()
  client.seed(nodes, node('alive'), node('dead'))
  client.seed(leases, lease('alive'), lease('dead'))
  client.seed(pods, pod('quick', 'dead', 30), pod('slow', 'dead', 300), pod('other', 'alive', 30))
  await using component = start()
  await component.ready
  await pass(30, 'alive', 'dead')
  expect(ready('dead')).toBe('True')
  await pass(60, 'alive')
  expect([ready('alive'), ready('dead')]).toEqual(['True', 'Unknown'])
  expect([taints('alive'), taints('dead')]).toEqual([[], ['unreachable:NoExecute', 'unreachable:NoSchedule']])
  expect(findCondition(find('slow')!.status?.conditions, 'Ready')?.status).toBe('False')
  expect(findCondition(find('other')!.status?.conditions, 'Ready')?.status).toBe('True')
  await pass(40, 'alive')
  expect(find('quick')!.metadata.deletionTimestamp).toBeDefined()
  expect(findCondition(find('quick')!.status?.conditions, 'DisruptionTarget')?.reason).toBe('DeletionByTaintManager')
  expect(find('slow')!.metadata.deletionTimestamp).toBeUndefined()
  expect(client.stored(events).map((event) => event.reason)).toContain('TaintManagerEviction')

  const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'again' }]
  await client
    .resource(nodes)
    .patch('dead', { type: 'merge', body: { status: { conditions } } }, { subresource: 'status' })
  await pass(400, 'alive', 'dead')
  expect([ready('dead'), taints('dead')]).toEqual(['True', []])
  expect(find('slow')!.metadata.deletionTimestamp).toBeUndefined()
})

test('when all nodes fall silent, one after the other, no pod is evicted', async () => {
  const { client, start, pass, ready, taints, pod: find } = setUp()
  client.seed(nodes, node('a'), node('b'))
  client.seed(leases, lease('a'), lease('b'))
  client.seed(pods, pod('web', 'a', 0))
  await using component = start()
  await component.ready
  await pass(10, 'b')
  await pass(200)
  expect([ready('a'), ready('b')]).toEqual(['Unknown', 'Unknown'])
  expect([taints('a'), taints('b')]).toEqual([['unreachable:NoSchedule'], ['unreachable:NoSchedule']])
  expect(find('web')!.metadata.deletionTimestamp).toBeUndefined()
})

test('pods of a node that is gone are removed, unless it is back in time', async () => {
  const { client, start, pass, pod: find } = setUp()
  client.seed(nodes, node('gone'), node('back'))
  client.seed(leases, lease('gone'), lease('back'))
  client.seed(pods, pod('lost', 'gone'), pod('kept', 'back'), pod('orphan', 'never'))
  await using component = start()
  await component.ready
  await client.resource(nodes).delete('gone')
  await client.resource(nodes).delete('back')
  await pass(10)
  client.seed(nodes, node('back'))
  await pass(60, 'back')
  expect([find('lost'), find('orphan')]).toEqual([undefined, undefined])
  expect(find('kept')!.metadata.deletionTimestamp).toBeUndefined()
})

test('a node that only the cache lacks is not gone', async () => {
  const { client, start, clock, pod: find } = setUp()
  client.seed(pods, pod('web', 'late'))
  await using component = start()
  await component.ready
  client.pauseWatches()
  client.seed(nodes, node('late'))
  await clock.advance(60_000)
  expect(find('web')?.status?.phase).toBe('Running')
})

test('of too many ended pods the oldest go', async () => {
  const { client, start } = setUp(2)
  client.seed(nodes, node('a'))
  const ended = (name: string, creationTimestamp: string): Pod => {
    const one = pod(name, 'a')
    return { ...one, metadata: { ...one.metadata, creationTimestamp }, status: { phase: 'Succeeded' } }
  }
  client.seed(
    pods,
    ended('new', '2026-01-03T00:00:00Z'),
    ended('old', '2026-01-01T00:00:00Z'),
    ended('mid', '2026-01-02T00:00:00Z'),
  )
  await using component = start()
  await component.ready
  await client.waitFor(() => client.stored(pods).length === 2)
  expect(client.stored(pods).map((one) => one.metadata.name)).toEqual(['new', 'mid'])
})

test('a new node loses its first taint when it is ready', async () => {
  const { client, start, taints } = setUp()
  const fresh = node('a')
  const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const
  client.seed(nodes, { ...fresh, spec: { taints: [notReady] }, status: {} })
  await using component = start()
  await component.ready
  await settle()
  expect(taints('a')).toEqual(['not-ready:NoSchedule'])
  await client.resource(nodes).patch('a', { type: 'merge', body: { status: fresh.status } }, { subresource: 'status' })
  await client.waitFor(() => taints('a').length === 0)
})
