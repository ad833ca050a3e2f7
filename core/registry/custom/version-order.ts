const kubeVersion = /^v([1-9]\d{0,8})(?:(alpha|beta)([1-9]\d{0,8}))?$/
const stages = ['alpha', 'beta', undefined]

/**
 * Orders versions as clients prefer them: v10, v2, v1, v11beta2, v10beta3, v3beta1, v12alpha1, then others by name.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority
 */
export function compareVersions(a: string, b: string): number {
  const left = kubeVersion.exec(a)
  const right = kubeVersion.exec(b)
  if (!left || !right) {
    if (left || right) return left ? -1 : 1
    return a < b ? -1 : a > b ? 1 : 0
  }
  return (
    stages.indexOf(right[2]) - stages.indexOf(left[2]) ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  )
}
