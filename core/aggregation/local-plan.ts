import { apiServiceName, availableCondition } from '#apis/apiregistration/v1/rules.ts'
import type { APIService, APIServiceSpec } from '#apis/apiregistration/v1/zz_generated.types.ts'
import { priorityOf } from '#core/server/discovery/priority.ts'

/** Says that an APIService is kept by this server, and how: brought up to date `onstart`, or always (`true`). */
export const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged'

/** A group version that this server answers itself. */
export interface LocalVersion {
  group: string
  version: string
  builtin: boolean
}

export type LocalPlan =
  | { action: 'none' | 'delete' }
  | { action: 'create'; object: APIService }
  | { action: 'update'; spec: APIServiceSpec }
  | { action: 'showAvailable' }

/**
 * What to do so that a locally served group version has its APIService, and no other has one of this kind. Objects without
 * the label are their makers' alone. Pure.
 * @param wanted absent: not served here
 * @param isStart what is kept `onstart` is brought up to date now
 */
export function planLocal(
  wanted: LocalVersion | undefined,
  current: APIService | undefined,
  isStart: boolean,
): LocalPlan {
  if (!current) return wanted ? { action: 'create', object: apiServiceOf(wanted) } : { action: 'none' }
  const label = current.metadata.labels?.[automanagedLabel]
  // While this server runs, another of a newer version may serve what this one does not know.
  const isDue = label === 'true' || (label === 'onstart' && isStart)
  if (!wanted) return isDue ? { action: 'delete' } : showAvailable(current)
  const spec = specOf(wanted)
  if (isDue && !isSameSpec(spec, current.spec)) return { action: 'update', spec }
  return showAvailable(current)
}

export function apiServiceOf(of: LocalVersion): APIService {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: apiServiceName(of), labels: { [automanagedLabel]: of.builtin ? 'onstart' : 'true' } },
    spec: specOf(of),
  }
}

function specOf({ group, version }: LocalVersion): APIServiceSpec {
  const priority = priorityOf(group, version)
  return { group, version, groupPriorityMinimum: priority.group, versionPriority: priority.version }
}

function isSameSpec(wanted: APIServiceSpec, current: APIServiceSpec): boolean {
  return (
    !current.service &&
    wanted.groupPriorityMinimum === current.groupPriorityMinimum &&
    wanted.versionPriority === current.versionPriority
  )
}

/** One whose service was taken away is this server's own from then on. */
function showAvailable(current: APIService): LocalPlan {
  const isOutdated = !current.spec.service && availableCondition(current)?.reason !== 'Local'
  return { action: isOutdated ? 'showAvailable' : 'none' }
}
