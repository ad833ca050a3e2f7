import { expect, test } from 'vitest'
import { budgetOf } from '../framework/disruption-budgets.ts'
import { antiAffinityTo, makeCluster, makePodInfo, type NodeSketch, type PodSketch } from '../testing/objects.ts'
import { openProfile } from '../testing/one-profile.ts'
import { pickCandidate } from './default-preemption.ts'

/** Whom an arriving pod would evict, and from where. */
async function preempt(pod: PodSketch, nodes: NodeSketch[], placed: PodSketch[], guarded?: Record<string, string>) {
  const { cycle, framework, evicted } = openProfile()
  const [info, cluster] = [makePodInfo(pod), makeCluster(nodes, placed)]
  if (guarded) {
    const spec = { selector: { matchLabels: guarded } }
    const metadata = { name: 'guard', namespace: 'default' }
    cluster.setBudget('guard', budgetOf({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec }))
  }
  const result = cycle.run(info, cluster)
  if (result.node) throw new Error('it fits')
  const { nominated } = framework.postFilter(result.state, info, cluster, result.diagnosis)
  await nominated?.make(new AbortController().signal)
  return { node: nominated?.node, victims: evicted.map(({ name }) => name).sort() }
}

const pod = (name: string, node: string, cpu: string, priority: number): PodSketch => ({
  name,
  node,
  requests: { cpu },
  spec: { priority },
})
const important = { requests: { cpu: '2' }, spec: { priority: 100 } }

test('as few pods as possible are evicted, the least important first', async () => {
  const placed = [pod('low', 'a', '2', 1), pod('middle', 'a', '1', 5), pod('high', 'a', '1', 9)]
  expect(await preempt(important, [{ name: 'a' }], placed)).toEqual({ node: 'a', victims: ['low'] })
})

test('pods of the same priority are left alone', async () => {
  expect(await preempt(important, [{ name: 'a' }], [pod('peer', 'a', '4', 100)])).toEqual({
    node: undefined,
    victims: [],
  })
})

test('the node where least is lost is chosen', async () => {
  const placed = [pod('dear', 'a', '4', 50), pod('cheap', 'b', '4', 2)]
  expect(await preempt(important, [{ name: 'a' }, { name: 'b' }], placed)).toEqual({ node: 'b', victims: ['cheap'] })
})

test('nodes that eviction cannot help are left alone', async () => {
  const taints = [{ key: 'k', effect: 'NoSchedule' as const }]
  expect((await preempt(important, [{ name: 'a', taints }], [pod('low', 'a', '4', 1)])).node).toBeUndefined()
})

test('pods under a spent disruption budget are evicted last', async () => {
  const app = { app: 'guarded' }
  const placed = [{ ...pod('guarded', 'a', '2', 1), labels: app }, pod('free', 'a', '2', 5)]
  expect((await preempt(important, [{ name: 'a' }], placed, app)).victims).toEqual(['free'])
  const elsewhere = [{ ...pod('guarded', 'a', '4', 1), labels: app }, pod('free', 'b', '4', 5)]
  expect((await preempt(important, [{ name: 'a' }, { name: 'b' }], elsewhere, app)).node).toBe('b')
})

test('a pod that keeps the newcomer out by anti-affinity is evicted', async () => {
  const guard: PodSketch = {
    name: 'guard',
    node: 'a',
    labels: { app: 'guard' },
    spec: { priority: 1, ...antiAffinityTo({ app: 'new' }) },
  }
  const bystander: PodSketch = { name: 'bystander', node: 'a', spec: { priority: 0 } }
  const arriving = { labels: { app: 'new' }, spec: { priority: 5 } }
  expect(await preempt(arriving, [{ name: 'a' }], [guard, bystander])).toEqual({ node: 'a', victims: ['guard'] })
})

test('a pod whose victims are still ending evicts nobody else', async () => {
  const { cycle, framework } = openProfile()
  const cluster = makeCluster(
    [{ name: 'a' }],
    [{ ...pod('old', 'a', '2', 1), terminating: true }, pod('low', 'a', '2', 1)],
  )
  const plain = makePodInfo({ ...important, requests: { cpu: '2' } })
  const waiting = { ...plain, pod: { ...plain.pod, status: { nominatedNodeName: 'a' } } }
  const result = cycle.run(waiting, cluster)
  if (result.node) throw new Error('it fits')
  expect(framework.postFilter(result.state, waiting, cluster, result.diagnosis).message).toBe(
    'preemption: not eligible due to a terminating pod on the nominated node.',
  )
})

test('the room made for a pod is not taken by a lesser one', () => {
  const { cycle, nominations } = openProfile()
  const cluster = makeCluster([{ name: 'a', allocatable: { cpu: '2' } }])
  nominations.set(makePodInfo(important), 'a')
  expect(cycle.run(makePodInfo({ requests: { cpu: '1' } }), cluster).node).toBeUndefined()
  expect(cycle.run(makePodInfo({ requests: { cpu: '1' }, spec: { priority: 200 } }), cluster).node?.name).toBe('a')
})

test('of equal sets of priorities the smaller wins', () => {
  const victims = (...priorities: number[]) => priorities.map((priority) => makePodInfo({ spec: { priority } }))
  const candidates = [
    { node: 'two', victims: victims(3, 3), violations: 0 },
    { node: 'one', victims: victims(3), violations: 0 },
  ]
  expect(pickCandidate(candidates)?.node).toBe('one')
  expect(pickCandidate([])).toBeUndefined()
})
