import { compareText } from '#core/machinery/version-order.ts'

/** The order in which Kubernetes lists groups. */

/** Groups of Kubernetes come in this order, all others behind them by alphabet. */
const knownGroups = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'storagemigration.k8s.io',
]
const rankOfGroup = new Map(knownGroups.map((group, rank) => [group, rank]))
const rank = (group: string) => rankOfGroup.get(group) ?? knownGroups.length

export function compareGroups(left: string, right: string): number {
  return rank(left) - rank(right) || compareText(left, right)
}
