import type { ReplicaSet } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { equalJson } from '@keelson/client'
import {
  type AnyDeployment,
  type AnyReplicaSet,
  annotationsAtRevision,
  broughtUpToDate,
  findNew,
  newReplicaSet,
  revisionOf,
  scaleAnnotations,
} from './revisions.ts'
import {
  hasPods,
  isRolling,
  isScaling,
  limitsOf,
  newReplicaSetSize,
  planRecreate,
  planRolling,
  planScaling,
  type Sizes,
  sizeOf,
  wantedReplicas,
} from './rollout.ts'
import { isComplete } from './status.ts'

/** Decides the next step of a Deployment. Reads nothing, writes nothing; each step brings events that ask for the next. */

export interface DeploymentPlan {
  newest?: AnyReplicaSet
  old: AnyReplicaSet[]
  /** To be created: the ReplicaSet of the current template. */
  create?: ReplicaSet
  /** ReplicaSets as they should be, beside what they are; sizes included. */
  updates: { from: AnyReplicaSet; to: AnyReplicaSet }[]
  /** Old revisions beyond the history limit. */
  remove: AnyReplicaSet[]
  /** Annotations to add to the Deployment. */
  annotate?: Record<string, string>
}

/** @param replicaSets all that the Deployment manages */
export function planDeployment(deployment: AnyDeployment, replicaSets: readonly AnyReplicaSet[]): DeploymentPlan {
  const newest = findNew(deployment, replicaSets)
  const old = replicaSets.filter((one) => one !== newest)
  if (deployment.metadata.deletionTimestamp) return { newest, old, updates: [], remove: [] }
  const revision = Math.max(0, ...old.map(revisionOf)) + 1
  const sizes = planSizes(deployment, newest, old)
  const isHalted = Boolean(deployment.spec.paused) || isScaling(deployment, replicaSets)
  return {
    newest,
    old,
    create: newest || isHalted ? undefined : planCreation(deployment, old, revision),
    updates: planUpdates(deployment, newest, replicaSets, revision, sizes),
    remove: mayCleanUp(deployment) ? planRemoval(deployment, old) : [],
    annotate: planAnnotations(deployment, newest, isHalted, revision),
  }
}

function planSizes(deployment: AnyDeployment, newest: AnyReplicaSet | undefined, old: readonly AnyReplicaSet[]): Sizes {
  const all = newest ? [...old, newest] : old
  if (deployment.spec.paused || isScaling(deployment, all)) return planScaling(deployment, newest, old)
  if (!isRolling(deployment)) return planRecreate(deployment, newest, old)
  return newest ? planRolling(deployment, newest, old) : new Map()
}

function planCreation(
  deployment: AnyDeployment,
  old: readonly AnyReplicaSet[],
  revision: number,
): ReplicaSet | undefined {
  if (!isRolling(deployment) && (old.some((one) => sizeOf(one) > 0) || hasPods(old))) return undefined
  return newReplicaSet(deployment, revision, newReplicaSetSize(deployment, old, 0), maxReplicas(deployment))
}

const maxReplicas = (deployment: AnyDeployment) => wantedReplicas(deployment) + limitsOf(deployment).maxSurge

function planUpdates(
  deployment: AnyDeployment,
  newest: AnyReplicaSet | undefined,
  all: readonly AnyReplicaSet[],
  revision: number,
  sizes: Sizes,
): DeploymentPlan['updates'] {
  const updates = all.map((from) => {
    const current = from === newest ? broughtUpToDate(deployment, from, revision) : from
    return { from, to: resized(deployment, current, sizes.get(from) ?? sizeOf(from)) }
  })
  return updates.filter(({ from, to }) => !equalJson(from, to))
}

/** What has pods remembers the numbers it was scaled for, so that the next change of scale is recognised. */
function resized(deployment: AnyDeployment, replicaSet: AnyReplicaSet, replicas: number): AnyReplicaSet {
  if (replicas === 0 && sizeOf(replicaSet) === 0) return replicaSet
  const annotations = { ...replicaSet.metadata.annotations, ...scaleAnnotations(deployment, maxReplicas(deployment)) }
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations },
    spec: { ...replicaSet.spec, replicas },
  }
}

function planAnnotations(
  deployment: AnyDeployment,
  newest: AnyReplicaSet | undefined,
  isHalted: boolean,
  revision: number,
) {
  if (newest) return annotationsAtRevision(deployment, Math.max(revision, revisionOf(newest)))
  return isHalted ? undefined : annotationsAtRevision(deployment, revision)
}

const mayCleanUp = (deployment: AnyDeployment) =>
  Boolean(deployment.spec.paused) || isComplete(deployment, deployment.status ?? {})

const unlimitedHistory = 2 ** 31 - 1

/** The oldest revisions beyond the limit, as far as they are empty and their controller has seen that. */
function planRemoval({ spec }: AnyDeployment, old: readonly AnyReplicaSet[]): AnyReplicaSet[] {
  const limit = spec.revisionHistoryLimit ?? 10
  const candidates = old.filter((one) => !one.metadata.deletionTimestamp)
  if (limit === unlimitedHistory || candidates.length <= limit) return []
  const oldest = candidates.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, candidates.length - limit)
  return oldest.filter(isEmpty)
}

function isEmpty(replicaSet: AnyReplicaSet): boolean {
  const { metadata, status } = replicaSet
  const isSeen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  return isSeen && sizeOf(replicaSet) === 0 && !hasPods([replicaSet])
}
