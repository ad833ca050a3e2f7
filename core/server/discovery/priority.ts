import { compareText, compareVersions } from '#core/machinery/version-order.ts'

/** The order in which Kubernetes lists groups, and the versions within them: the greater comes first. */
export interface Priority {
  group: number
  version: number
}

/** Of groups of Kubernetes. The core group is listed apart from all others. */
const groupPriorities = new Map<string, number>([
  ['', 18_000],
  ['apiregistration.k8s.io', 17_950],
  ['apps', 17_800],
  ['events.k8s.io', 17_750],
  ['authentication.k8s.io', 17_700],
  ['authorization.k8s.io', 17_600],
  ['autoscaling', 17_500],
  ['batch', 17_400],
  ['certificates.k8s.io', 17_300],
  ['networking.k8s.io', 17_200],
  ['policy', 17_100],
  ['rbac.authorization.k8s.io', 17_000],
  ['storage.k8s.io', 16_800],
  ['admissionregistration.k8s.io', 16_700],
  ['apiextensions.k8s.io', 16_700],
  ['scheduling.k8s.io', 16_600],
  ['coordination.k8s.io', 16_500],
  ['node.k8s.io', 16_300],
  ['discovery.k8s.io', 16_200],
  ['flowcontrol.apiserver.k8s.io', 16_100],
  ['internal.apiserver.k8s.io', 16_000],
  ['resource.k8s.io', 15_900],
  ['storagemigration.k8s.io', 15_800],
])

/** Versions that are not 15 when stable and 9 before. */
const versionPriorities = new Map<string, number>([
  ['/v1', 1],
  ['autoscaling/v2', 30],
  ['flowcontrol.apiserver.k8s.io/v1', 21],
])

/** Of custom resources. */
const customPriority: Priority = { group: 1_000, version: 100 }

/** What the APIService object of a locally served group version says. */
export function priorityOf(group: string, version: string): Priority {
  const ofGroup = groupPriorities.get(group)
  if (ofGroup === undefined) return customPriority
  const ofVersion = versionPriorities.get(`${group}/${version}`) ?? (/^v\d+$/.test(version) ? 15 : 9)
  return { group: ofGroup, version: ofVersion }
}

export interface PrioritizedVersion {
  version: string
  priority: Priority
}

export function comparePrioritizedVersions(left: PrioritizedVersion, right: PrioritizedVersion): number {
  return right.priority.version - left.priority.version || compareVersions(left.version, right.version)
}

/** @param left a group, with the greatest priority any of its versions asks for it */
export function comparePrioritizedGroups(
  left: { group: string; priority: number },
  right: { group: string; priority: number },
): number {
  return right.priority - left.priority || compareText(left.group, right.group)
}
