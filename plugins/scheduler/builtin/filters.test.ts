import type { Taint, Toleration } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { CycleState, type FilterPlugin, type PreFilterPlugin, type Rejection } from '../framework/types.ts'
import {
  affinityTo,
  antiAffinityTo,
  makeCluster,
  makeNodeInfo,
  makePodInfo,
  type NodeSketch,
  type PodSketch,
} from '../testing/objects.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { taintToleration } from './taint-toleration.ts'

/** The reasons of a filter that looks at one node only; empty when the pod fits. */
function reasonsOn(
  plugin: FilterPlugin,
  pod: PodSketch,
  node: NodeSketch,
  placed: PodSketch[] = [],
): readonly string[] {
  return plugin.filter(new CycleState(), makePodInfo(pod), makeNodeInfo(node, placed))?.reasons ?? []
}

/** Names of the nodes that a plugin with a preFilter leaves. */
function fitting(
  plugin: PreFilterPlugin & FilterPlugin,
  pod: PodInfo,
  cluster: ReturnType<typeof makeCluster>,
): string[] {
  const state = new CycleState()
  const result = plugin.preFilter(state, pod, cluster)
  const passes = (node: NodeInfo): Rejection | undefined =>
    typeof result === 'symbol' ? undefined : plugin.filter(state, pod, node)
  return cluster.nodes.filter((node) => !passes(node)).map((node) => node.name)
}

test('a pod that names its node fits no other', () => {
  expect(reasonsOn(nodeName, { node: 'node-a' }, { name: 'node-a' })).toEqual([])
  expect(reasonsOn(nodeName, { node: 'node-a' }, { name: 'node-b' })).toEqual([
    "node(s) didn't match the requested node name",
  ])
})

test('a cordoned node takes only pods that tolerate it', () => {
  const tolerations: Toleration[] = [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }]
  expect(reasonsOn(nodeUnschedulable, {}, { unschedulable: true })).toEqual(['node(s) were unschedulable'])
  expect(reasonsOn(nodeUnschedulable, { spec: { tolerations } }, { unschedulable: true })).toEqual([])
  expect(reasonsOn(nodeUnschedulable, {}, {})).toEqual([])
})

const dedicated: Taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }
const taintCases: { name: string; taint: Taint; tolerations: Toleration[]; fits: boolean }[] = [
  { name: 'no toleration', taint: dedicated, tolerations: [], fits: false },
  {
    name: 'the same key, value and effect',
    taint: dedicated,
    tolerations: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }],
    fits: true,
  },
  {
    name: 'another value',
    taint: dedicated,
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'cpu' }],
    fits: false,
  },
  {
    name: 'another effect',
    taint: dedicated,
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }],
    fits: false,
  },
  { name: 'any value', taint: dedicated, tolerations: [{ key: 'dedicated', operator: 'Exists' }], fits: true },
  { name: 'everything', taint: dedicated, tolerations: [{ operator: 'Exists' }], fits: true },
  { name: 'nothing, of a soft taint', taint: { key: 'a', effect: 'PreferNoSchedule' }, tolerations: [], fits: true },
  { name: 'nothing, of an evicting taint', taint: { key: 'a', effect: 'NoExecute' }, tolerations: [], fits: false },
]

test.each(taintCases)('tolerating $name of a taint: fits is $fits', ({ taint, tolerations, fits }) => {
  const reasons = reasonsOn(taintToleration, { spec: { tolerations } }, { taints: [taint] })
  expect(reasons).toEqual(fits ? [] : [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`])
})

const resourceCases: { name: string; pod: PodSketch; node: NodeSketch; placed?: PodSketch[]; want: string[] }[] = [
  {
    name: 'exactly enough',
    pod: { requests: { cpu: '1' } },
    node: { allocatable: { cpu: '2' } },
    placed: [{ requests: { cpu: '1' } }],
    want: [],
  },
  {
    name: 'too little cpu',
    pod: { requests: { cpu: '1001m' } },
    node: { allocatable: { cpu: '2' } },
    placed: [{ requests: { cpu: '1' } }],
    want: ['Insufficient cpu'],
  },
  {
    name: 'too little of two',
    pod: { requests: { cpu: '9', memory: '9Gi' } },
    node: {},
    want: ['Insufficient cpu', 'Insufficient memory'],
  },
  { name: 'too many pods', pod: {}, node: { allocatable: { pods: '1' } }, placed: [{}], want: ['Too many pods'] },
  {
    name: 'no such device',
    pod: { requests: { 'example.com/gpu': '1' } },
    node: {},
    want: ['Insufficient example.com/gpu'],
  },
  {
    name: 'a free device',
    pod: { requests: { 'example.com/gpu': '1' } },
    node: { allocatable: { 'example.com/gpu': '1' } },
    want: [],
  },
  {
    name: 'too little disk',
    pod: { requests: { 'ephemeral-storage': '2Gi' } },
    node: { allocatable: { 'ephemeral-storage': '1Gi' } },
    want: ['Insufficient ephemeral-storage'],
  },
  {
    name: 'nothing asked of a full node',
    pod: {},
    node: { allocatable: { cpu: '1' } },
    placed: [{ requests: { cpu: '1' } }],
    want: [],
  },
]

test.each(resourceCases)('node-resources-fit: $name', ({ pod, node, placed, want }) => {
  expect(reasonsOn(nodeResourcesFit, pod, node, placed)).toEqual(want)
})

test('eviction cannot help a pod that is larger than the empty node', () => {
  const verdict = (cpu: string) =>
    nodeResourcesFit.filter(
      new CycleState(),
      makePodInfo({ requests: { cpu } }),
      makeNodeInfo({}, [{ requests: { cpu: '4' } }]),
    )
  expect(verdict('4')).toMatchObject({ resolvable: true })
  expect(verdict('5')).toMatchObject({ resolvable: false })
})

test.each([
  { name: 'the same port', port: { containerPort: 1, hostPort: 80 }, fits: false },
  { name: 'another port', port: { containerPort: 1, hostPort: 81 }, fits: true },
  { name: 'another protocol', port: { containerPort: 1, hostPort: 80, protocol: 'UDP' as const }, fits: true },
  {
    name: 'one address of a port taken on all',
    port: { containerPort: 1, hostPort: 80, hostIP: '10.0.0.1' },
    fits: false,
  },
])('node-ports: $name fits is $fits', ({ port, fits }) => {
  const spec = { containers: [{ name: 'c', ports: [port] }] }
  expect(reasonsOn(nodePorts, { spec }, {}, [{ hostPort: 80 }]).length === 0).toBe(fits)
})

test('different addresses share a port', () => {
  const on = (hostIP: string) => ({
    spec: { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80, hostIP }] }] },
  })
  expect(reasonsOn(nodePorts, on('10.0.0.1'), {}, [on('10.0.0.2')])).toEqual([])
})

const nodeTerms = (...nodeSelectorTerms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
})
const inZone = (...values: string[]) => ({ matchExpressions: [{ key: 'zone', operator: 'In', values }] })
const named = (...values: string[]) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values }] })
const zones = [{ name: 'a1', labels: { zone: 'a' } }, { name: 'b1', labels: { zone: 'b' } }, { name: 'none' }]

test.each([
  { name: 'no wish', spec: {}, want: ['a1', 'b1', 'none'] },
  { name: 'a selector', spec: { nodeSelector: { zone: 'a' } }, want: ['a1'] },
  { name: 'one of two terms', spec: nodeTerms(inZone('a'), inZone('b')), want: ['a1', 'b1'] },
  { name: 'selector and terms', spec: { nodeSelector: { zone: 'b' }, ...nodeTerms(inZone('a')) }, want: [] },
  { name: 'a name', spec: nodeTerms(named('none')), want: ['none'] },
  { name: 'a name in a zone', spec: nodeTerms({ ...named('b1', 'none'), ...inZone('b') }), want: ['b1'] },
  { name: 'an empty term', spec: nodeTerms({}), want: [] },
])('node-affinity: $name', ({ spec, want }) => {
  expect(fitting(nodeAffinity, makePodInfo({ spec }), makeCluster(zones))).toEqual(want)
})

test('node-affinity narrows the search when every term names nodes', () => {
  const preFilter = (spec: object) =>
    nodeAffinity.preFilter(new CycleState(), makePodInfo({ spec }), makeCluster(zones))
  expect(preFilter(nodeTerms(named('a1'), named('b1')))).toEqual({ nodeNames: new Set(['a1', 'b1']) })
  expect(preFilter(nodeTerms(named('a1'), inZone('b')))).toBeUndefined()
})

const twoZones = [
  { name: 'a1', labels: { zone: 'a' } },
  { name: 'a2', labels: { zone: 'a' } },
  { name: 'b1', labels: { zone: 'b' } },
  { name: 'lost' },
]
const web = { app: 'web' }

test.each([
  {
    name: 'anti-affinity by host',
    spec: antiAffinityTo(web),
    placed: [{ labels: web, node: 'a1' }],
    want: ['a2', 'b1', 'lost'],
  },
  {
    name: 'anti-affinity by zone',
    spec: antiAffinityTo(web, 'zone'),
    placed: [{ labels: web, node: 'a1' }],
    want: ['b1', 'lost'],
  },
  {
    name: 'anti-affinity to nobody here',
    spec: antiAffinityTo(web),
    placed: [{ labels: { app: 'db' }, node: 'a1' }],
    want: ['a1', 'a2', 'b1', 'lost'],
  },
  {
    name: 'anti-affinity in another namespace',
    spec: antiAffinityTo(web),
    placed: [{ labels: web, node: 'a1', namespace: 'other' }],
    want: ['a1', 'a2', 'b1', 'lost'],
  },
  {
    name: 'affinity by zone',
    spec: affinityTo(web, 'zone'),
    placed: [{ labels: web, node: 'a1' }],
    want: ['a1', 'a2'],
  },
  { name: 'affinity to nobody here', spec: affinityTo({ app: 'db' }, 'zone'), placed: [], want: [] },
  { name: 'the first of a group', spec: affinityTo({ app: 'me' }, 'zone'), placed: [], want: ['a1', 'a2', 'b1'] },
  {
    name: 'the second of a group',
    spec: affinityTo({ app: 'me' }, 'zone'),
    placed: [{ labels: { app: 'me' }, node: 'b1' }],
    want: ['b1'],
  },
  {
    name: 'anti-affinity of a placed pod',
    spec: {},
    placed: [{ labels: web, node: 'a1', spec: antiAffinityTo({ app: 'me' }, 'zone') }],
    want: ['b1', 'lost'],
  },
])('inter-pod-affinity: $name', ({ spec, placed, want }) => {
  const pod = makePodInfo({ labels: { app: 'me' }, spec })
  expect(fitting(interPodAffinity, pod, makeCluster(twoZones, placed)).sort()).toEqual(want)
})

test('a namespace selector widens a term', () => {
  const term = {
    labelSelector: {},
    namespaceSelector: { matchLabels: { team: 'x' } },
    topologyKey: 'kubernetes.io/hostname',
  }
  const spec = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
  const cluster = makeCluster(twoZones, [
    { namespace: 'x', node: 'a1' },
    { namespace: 'y', node: 'b1' },
  ])
  cluster.setNamespace('x', { team: 'x' })
  expect(fitting(interPodAffinity, makePodInfo({ spec }), cluster)).not.toContain('a1')
  expect(fitting(interPodAffinity, makePodInfo({ spec }), cluster)).toContain('b1')
})

const spreadBy = (topologyKey: string, maxSkew: number, more: object = {}) => ({
  topologySpreadConstraints: [
    { topologyKey, maxSkew, whenUnsatisfiable: 'DoNotSchedule' as const, labelSelector: { matchLabels: web }, ...more },
  ],
})

test.each([
  { name: 'goes to the emptier zone', spec: spreadBy('zone', 1), placed: [{ labels: web, node: 'a1' }], want: ['b1'] },
  {
    name: 'allows a larger skew',
    spec: spreadBy('zone', 2),
    placed: [{ labels: web, node: 'a1' }],
    want: ['a1', 'a2', 'b1'],
  },
  {
    name: 'does not count ending pods',
    spec: spreadBy('zone', 1),
    placed: [{ labels: web, node: 'a1', terminating: true }],
    want: ['a1', 'a2', 'b1'],
  },
  {
    name: 'does not count other namespaces',
    spec: spreadBy('zone', 1),
    placed: [{ labels: web, node: 'a1', namespace: 'x' }],
    want: ['a1', 'a2', 'b1'],
  },
  {
    name: 'takes missing domains for empty',
    spec: spreadBy('zone', 1, { minDomains: 3 }),
    placed: [
      { labels: web, node: 'a1' },
      { labels: web, node: 'b1' },
    ],
    want: [],
  },
  {
    name: 'ignores zones it may not use',
    spec: { ...spreadBy('zone', 1), nodeSelector: { zone: 'a' } },
    placed: [{ labels: web, node: 'a1' }],
    want: ['a1', 'a2', 'b1'],
  },
  {
    name: 'counts zones it may not use when told so',
    spec: { ...spreadBy('zone', 1, { nodeAffinityPolicy: 'Ignore' }), nodeSelector: { zone: 'a' } },
    placed: [{ labels: web, node: 'a1' }],
    want: ['b1'],
  },
])('pod-topology-spread $name', ({ spec, placed, want }) => {
  const pod = makePodInfo({ labels: web, spec })
  expect(fitting(podTopologySpread, pod, makeCluster(twoZones, placed)).sort()).toEqual(want)
})
