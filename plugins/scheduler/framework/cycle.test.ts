import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildPlugins } from '../builtin/registry.ts'
import { antiAffinityTo, makeCluster, makePodInfo, type NodeSketch, type PodSketch } from '../testing/objects.ts'
import { openProfile } from '../testing/one-profile.ts'
import { feasibleNodesWanted, indexOfBest } from './cycle.ts'
import { describeFailure } from './message.ts'

function failureOf(pod: PodSketch, nodes: NodeSketch[], placed: PodSketch[] = []): string {
  const { cycle, framework } = openProfile()
  const [info, cluster] = [makePodInfo(pod), makeCluster(nodes, placed)]
  const result = cycle.run(info, cluster)
  if (result.node) throw new Error('it fits')
  const { message } = framework.postFilter(result.state, info, cluster, result.diagnosis)
  return describeFailure(result.diagnosis, message)
}

test('a failure names the reasons with their counts', () => {
  const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' as const }
  const nodes = [{ name: 'a' }, { name: 'b', taints: [notReady] }, { name: 'c', taints: [notReady] }]
  expect(failureOf({ requests: { cpu: '4' } }, nodes, [{ node: 'a', requests: { cpu: '1' } }])).toBe(
    '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {node.kubernetes.io/not-ready: }. ' +
      'preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.',
  )
})

test('a failure without nodes says so', () => expect(failureOf({}, [])).toBe('no nodes available to schedule pods'))

test('a pod for one node reports on that one and counts the others', () => {
  const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: ['b'] }]
  const spec = {
    affinity: {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } },
    },
  }
  expect(failureOf({ spec, requests: { cpu: '9' } }, [{ name: 'a' }, { name: 'b' }])).toContain(
    "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [",
  )
})

test('a pod that may not preempt says so', () => {
  const spec = { preemptionPolicy: 'Never' as const, priority: 9 }
  expect(failureOf({ spec, requests: { cpu: '9' } }, [{}])).toContain(
    'preemption: not eligible due to preemptionPolicy=Never.',
  )
})

test.each([
  [50, 0, 50],
  [100, 0, 100],
  [1_000, 0, 420],
  [5_000, 0, 500],
  [10_000, 0, 500],
  [1_000, 20, 200],
  [1_000, 1, 100],
])('of %i nodes at %i percent, %i that fit are enough', (nodes, percentage, want) => {
  expect(feasibleNodesWanted(nodes, percentage)).toBe(want)
})

test('of equally good nodes chance decides', () => {
  expect(indexOfBest([1, 5, 5, 2], () => 0)).toBe(2)
  expect(indexOfBest([1, 5, 5, 2], () => 0.9)).toBe(1)
})

test('a plugin that does not exist cannot be disabled', () => {
  const { framework } = openProfile()
  const api = { bind: async () => {}, preempt: async () => {} }
  const choose = (disabled: string[]) => () =>
    buildPlugins({ api, filters: framework }, { disabled: new Set(disabled), weights: new Map() })
  expect(choose(['no-such'])).toThrow('no scheduler plugin is named "no-such"')
  expect(choose(['image-locality'])().some(({ plugin }) => plugin.name === 'image-locality')).toBe(false)
})

const sketches = fc.array(
  fc.record({
    cpu: fc.integer({ min: 0, max: 3000 }),
    memory: fc.integer({ min: 0, max: 6 }),
    app: fc.constantFrom('a', 'b', 'c'),
    avoids: fc.constantFrom('a', 'b', undefined),
    hostPort: fc.constantFrom(80, 81, undefined),
  }),
  { maxLength: 40 },
)

test('no sequence of pods over-commits a node, doubles a port or breaks anti-affinity', () => {
  fc.assert(
    fc.property(sketches, fc.integer({ min: 1, max: 6 }), (pods, nodeCount) => {
      const { cycle } = openProfile()
      const cluster = makeCluster(
        Array.from({ length: nodeCount }, (_, at) => ({ name: `n${at}`, allocatable: { pods: '6' } })),
      )
      for (const { cpu, memory, app, avoids, hostPort } of pods) {
        const pod = makePodInfo({
          labels: { app },
          requests: { cpu: `${cpu}m`, memory: `${memory}Gi` },
          ...(hostPort && { hostPort }),
          ...(avoids && { spec: antiAffinityTo({ app: avoids }) }),
        })
        const { node } = cycle.run(pod, cluster)
        if (node) cluster.place(pod, node.name)
      }
      for (const node of cluster.nodes) expectSound([...node.pods.values()])
    }),
  )
})

function expectSound(pods: ReturnType<typeof makePodInfo>[]): void {
  const sum = (of: (pod: (typeof pods)[number]) => number) => pods.reduce((total, pod) => total + of(pod), 0)
  expect(pods.length).toBeLessThanOrEqual(6)
  expect(sum(({ requests }) => requests.milliCpu)).toBeLessThanOrEqual(4_000)
  expect(sum(({ requests }) => requests.memory)).toBeLessThanOrEqual(8 * 2 ** 30)
  const ports = pods.flatMap((pod) => pod.ports.map(({ port }) => port))
  expect(new Set(ports).size).toBe(ports.length)
  for (const pod of pods) {
    for (const other of pods) {
      if (pod === other) continue
      expect(pod.antiAffinity.some((term) => term.matches(other, () => ({})))).toBe(false)
    }
  }
}
