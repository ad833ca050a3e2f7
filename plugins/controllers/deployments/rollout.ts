import { type AnyDeployment, type AnyReplicaSet, byAge, desiredWhenScaled, maxWhenScaled } from './revisions.ts'

/** The arithmetic of rolling out: how large each ReplicaSet should be next. Pure. */

/** New sizes by ReplicaSet; those not named stay as they are. */
export type Sizes = Map<AnyReplicaSet, number>

export interface Limits {
  /** Pods that may exist beyond the wanted number. */
  maxSurge: number
  /** Pods of the wanted number that may be unavailable. */
  maxUnavailable: number
}

export const wantedReplicas = ({ spec }: AnyDeployment): number => spec.replicas ?? 1
export const sizeOf = ({ spec }: AnyReplicaSet): number => spec.replicas ?? 1
const availableOf = ({ status }: AnyReplicaSet) => status?.availableReplicas ?? 0
const sum = (replicaSets: readonly AnyReplicaSet[], of: (one: AnyReplicaSet) => number) =>
  replicaSets.reduce((total, one) => total + of(one), 0)

export const isRolling = ({ spec }: AnyDeployment): boolean => spec.strategy?.type !== 'Recreate'

/** Percentages round up for surge and down for unavailability; when both come to 0, one pod may be unavailable. */
export function limitsOf(deployment: AnyDeployment): Limits {
  if (!isRolling(deployment)) return { maxSurge: 0, maxUnavailable: 0 }
  const { maxSurge: surge = '25%', maxUnavailable: unavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {}
  const replicas = wantedReplicas(deployment)
  const maxSurge = resolve(surge, replicas, Math.ceil)
  const maxUnavailable = resolve(unavailable, replicas, Math.floor)
  if (maxSurge === 0 && maxUnavailable === 0) return { maxSurge: 0, maxUnavailable: Math.min(1, replicas) }
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) }
}

function resolve(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  const percent = Number.parseInt(value, 10)
  return Number.isNaN(percent) ? 0 : round((percent * total) / 100)
}

/** The size the new ReplicaSet may have now, given how many pods there are in all. */
export function newReplicaSetSize(deployment: AnyDeployment, all: readonly AnyReplicaSet[], current: number): number {
  const wanted = wantedReplicas(deployment)
  if (!isRolling(deployment) || current > wanted) return wanted
  const room = wanted + limitsOf(deployment).maxSurge - sum(all, sizeOf)
  return current + Math.max(0, Math.min(room, wanted - current))
}

/** One step of a rolling update: first the new ReplicaSet; only when it stays as it is, the old ones. */
export function planRolling(deployment: AnyDeployment, newest: AnyReplicaSet, old: readonly AnyReplicaSet[]): Sizes {
  const size = newReplicaSetSize(deployment, [newest, ...old], sizeOf(newest))
  if (size !== sizeOf(newest)) return new Map([[newest, size]])
  return shrinkOld(deployment, newest, old)
}

/** Gives up old pods as far as enough stay available: first those that do not serve anyway. */
function shrinkOld(deployment: AnyDeployment, newest: AnyReplicaSet, old: readonly AnyReplicaSet[]): Sizes {
  const sizes: Sizes = new Map()
  const minAvailable = wantedReplicas(deployment) - limitsOf(deployment).maxUnavailable
  const newUnavailable = sizeOf(newest) - availableOf(newest)
  let spare = sum([newest, ...old], sizeOf) - minAvailable - newUnavailable
  const size = (one: AnyReplicaSet) => sizes.get(one) ?? sizeOf(one)
  const take = (one: AnyReplicaSet, count: number) => {
    if (count > 0) sizes.set(one, size(one) - count)
    return Math.max(0, count)
  }
  for (const one of old.toSorted(byAge)) spare -= take(one, Math.min(spare, sizeOf(one) - availableOf(one)))
  let surplus = spare > 0 ? sum([newest, ...old], availableOf) - minAvailable : 0
  for (const one of old.toSorted(byAge)) surplus -= take(one, Math.min(surplus, size(one)))
  return sizes
}

/** One step of `Recreate`: the new ReplicaSet grows only when no old pod is left. */
export function planRecreate(
  deployment: AnyDeployment,
  newest: AnyReplicaSet | undefined,
  old: readonly AnyReplicaSet[],
): Sizes {
  const running = old.filter((one) => sizeOf(one) > 0)
  if (running.length > 0) return new Map(running.map((one) => [one, 0]))
  if (!newest || hasPods(old) || sizeOf(newest) === wantedReplicas(deployment)) return new Map()
  return new Map([[newest, wantedReplicas(deployment)]])
}

/** True while a pod of these exists, also one that is still ending. */
export const hasPods = (replicaSets: readonly AnyReplicaSet[]): boolean =>
  replicaSets.some(({ status }) => (status?.replicas ?? 0) > 0 || (status?.terminatingReplicas ?? 0) > 0)

/** True when the wanted number changed since the ReplicaSets were scaled. */
export function isScaling(deployment: AnyDeployment, all: readonly AnyReplicaSet[]): boolean {
  return all
    .filter((one) => sizeOf(one) > 0)
    .some((one) => (desiredWhenScaled(one) ?? wantedReplicas(deployment)) !== wantedReplicas(deployment))
}

/**
 * Applies a change of the wanted number without going on with the rollout: to the only active ReplicaSet, or to all of
 * them in proportion to their sizes.
 */
export function planScaling(
  deployment: AnyDeployment,
  newest: AnyReplicaSet | undefined,
  old: readonly AnyReplicaSet[],
): Sizes {
  const wanted = wantedReplicas(deployment)
  const only = onlyActive(newest, old)
  if (only) return new Map([[only, wanted]])
  if (newest && isSaturated(deployment, newest)) {
    return new Map(old.filter((one) => sizeOf(one) > 0).map((one) => [one, 0]))
  }
  return isRolling(deployment) ? scaleInProportion(deployment, newest ? [...old, newest] : old) : new Map()
}

/** The one ReplicaSet with pods, or, when none has any, the latest. */
function onlyActive(newest: AnyReplicaSet | undefined, old: readonly AnyReplicaSet[]): AnyReplicaSet | undefined {
  const active = [...old, ...(newest ? [newest] : [])].filter((one) => sizeOf(one) > 0)
  if (active.length === 0) return newest ?? old.toSorted(byAge).at(-1)
  return active.length === 1 ? active[0] : undefined
}

function isSaturated(deployment: AnyDeployment, newest: AnyReplicaSet): boolean {
  const wanted = wantedReplicas(deployment)
  return sizeOf(newest) === wanted && desiredWhenScaled(newest) === wanted && availableOf(newest) === wanted
}

function scaleInProportion(deployment: AnyDeployment, all: readonly AnyReplicaSet[]): Sizes {
  const wanted = wantedReplicas(deployment)
  const allowed = wanted > 0 ? wanted + limitsOf(deployment).maxSurge : 0
  const active = all.filter((one) => sizeOf(one) > 0)
  const toAdd = allowed - sum(active, sizeOf)
  const largestFirst = active.toSorted((a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? byAge(b, a) : byAge(a, b)))
  const sizes: Sizes = new Map()
  let added = 0
  for (const one of largestFirst) {
    const share = shareOf(deployment, one, toAdd - added)
    sizes.set(one, sizeOf(one) + share)
    added += share
  }
  const [largest] = largestFirst
  if (largest) sizes.set(largest, Math.max(0, sizes.get(largest)! + toAdd - added))
  return sizes
}

/** How much one ReplicaSet grows or shrinks, at most `left`. */
function shareOf(deployment: AnyDeployment, one: AnyReplicaSet, left: number): number {
  const wanted = wantedReplicas(deployment)
  const before = maxWhenScaled(one) || deployment.status?.replicas || sizeOf(one)
  const scaled = (sizeOf(one) * (wanted + limitsOf(deployment).maxSurge)) / before
  const share = wanted === 0 ? -sizeOf(one) : Math.round(scaled) - sizeOf(one)
  return left > 0 ? Math.min(Math.max(share, 0), left) : Math.max(Math.min(share, 0), left)
}
