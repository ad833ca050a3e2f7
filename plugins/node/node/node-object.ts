import type { Node, NodeCondition, NodeStatus, NodeSystemInfo } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Image } from '@keelson/apis/plugin/v1/cri.ts'
import type { DeepReadonly } from '@keelson/client'
import { formatTime } from '@keelson/kit'
import type { Capacity } from './facts.ts'

/** The Node objects the agent writes. Pure. */

export interface NodeDescription {
  name: string
  address: string
  kubeletPort: number
  capacity: Capacity
  info: NodeSystemInfo
  images: readonly Image[]
  labels: Readonly<Record<string, string>>
  taints: NonNullable<NonNullable<Node['spec']>['taints']>
  /** Why containers cannot run now. */
  problem?: string
}

const mostImages = 50

export function nodeObject(of: NodeDescription, nowMs: number): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: of.name, labels: nodeLabels(of) },
    spec: of.taints.length > 0 ? { taints: of.taints } : {},
    status: nodeStatus(of, undefined, nowMs),
  }
}

export function nodeLabels({ name, info, labels }: NodeDescription): Record<string, string> {
  const { architecture: arch, operatingSystem: os } = info
  return {
    'beta.kubernetes.io/arch': arch,
    'beta.kubernetes.io/os': os,
    'kubernetes.io/arch': arch,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': os,
    ...labels,
  }
}

/** @param before the status so far: conditions keep their time while they keep their status */
export function nodeStatus(
  of: NodeDescription,
  before: DeepReadonly<NodeStatus> | undefined,
  nowMs: number,
): NodeStatus {
  const capacity: Record<string, string> = { ...of.capacity }
  return {
    addresses: [
      { type: 'InternalIP', address: of.address },
      { type: 'Hostname', address: of.name },
    ],
    capacity,
    allocatable: capacity,
    conditions: conditions(of, before?.conditions ?? [], formatTime(nowMs)),
    daemonEndpoints: { kubeletEndpoint: { Port: of.kubeletPort } },
    nodeInfo: of.info,
    images: of.images
      .toSorted((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, mostImages)
      .map(({ repoDigests, repoTags, sizeBytes }) => ({ names: [...repoDigests, ...repoTags], sizeBytes })),
  }
}

function conditions(
  { problem }: NodeDescription,
  before: readonly DeepReadonly<NodeCondition>[],
  now: string,
): NodeCondition[] {
  const pressures = [
    {
      type: 'MemoryPressure',
      reason: 'KubeletHasSufficientMemory',
      message: 'kubelet has sufficient memory available',
    },
    { type: 'DiskPressure', reason: 'KubeletHasNoDiskPressure', message: 'kubelet has no disk pressure' },
    { type: 'PIDPressure', reason: 'KubeletHasSufficientPID', message: 'kubelet has sufficient PID available' },
  ].map((one) => ({ ...one, status: 'False' }))
  const ready = problem
    ? { type: 'Ready', status: 'False', reason: 'KubeletNotReady', message: `container runtime is down: ${problem}` }
    : { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  return [...pressures, ready].map((one) => {
    const old = before.find(({ type }) => type === one.type)
    const lastTransitionTime = old?.status === one.status ? (old.lastTransitionTime ?? now) : now
    return { ...one, lastHeartbeatTime: now, lastTransitionTime }
  })
}
