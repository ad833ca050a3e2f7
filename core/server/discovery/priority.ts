/** The orders in which Kubernetes lists versions and groups. */

const versionPattern = /^v([0-9]+)(?:(alpha|beta)([0-9]+))?$/
const stability = { alpha: 0, beta: 1, stable: 2 } as const

/**
 * Sorts versions by preference: stable before beta before alpha, greater before smaller, other names last by alphabet.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parse(left), parse(right)]
  if (!a || !b) return a ? -1 : b ? 1 : compareText(left, right)
  return b.stability - a.stability || b.major - a.major || b.minor - a.minor
}

function parse(version: string): { stability: number; major: number; minor: number } | undefined {
  const match = versionPattern.exec(version)
  if (!match) return undefined
  const [, major, level, minor] = match
  return {
    stability: stability[(level as 'alpha' | 'beta') ?? 'stable'],
    major: Number(major),
    minor: Number(minor ?? 0),
  }
}

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

/** By code unit, as Go sorts strings; not by locale. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
