import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import type { Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import {
  findCondition,
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  matchesSet,
  msUntilAvailable,
  podReadySince,
  removeCondition,
  setCondition,
} from '@keelson/kit'

/** Decides what a ReplicaSet needs. Reads nothing, writes nothing. */

type AnyPod = DeepReadonly<Pod>
type AnyReplicaSet = DeepReadonly<ReplicaSet>

export interface ScalePlan {
  create: number
  remove: AnyPod[]
}

/** At most this many pods are created or deleted in one go. */
const burst = 500

/**
 * What brings the number of active pods to `replicas`.
 * @param podsOnNode how many active pods of the same workload run on a node: those that share theirs go first
 */
export function planScale(
  replicas: number,
  pods: readonly AnyPod[],
  podsOnNode: (node: string) => number,
  now: number,
): ScalePlan {
  const active = pods.filter(isPodActive)
  const missing = replicas - active.length
  if (missing >= 0) return { create: Math.min(missing, burst), remove: [] }
  return { create: 0, remove: rankForDeletion(active, podsOnNode, now).slice(0, Math.min(-missing, burst)) }
}

const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * The pods in the order in which they are given up: those that serve least, or are cheapest to replace, first.
 * Ages count by orders of magnitude, so that among pods of about the same age chance decides, not the age.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
 */
function rankForDeletion(pods: readonly AnyPod[], podsOnNode: (node: string) => number, now: number): AnyPod[] {
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, podsOnNode, now) }))
  ranked.sort((a, b) => compareRanks(a.rank, b.rank) || compareText(a.pod.metadata.uid, b.pod.metadata.uid))
  return ranked.map(({ pod }) => pod)
}

/** Lower goes first, compared from left to right. */
function rankOf(pod: AnyPod, podsOnNode: (node: string) => number, now: number): number[] {
  const node = pod.spec.nodeName ?? ''
  const readySince = podReadySince(pod)
  return [
    node ? 1 : 0,
    phaseRanks[pod.status?.phase ?? 'Pending'],
    readySince === undefined ? 0 : 1,
    deletionCost(pod),
    node ? -podsOnNode(node) : 0,
    readySince === undefined ? 0 : magnitude(now - readySince),
    -restartsOf(pod),
    magnitude(now - Date.parse(pod.metadata.creationTimestamp ?? '')),
  ]
}

const phaseRanks = { Pending: 0, Unknown: 1, Running: 2, Succeeded: 2, Failed: 2 } as const satisfies Record<
  NonNullable<NonNullable<Pod['status']>['phase']>,
  number
>

function deletionCost(pod: AnyPod): number {
  const text = pod.metadata.annotations?.[costAnnotation] ?? '0'
  return /^-?(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : 0
}

const restartsOf = (pod: AnyPod) =>
  (pod.status?.containerStatuses ?? []).reduce((most, status) => Math.max(most, status.restartCount), 0)

const magnitude = (ms: number) => (ms >= 1000 ? Math.floor(Math.log2(ms / 1000)) : 0)

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : a[at]! - b[at]!
}

const compareText = (a = '', b = '') => (a < b ? -1 : a > b ? 1 : 0)

/** A creation or deletion that failed while scaling. */
export interface ScaleFailure {
  reason: 'FailedCreate' | 'FailedDelete'
  message: string
}

/** The status that `pods`, all that the ReplicaSet manages, give it. */
export function planStatus(
  replicaSet: AnyReplicaSet,
  pods: readonly AnyPod[],
  failure: ScaleFailure | undefined,
  nowText: string,
  now: number,
): ReplicaSetStatus {
  const { template, minReadySeconds = 0 } = replicaSet.spec
  const active = pods.filter(isPodActive)
  const count = (holds: (pod: AnyPod) => boolean) => active.filter(holds).length
  return {
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => matchesSet(template?.metadata?.labels ?? {}, pod.metadata.labels)),
    readyReplicas: count(isPodReady),
    availableReplicas: count((pod) => isPodAvailable(pod, minReadySeconds, now)),
    terminatingReplicas: pods.filter((pod) => pod.metadata.deletionTimestamp && !isPodTerminal(pod)).length,
    observedGeneration: replicaSet.metadata.generation,
    conditions: conditionsFor(replicaSet, failure, nowText),
  }
}

function conditionsFor(replicaSet: AnyReplicaSet, failure: ScaleFailure | undefined, now: string) {
  const old = (replicaSet.status?.conditions ?? []) as ReplicaSetCondition[]
  const conditions = failure ? failing(old, failure, now) : removeCondition(old, 'ReplicaFailure')
  return conditions.length > 0 ? conditions : undefined
}

/** Each try names another pod in its message: to show the last would be a change that makes for the next try at once. */
function failing(old: ReplicaSetCondition[], failure: ScaleFailure, now: string): ReplicaSetCondition[] {
  const shown = findCondition(old, 'ReplicaFailure')
  if (shown?.status === 'True' && shown.reason === failure.reason) return old
  return setCondition(old, { type: 'ReplicaFailure', status: 'True', ...failure }, now)
}

/** Milliseconds until the next ready pod becomes available by time alone; undefined when none will. */
export function nextAvailabilityMs(pods: readonly AnyPod[], minReadySeconds: number, now: number): number | undefined {
  const waits = pods
    .filter(isPodActive)
    .map((pod) => msUntilAvailable(pod, minReadySeconds, now))
    .filter((wait) => wait !== undefined && wait > 0)
  return waits.length > 0 ? Math.min(...(waits as number[])) : undefined
}
