import { nodes, type Pod, pods } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { type Clock, createInformers, systemClock } from '@keelson/kit'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { createFakeClock } from '@keelson/kit/testing/fake-clock.ts'
import { createMemoryLog } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { createPodWriter } from './pod-writer.ts'
import { Scheduler } from './scheduler.ts'
import { antiAffinityTo, makeNode, makePod, type NodeSketch, type PodSketch } from './testing/objects.ts'

/** A scheduler at work on a fake API; leaving the scope stops it. */
async function start(given: { nodes: NodeSketch[]; pods?: PodSketch[] }, clock: Clock = systemClock) {
  const client = createFakeClient()
  client.seed(nodes, ...given.nodes.map(makeNode))
  client.seed(pods, ...(given.pods ?? []).map(makePod))
  const stopping = new AbortController()
  const informers = createInformers(client)
  const events: string[] = []
  const reports: { pod: string; message: string; nominated: string | undefined }[] = []
  const scheduler = new Scheduler(readConfig({}), {
    informers,
    writer: {
      ...createPodWriter(client, 'default-scheduler', clock.now),
      preempt: ({ namespace, name }) => client.resource(pods).in(namespace).delete(name, { gracePeriodSeconds: 0 }),
      reportUnschedulable: async (pod, message, nominated) => void reports.push({ pod: pod.name, message, nominated }),
    },
    recorder: {
      event: (object, type, reason, message) => events.push(`${type} ${reason} ${object.metadata.name}: ${message}`),
    },
    log: createMemoryLog(),
    clock,
    random: Math.random,
  })
  await scheduler.sync()
  const running = scheduler.run(stopping.signal)
  const nodeOf = (name: string) => client.stored(pods).find((pod) => pod.metadata.name === name)?.spec.nodeName
  const add = (sketch: PodSketch) => client.resource(pods).create(makePod(sketch))
  return {
    client,
    events,
    reports,
    nodeOf,
    add,
    bound: (name: string) => client.waitFor(() => nodeOf(name)),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running
      informers.stop()
    },
  }
}

test('a pod is bound to a node that fits, and an event says so', async () => {
  await using cluster = await start({ nodes: [{ name: 'small', allocatable: { cpu: '1' } }, { name: 'large' }] })
  await cluster.add({ name: 'web', requests: { cpu: '2' } })
  expect(await cluster.bound('web')).toBe('large')
  await expect.poll(() => cluster.events).toEqual(['Normal Scheduled web: Successfully assigned default/web to large'])
})

test('pods of other schedulers, gated pods and pods that are going are left alone', async () => {
  await using cluster = await start({
    nodes: [{ name: 'a' }],
    pods: [
      { name: 'foreign', spec: { schedulerName: 'other' } },
      { name: 'gated', spec: { schedulingGates: [{ name: 'wait' }] } },
    ],
  })
  await cluster.add({ name: 'mine' })
  await cluster.bound('mine')
  expect([cluster.nodeOf('foreign'), cluster.nodeOf('gated')]).toEqual([undefined, undefined])
})

test('a pod that fits nowhere is reported and scheduled once a node comes', async () => {
  const clock = createFakeClock()
  await using cluster = await start({ nodes: [{ name: 'full', allocatable: { cpu: '1' } }] }, clock)
  await cluster.add({ name: 'web', requests: { cpu: '2' } })
  await expect.poll(() => cluster.reports.at(-1)?.message).toContain('0/1 nodes are available: 1 Insufficient cpu.')
  expect(cluster.events[0]).toMatch(/^Warning FailedScheduling web: 0\/1 nodes are available/)
  cluster.client.seed(nodes, makeNode({ name: 'fresh' }))
  await clock.advance(1_000)
  expect(await cluster.bound('web')).toBe('fresh')
})

test('a pod that found no node at all is scheduled once one comes', async () => {
  await using cluster = await start({ nodes: [] })
  await cluster.add({ name: 'web' })
  await expect
    .poll(() => cluster.reports.map(({ message }) => message))
    .toEqual([expect.stringContaining('no nodes available')])
  cluster.client.seed(nodes, makeNode({ name: 'late' }))
  expect(await cluster.bound('web')).toBe('late')
})

test('a pod that fits nowhere is scheduled once room is made by a deletion', async () => {
  const clock = createFakeClock()
  await using cluster = await start(
    { nodes: [{ name: 'a' }], pods: [{ name: 'old', node: 'a', requests: { cpu: '4' } }] },
    clock,
  )
  await cluster.add({ name: 'new', requests: { cpu: '4' } })
  await expect.poll(() => cluster.reports.length).toBe(1)
  await cluster.client.resource(pods).in('default').delete('old', { gracePeriodSeconds: 0 })
  await clock.advance(1_000)
  expect(await cluster.bound('new')).toBe('a')
})

test('a failed binding gives the room back and is tried again', async () => {
  const clock = createFakeClock()
  await using cluster = await start({ nodes: [{ name: 'a' }] }, clock)
  let failures = 0
  cluster.client.intercept(({ subresource }) => {
    if (subresource === 'binding' && failures++ === 0) throw new Error('no answer')
  })
  await cluster.add({ name: 'web', requests: { cpu: '4' } })
  await expect.poll(() => cluster.events.at(-1)).toBe('Warning FailedScheduling web: no answer')
  await clock.advance(1_000)
  expect(await cluster.bound('web')).toBe('a')
})

test('a more important pod evicts a lesser one and takes its place', async () => {
  const clock = createFakeClock()
  await using cluster = await start(
    { nodes: [{ name: 'a' }], pods: [{ name: 'low', node: 'a', requests: { cpu: '4' } }] },
    clock,
  )
  await cluster.add({ name: 'high', requests: { cpu: '4' }, spec: { priority: 10 } })
  await expect.poll(() => cluster.reports.at(-1)).toMatchObject({ pod: 'high', nominated: 'a' })
  await cluster.client.waitFor(() => !cluster.client.stored(pods).some(({ metadata }) => metadata.name === 'low'))
  expect(cluster.events).toContainEqual(expect.stringMatching(/^Normal Preempted low: Preempted by pod \S+ on node a$/))
  await clock.advance(1_000)
  expect(await cluster.bound('high')).toBe('a')
})

test('two thousand pods find their place on a thousand nodes, none over-committed', async () => {
  const nodeSketches = Array.from({ length: 1_000 }, (_, at) => ({
    name: `node-${at}`,
    allocatable: { cpu: '4', memory: '8Gi', pods: '10' },
    labels: { 'topology.kubernetes.io/zone': `zone-${at % 3}` },
  }))
  const podSketches = Array.from(
    { length: 2_000 },
    (_, at): PodSketch => ({
      name: `pod-${at}`,
      labels: { app: `app-${at % 20}` },
      requests: { cpu: `${(at % 4) * 500}m`, memory: `${(at % 3) * 512}Mi` },
      ...(at % 20 === 7 && { spec: antiAffinityTo({ app: 'app-7' }) }),
    }),
  )
  const startedAt = performance.now()
  await using cluster = await start({ nodes: nodeSketches, pods: podSketches })
  await cluster.client.waitFor(
    () => cluster.client.writes.filter(({ subresource }) => subresource === 'binding').length === 2_000,
  )
  const seconds = (performance.now() - startedAt) / 1_000
  console.info(`2000 pods on 1000 nodes, API included: ${Math.round(2_000 / seconds)} pods/s`)
  await expect.poll(() => cluster.client.stored(pods).every((pod) => pod.spec.nodeName)).toBe(true)
  for (const placed of Map.groupBy(cluster.client.stored(pods), ({ spec }) => spec.nodeName).values())
    expectSound(placed)
})

function expectSound(placed: Pod[]): void {
  const cpu = placed.map(({ spec }) => Number.parseInt(String(spec.containers[0]?.resources?.requests?.cpu), 10))
  expect(cpu.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(4_000)
  expect(placed.length).toBeLessThanOrEqual(10)
  expect(placed.filter(({ metadata }) => metadata.labels?.app === 'app-7').length).toBeLessThanOrEqual(1)
}
