import type { Node, NodeCondition, Pod, PodCondition, Taint } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { findCondition, formatTime, isPodTerminal, isSameTaint, toleratesTaint } from '@keelson/kit'

/** Decides what the state of a node means for the node and for its pods. Reads nothing, writes nothing. */

export type AnyNode = DeepReadonly<Node>
export type AnyPod = DeepReadonly<Pod>
type AnyTaint = DeepReadonly<Taint>

/** A node that has been heard from before counts as dead after this long in silence. */
export const graceMs = 40_000
/** A node that never reported its state is given longer to start. */
export const startupGraceMs = 60_000

export const graceOf = ({ status }: AnyNode): number =>
  findCondition(status?.conditions, 'Ready') ? graceMs : startupGraceMs

export const isNodeReady = ({ status }: AnyNode): boolean =>
  findCondition(status?.conditions, 'Ready')?.status === 'True'

/** True when the node was found dead: nothing on it reports any more. */
export const isNodeDead = ({ status }: AnyNode): boolean =>
  findCondition(status?.conditions, 'Ready')?.status === 'Unknown'

/** What a kubelet reports; of a dead one all of it is unknown. */
const reported = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

/** The conditions of a node that fell silent, or undefined when they say so already. */
export function planSilence(node: AnyNode, now: number): NodeCondition[] | undefined {
  const before = (node.status?.conditions ?? []) as NodeCondition[]
  const time = formatTime(now)
  const after = reported.reduce((list, type) => withUnknown(list, type, node, time), before)
  return after === before ? undefined : after
}

function withUnknown(before: NodeCondition[], type: string, { metadata }: AnyNode, now: string): NodeCondition[] {
  const old = findCondition(before, type)
  if (old?.status === 'Unknown') return before
  const unknown = old
    ? { ...old, reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }
    : {
        type,
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: metadata.creationTimestamp,
      }
  const next = { ...unknown, status: 'Unknown', lastTransitionTime: now }
  return old ? before.map((one) => (one === old ? next : one)) : [...before, next]
}

const prefix = 'node.kubernetes.io'
const notReady = `${prefix}/not-ready`
const unreachable = `${prefix}/unreachable`
const pressures = {
  MemoryPressure: `${prefix}/memory-pressure`,
  DiskPressure: `${prefix}/disk-pressure`,
  PIDPressure: `${prefix}/pid-pressure`,
  NetworkUnavailable: `${prefix}/network-unavailable`,
} as const
const unschedulable = `${prefix}/unschedulable`

/** The taints that follow from a node's state; all others are somebody else's. */
const managed: readonly AnyTaint[] = [
  ...[notReady, unreachable, unschedulable, ...Object.values(pressures)].map(
    (key) => ({ key, effect: 'NoSchedule' }) as const,
  ),
  ...[notReady, unreachable].map((key) => ({ key, effect: 'NoExecute' }) as const),
]

/**
 * The taints a node should have, or undefined when it has them.
 * @param mayEvict false when no node at all gives a sign of life: then it is likelier that we are cut off than that all are dead
 */
export function planTaints(node: AnyNode, mayEvict: boolean, now: number): AnyTaint[] | undefined {
  const current = node.spec?.taints ?? []
  const wanted = wantedTaints(node, mayEvict)
  const isIn = (taint: AnyTaint, list: readonly AnyTaint[]) => list.some((one) => isSameTaint(one, taint))
  const kept = current.filter((taint) => isIn(taint, wanted) || !isIn(taint, managed))
  const added = wanted.filter((taint) => !isIn(taint, current))
  if (kept.length === current.length && added.length === 0) return undefined
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: formatTime(now) }))]
}

function wantedTaints({ spec, status }: AnyNode, mayEvict: boolean): AnyTaint[] {
  const ready = findCondition(status?.conditions, 'Ready')
  const keys = Object.entries(pressures)
    .filter(([type]) => findCondition(status?.conditions, type)?.status === 'True')
    .map(([, key]) => key as string)
  if (spec?.unschedulable) keys.push(unschedulable)
  const taints: AnyTaint[] = keys.map((key) => ({ key, effect: 'NoSchedule' }))
  if (ready?.status === 'True') return taints
  const key = ready?.status === 'Unknown' ? unreachable : notReady
  taints.push({ key, effect: 'NoSchedule' })
  if (ready && mayEvict) taints.push({ key, effect: 'NoExecute' })
  return taints
}

/** What becomes of a pod. Times are milliseconds since 1970. */
export type PodPlan =
  | { do: 'keep' }
  /** Not before `at`. */
  | { do: 'evict'; at: number }
  /** Nobody is there to end it gracefully. */
  | { do: 'remove'; reason: 'NodeGone' | 'NeverScheduled' }

/** @param node the pod's node, or undefined when there is none of that name */
export function planPod(pod: AnyPod, node: AnyNode | undefined, now: number): PodPlan {
  const isLeaving = pod.metadata.deletionTimestamp !== undefined
  if (!pod.spec.nodeName) return isLeaving ? { do: 'remove', reason: 'NeverScheduled' } : { do: 'keep' }
  if (!node) return { do: 'remove', reason: 'NodeGone' }
  if (isLeaving || isPodTerminal(pod)) return { do: 'keep' }
  const times = noExecuteTaints(node).map((taint) => evictionTime(pod, taint, now))
  const at = Math.min(...times)
  return at === Number.POSITIVE_INFINITY ? { do: 'keep' } : { do: 'evict', at }
}

export const noExecuteTaints = ({ spec }: AnyNode): AnyTaint[] =>
  (spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute')

/** Infinite when the pod may stay. The first toleration that covers the taint counts. */
function evictionTime({ spec }: AnyPod, taint: AnyTaint, now: number): number {
  const toleration = spec.tolerations?.find((one) => toleratesTaint(one, taint))
  if (!toleration) return now
  if (toleration.tolerationSeconds === undefined) return Number.POSITIVE_INFINITY
  const since = taint.timeAdded ? Date.parse(taint.timeAdded) : now
  return since + Math.max(0, toleration.tolerationSeconds) * 1000
}

/** The conditions of a pod on a dead node, or undefined when it is unready already. */
export function planUnready({ status }: AnyPod, now: number): PodCondition[] | undefined {
  const ready = findCondition(status?.conditions, 'Ready')
  if (ready?.status !== 'True') return undefined
  const unready = { ...ready, status: 'False', reason: 'NodeNotReady', lastTransitionTime: formatTime(now) }
  return status?.conditions?.map((one) => (one === ready ? unready : one)) as PodCondition[]
}

/** How a pod ends that is taken away: marked for those who ask why, and `Failed` when nobody else will end it. */
export function planDisruption(
  pod: AnyPod,
  reason: string,
  message: string,
  isLost: boolean,
  now: number,
): Pod['status'] {
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget')
  const disruption = { type: 'DisruptionTarget', status: 'True', reason, message, lastTransitionTime: formatTime(now) }
  const phase = isLost && !isPodTerminal(pod) ? ('Failed' as const) : undefined
  return { ...pod.status, ...(phase && { phase }), conditions: [...others, disruption] } as Pod['status']
}
