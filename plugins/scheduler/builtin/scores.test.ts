import { expect, test } from 'vitest'
import { CycleState, type PreScorePlugin, type ScorePlugin } from '../framework/types.ts'
import { makeCluster, makePodInfo, type NodeSketch, type PodSketch } from '../testing/objects.ts'
import { imageLocality, withTag } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { taintToleration } from './taint-toleration.ts'

/** The normalised score of each node, by name; undefined when the plugin has nothing to say. */
function scores(
  plugin: ScorePlugin & Partial<PreScorePlugin>,
  pod: PodSketch,
  nodes: NodeSketch[],
  placed: PodSketch[] = [],
) {
  const [state, info, cluster] = [new CycleState(), makePodInfo(pod), makeCluster(nodes, placed)]
  if (typeof plugin.preScore?.(state, info, cluster.nodes, cluster) === 'symbol') return undefined
  const list = cluster.nodes.map((node) => plugin.score(state, info, node, cluster))
  plugin.normalise?.(state, info, cluster.nodes, list)
  return Object.fromEntries(cluster.nodes.map((node, at) => [node.name, list[at]]))
}

const pair = [
  { name: 'a', labels: { zone: 'a' } },
  { name: 'b', labels: { zone: 'b' } },
]
const web = { app: 'web' }

test('node-resources-fit prefers the emptier node', () => {
  const placed = [{ node: 'a', requests: { cpu: '2', memory: '4Gi' } }]
  expect(scores(nodeResourcesFit, { requests: { cpu: '1', memory: '2Gi' } }, pair, placed)).toEqual({ a: 25, b: 75 })
})

test('node-resources-fit tells nodes apart by pods that request nothing', () => {
  const { a, b } = scores(nodeResourcesFit, {}, pair, [{ node: 'a' }])!
  expect(a).toBeLessThan(b!)
})

test('balanced allocation prefers the node on which shares come out even', () => {
  const placed: PodSketch[] = [
    { node: 'a', requests: { cpu: '2' } },
    { node: 'b', requests: { memory: '4Gi' } },
  ]
  expect(scores(nodeResourcesBalancedAllocation, { requests: { memory: '4Gi' } }, pair, placed)).toEqual({
    a: 100,
    b: 50,
  })
  expect(scores(nodeResourcesBalancedAllocation, {}, pair)).toBeUndefined()
})

test('taint-toleration prefers nodes with fewer soft taints', () => {
  const taints = [{ key: 'slow', effect: 'PreferNoSchedule' as const }]
  expect(scores(taintToleration, {}, [{ name: 'a', taints }, { name: 'b' }])).toEqual({ a: 0, b: 100 })
  expect(scores(taintToleration, {}, pair)).toBeUndefined()
})

test('node-affinity adds the weights of preferred terms', () => {
  const preference = (zone: string) => ({
    matchExpressions: [{ key: 'zone', operator: 'In' as const, values: [zone] }],
  })
  const preferredDuringSchedulingIgnoredDuringExecution = [
    { weight: 20, preference: preference('a') },
    { weight: 80, preference: preference('b') },
  ]
  const spec = { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution } } }
  expect(scores(nodeAffinity, { spec }, pair)).toEqual({ a: 25, b: 100 })
})

test('inter-pod-affinity draws and repels by weight', () => {
  const preferred = [{ weight: 10, podAffinityTerm: { labelSelector: { matchLabels: web }, topologyKey: 'zone' } }]
  const placed = [{ node: 'a', labels: web }]
  const drawn = { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } }
  const repelled = { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } }
  expect(scores(interPodAffinity, { spec: drawn }, pair, placed)).toEqual({ a: 100, b: 0 })
  expect(scores(interPodAffinity, { spec: repelled }, pair, placed)).toEqual({ a: 0, b: 100 })
  expect(scores(interPodAffinity, { labels: web }, pair, [{ node: 'b', spec: drawn }])).toEqual({ a: 0, b: 100 })
})

test('pod-topology-spread prefers the emptier domain, and none outside them', () => {
  const whenUnsatisfiable = 'ScheduleAnyway' as const
  const spec = {
    topologySpreadConstraints: [
      { topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable, labelSelector: { matchLabels: web } },
    ],
  }
  const placed = [
    { node: 'a', labels: web },
    { node: 'a', labels: web },
  ]
  const found = scores(podTopologySpread, { labels: web, spec }, [...pair, { name: 'lost' }], placed)!
  expect(found.b).toBe(100)
  expect(found.a).toBeLessThan(found.b!)
  expect(found.lost).toBe(0)
})

test('image-locality prefers nodes that have the image, by size', () => {
  const image = 'registry.example/app:1'
  const nodes = [{ name: 'a', images: { [image]: 1000 * 2 ** 20 } }, { name: 'b' }]
  expect(scores(imageLocality, {}, nodes)).toEqual({ a: 48, b: 0 })
  expect(scores(imageLocality, {}, pair)).toBeUndefined()
})

test.each([
  ['busybox', 'busybox:latest'],
  ['busybox:1', 'busybox:1'],
  ['host:5000/busybox', 'host:5000/busybox:latest'],
])('withTag makes %s %s', (image, want) => expect(withTag(image)).toBe(want))
