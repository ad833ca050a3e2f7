/** Pods and nodes for tests, as short to write as they are to read. */
import type { Node, Pod, PodSpec, Taint } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { SchedulerCache } from '../cache/cache.ts'
import { NodeInfo } from '../framework/node-info.ts'
import { type PodInfo, podInfoOf } from '../framework/pod-info.ts'

export interface PodSketch {
  name?: string
  namespace?: string
  labels?: Record<string, string>
  requests?: Record<string, string>
  hostPort?: number
  node?: string
  spec?: Partial<PodSpec>
  terminating?: boolean
}

let uids = 0

export function makePod({ name = 'pod', namespace = 'default', ...of }: PodSketch = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      uid: `uid-${++uids}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(of.labels && { labels: of.labels }),
      ...(of.terminating && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [
        {
          name: 'main',
          image: 'registry.example/app:1',
          ...(of.requests && { resources: { requests: of.requests } }),
          ...(of.hostPort && { ports: [{ containerPort: of.hostPort, hostPort: of.hostPort, protocol: 'TCP' }] }),
        },
      ],
      ...(of.node && { nodeName: of.node }),
      ...of.spec,
    },
  }
}

export const makePodInfo = (of: PodSketch = {}): PodInfo => podInfoOf(makePod(of))

export interface NodeSketch {
  name?: string
  labels?: Record<string, string>
  allocatable?: Record<string, string>
  taints?: Taint[]
  unschedulable?: boolean
  images?: Record<string, number>
}

export function makeNode({
  name = 'node',
  labels = {},
  allocatable,
  taints,
  unschedulable,
  images,
}: NodeSketch = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: {
      allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable },
      images: Object.entries(images ?? {}).map(([image, sizeBytes]) => ({ names: [image], sizeBytes })),
    },
  }
}

export function makeNodeInfo(of: NodeSketch = {}, pods: readonly PodSketch[] = []): NodeInfo {
  const node = new NodeInfo(makeNode(of))
  for (const pod of pods) node.addPod(makePodInfo(pod))
  return node
}

/** A cache that holds the nodes, and the pods on the nodes they name. */
export function makeCluster(nodes: readonly NodeSketch[], pods: readonly PodSketch[] = []): SchedulerCache {
  const cache = new SchedulerCache()
  cache.setNamespace('default', { 'kubernetes.io/metadata.name': 'default' })
  for (const node of nodes) cache.setNode(makeNode(node))
  for (const pod of pods) cache.place(makePodInfo(pod), pod.node ?? '')
  return cache
}

export const antiAffinityTo = (labels: Record<string, string>, topologyKey = 'kubernetes.io/hostname') => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: labels }, topologyKey }],
    },
  },
})

export const affinityTo = (labels: Record<string, string>, topologyKey = 'kubernetes.io/hostname') => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: labels }, topologyKey }],
    },
  },
})
