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

/** By code unit, as Go sorts strings; not by locale. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
