/** Selectors compiled to predicates, so that what a pod asks for is read once and asked of a thousand nodes. Pure. */
import type { NodeSelectorTerm } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { LabelSelector } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'

export type Labels = Readonly<Record<string, string>>
export type LabelMatcher = (labels: Labels) => boolean

export interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

export const noLabels: Labels = Object.freeze({})

/** The value of a label the object itself has; absent for `constructor` and the like. */
export function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

const integer = (text: string | undefined) => (text !== undefined && /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined)

function compare(value: string | undefined, bound: string | undefined, holds: (a: bigint, b: bigint) => boolean) {
  const [left, right] = [integer(value), integer(bound)]
  return left !== undefined && right !== undefined && holds(left, right)
}

/** An operator nobody knows matches nothing. */
function compileRequirement({ key, operator, values = [] }: Requirement): LabelMatcher {
  const wanted = new Set(values)
  switch (operator) {
    case 'In':
      return (labels) => Object.hasOwn(labels, key) && wanted.has(labels[key]!)
    case 'NotIn':
      return (labels) => !Object.hasOwn(labels, key) || !wanted.has(labels[key]!)
    case 'Exists':
      return (labels) => Object.hasOwn(labels, key)
    case 'DoesNotExist':
      return (labels) => !Object.hasOwn(labels, key)
    case 'Gt':
      return (labels) => compare(labelOf(labels, key), values[0], (a, b) => a > b)
    case 'Lt':
      return (labels) => compare(labelOf(labels, key), values[0], (a, b) => a < b)
    default:
      return () => false
  }
}

export function compileRequirements(requirements: readonly Requirement[]): LabelMatcher {
  const all = requirements.map(compileRequirement)
  if (all.length === 1) return all[0]!
  return (labels) => all.every((matches) => matches(labels))
}

/** `{ disk: 'ssd' }` as requirements. */
export function equalities(labels: Labels | undefined): Requirement[] {
  return Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: 'In', values: [value] }))
}

/** An empty selector matches everything, an absent one nothing. */
export function compileLabelSelector(selector: DeepReadonly<LabelSelector> | undefined): LabelMatcher {
  if (!selector) return () => false
  return compileRequirements([...equalities(selector.matchLabels), ...(selector.matchExpressions ?? [])])
}

export type NodeMatcher = (labels: Labels, name: string) => boolean

/** A term that asks for nothing matches no node. */
export function compileNodeTerm(term: DeepReadonly<NodeSelectorTerm>): NodeMatcher {
  const { matchExpressions = [], matchFields = [] } = term
  if (!matchExpressions.length && !matchFields.length) return () => false
  const byLabels = compileRequirements(matchExpressions)
  const byFields = compileRequirements(matchFields)
  return (labels, name) => byLabels(labels) && (!matchFields.length || byFields({ 'metadata.name': name }))
}
