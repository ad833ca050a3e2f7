import type { DeploymentCondition, DeploymentStatus } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import { findCondition, formatTime, removeCondition } from '@keelson/kit'
import type { AnyDeployment, AnyReplicaSet } from './revisions.ts'
import { limitsOf, sizeOf, wantedReplicas } from './rollout.ts'

/** What a Deployment reports about itself, in the words that `kubectl rollout status` reads. Pure. */

/** What happened to the new ReplicaSet in this pass, when anything did. */
export type Progress =
  | { reason: 'NewReplicaSetCreated' | 'FoundNewReplicaSet'; name: string }
  | { reason: 'ReplicaSetCreateError'; message: string }

export interface Observed {
  deployment: AnyDeployment
  newest?: AnyReplicaSet
  /** Those of earlier revisions. */
  old: readonly AnyReplicaSet[]
  progress?: Progress
  collisionCount?: number
  /** Milliseconds since 1970. */
  now: number
}

export function planStatus(observed: Observed): DeploymentStatus {
  const counted = countReplicas(observed)
  const conditions = [withAvailable, withProgress, withFailure].reduce(
    (before, step) => step(before, observed, counted),
    (observed.deployment.status?.conditions ?? []) as DeploymentCondition[],
  )
  return { ...counted, ...(conditions.length > 0 && { conditions }) }
}

function countReplicas({ deployment, newest, old, collisionCount }: Observed): DeploymentStatus {
  const all = newest ? [newest, ...old] : old
  const total = (of: (one: AnyReplicaSet) => number | undefined) =>
    all.reduce((count, one) => count + (of(one) ?? 0), 0)
  const availableReplicas = total((one) => one.status?.availableReplicas)
  const collisions = collisionCount ?? deployment.status?.collisionCount
  return {
    observedGeneration: deployment.metadata.generation,
    replicas: total((one) => one.status?.replicas),
    updatedReplicas: newest?.status?.replicas ?? 0,
    readyReplicas: total((one) => one.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, total(sizeOf) - availableReplicas),
    terminatingReplicas: total((one) => one.status?.terminatingReplicas),
    ...(collisions !== undefined && { collisionCount: collisions }),
  }
}

type Step = (before: DeploymentCondition[], observed: Observed, counted: DeploymentStatus) => DeploymentCondition[]

const withAvailable: Step = (before, { deployment, now }, { availableReplicas = 0 }) => {
  const isAvailable = availableReplicas >= wantedReplicas(deployment) - limitsOf(deployment).maxUnavailable
  const condition = isAvailable
    ? { status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
  return put(before, { type: 'Available', ...condition }, now)
}

/** Kubernetes counts this as "no deadline". */
const noDeadline = 2 ** 31 - 1

const withProgress: Step = (before, observed, counted) => {
  const { deployment, progress, now } = observed
  const deadline = deployment.spec.progressDeadlineSeconds ?? noDeadline
  if (progress?.reason === 'ReplicaSetCreateError') return put(before, failedCreate(progress), now)
  if (deadline === noDeadline) return removeCondition(before, 'Progressing')
  const current = findCondition(before, 'Progressing')
  if (deployment.spec.paused) return hasTimedOutReason(current) ? before : put(before, paused, now)
  if (current?.reason === paused.reason) return put(before, resumed, now)
  const started = progress ? put(before, startedBy(progress), now) : before
  return rolledOn(started, observed, counted)
}

const paused = { type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused', message: 'Deployment is paused' }
const resumed = {
  type: 'Progressing',
  status: 'Unknown',
  reason: 'DeploymentResumed',
  message: 'Deployment is resumed',
}

const failedCreate = ({ message }: { message: string }) => ({
  type: 'Progressing',
  status: 'False',
  reason: 'ReplicaSetCreateError',
  message,
})

function startedBy(progress: Exclude<Progress, { message: string }>) {
  const verb = progress.reason === 'FoundNewReplicaSet' ? 'Found' : 'Created'
  const message = `${verb} new replica set "${progress.name}"`
  return { type: 'Progressing', status: 'True', reason: progress.reason, message }
}

/** Complete, or moving, or stuck for too long: the first that holds is what Progressing says. */
function rolledOn(before: DeploymentCondition[], observed: Observed, counted: DeploymentStatus): DeploymentCondition[] {
  const { deployment, newest, now } = observed
  const current = findCondition(before, 'Progressing')
  const what = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  const wasComplete = current?.reason === 'NewReplicaSetAvailable' && counted.replicas === counted.updatedReplicas
  if (wasComplete) return before
  if (isComplete(deployment, counted)) {
    const message = `${what} has successfully progressed.`
    return put(before, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message }, now)
  }
  if (hasMoved(deployment.status ?? {}, counted)) {
    const message = `${what} is progressing.`
    return renew(before, { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message }, now)
  }
  if (hasTimedOut(deployment, current, now)) {
    const message = `${what} has timed out progressing.`
    return put(before, { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message }, now)
  }
  return before
}

/** All wanted pods are of the newest revision and available, and no other is left. */
export function isComplete(deployment: AnyDeployment, status: DeepReadonly<DeploymentStatus>): boolean {
  const wanted = wantedReplicas(deployment)
  const isObserved = (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status
  return isObserved && [updatedReplicas, replicas, availableReplicas].every((count) => count === wanted)
}

function hasMoved(old: DeepReadonly<DeploymentStatus>, counted: DeploymentStatus): boolean {
  const outdated = ({ replicas = 0, updatedReplicas = 0 }) => replicas - updatedReplicas
  return (
    (counted.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    outdated(counted) < outdated(old) ||
    (counted.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (counted.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  )
}

const hasTimedOutReason = (condition?: DeploymentCondition) => condition?.reason === 'ProgressDeadlineExceeded'

function hasTimedOut(deployment: AnyDeployment, current: DeploymentCondition | undefined, now: number): boolean {
  if (!current || current.reason === 'NewReplicaSetAvailable') return false
  return hasTimedOutReason(current) || now >= deadlineOf(deployment, current)
}

const deadlineOf = (deployment: AnyDeployment, { lastUpdateTime = '' }: DeploymentCondition) =>
  Date.parse(lastUpdateTime) + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000

/** Milliseconds until a rollout that makes no progress counts as stuck; undefined when none is under way. */
export function msUntilDeadline(deployment: AnyDeployment, status: DeploymentStatus, now: number): number | undefined {
  const current = findCondition(status.conditions, 'Progressing')
  const isOver = !current || hasTimedOutReason(current) || current.reason === 'NewReplicaSetAvailable'
  if (isOver || deployment.spec.paused || isComplete(deployment, status)) return undefined
  return Math.max(0, deadlineOf(deployment, current) - now) + 1000
}

const withFailure: Step = (before, { newest, old, now }) => {
  const failures = [newest, ...old].map((one) => findCondition(one?.status?.conditions, 'ReplicaFailure'))
  const failure = failures.find((one) => one?.status === 'True')
  if (!failure) return removeCondition(before, 'ReplicaFailure')
  const { reason, message } = failure
  return put(before, { type: 'ReplicaFailure', status: 'True', reason, message }, now)
}

/** Puts a condition in, unless it says the same status and reason already: then its times would only cause writes. */
function put(before: DeploymentCondition[], next: DeploymentCondition, now: number): DeploymentCondition[] {
  const old = findCondition(before, next.type)
  return old?.status === next.status && old.reason === next.reason ? before : renew(before, next, now)
}

/** Puts a condition in with `lastUpdateTime` now: the progress deadline counts from there. */
function renew(before: DeploymentCondition[], next: DeploymentCondition, now: number): DeploymentCondition[] {
  const time = formatTime(now)
  const old = findCondition(before, next.type)
  const lastTransitionTime = old?.status === next.status ? (old.lastTransitionTime ?? time) : time
  const renewed = { ...next, lastUpdateTime: time, lastTransitionTime }
  return old ? before.map((one) => (one === old ? renewed : one)) : [...before, renewed]
}
