import type { NodeSelectorTerm } from './zz_generated.types.ts'

/** What replaces labels of nodes that went by another name once. */
const replacements = new Map([
  ['beta.kubernetes.io/arch', { since: 'v1.14', use: 'kubernetes.io/arch' }],
  ['beta.kubernetes.io/os', { since: 'v1.14', use: 'kubernetes.io/os' }],
  ['failure-domain.beta.kubernetes.io/region', { since: 'v1.17', use: 'topology.kubernetes.io/region' }],
  ['failure-domain.beta.kubernetes.io/zone', { since: 'v1.17', use: 'topology.kubernetes.io/zone' }],
  ['beta.kubernetes.io/instance-type', { since: 'v1.17', use: 'node.kubernetes.io/instance-type' }],
])

/** @returns why a label is not to be used, or undefined */
export function labelWarning(label: string): string | undefined {
  const found = replacements.get(label)
  return found && `deprecated since ${found.since}; use "${found.use}" instead`
}

/** Of a map that selects nodes by label. */
export function nodeLabelWarnings(field: string, labels: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(labels ?? {}).flatMap((label) => {
    const warning = labelWarning(label)
    return warning ? [`${field}[${label}]: ${warning}`] : []
  })
}

export function termWarnings(field: string, term: NodeSelectorTerm | undefined): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key }, at) => {
    const warning = labelWarning(key)
    return warning ? [`${field}.matchExpressions[${at}].key: ${key} is ${warning}`] : []
  })
}
