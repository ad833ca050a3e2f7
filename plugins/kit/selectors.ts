import type { LabelSelector, LabelSelectorRequirement } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'

type Labels = Readonly<Record<string, string>>

/** True when `labels` satisfy `selector`. An empty selector matches everything, an absent one nothing. */
export function matchesLabels(selector: DeepReadonly<LabelSelector> | undefined, labels: Labels = {}): boolean {
  if (!selector) return false
  const { matchLabels = {}, matchExpressions = [] } = selector
  return matchesSet(matchLabels, labels) && matchExpressions.every((requirement) => meets(requirement, labels))
}

/** True when `labels` have every pair of `wanted`: the selectors of Services and node selectors. */
export function matchesSet(wanted: Labels, labels: Labels = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => labelOf(labels, key) === value)
}

function meets({ key, operator, values = [] }: DeepReadonly<LabelSelectorRequirement>, labels: Labels): boolean {
  const value = labelOf(labels, key)
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

const labelOf = (labels: Labels, key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined)

/** True when it selects everything, which controllers refuse to own. */
export function isEmptySelector({ matchLabels = {}, matchExpressions = [] }: DeepReadonly<LabelSelector>): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0
}

/** The selector as `labelSelector` of a list or watch. */
export function formatSelector({ matchLabels = {}, matchExpressions = [] }: DeepReadonly<LabelSelector>): string {
  const pairs = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  return [...pairs, ...matchExpressions.map(formatRequirement)].join(',')
}

function formatRequirement({ key, operator, values = [] }: DeepReadonly<LabelSelectorRequirement>): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
}
