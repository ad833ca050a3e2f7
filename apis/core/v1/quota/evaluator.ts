import type { UnstructuredObject } from '../../../meta/v1/types.ts'
import { type Amounts, amountsOf, noAmounts, one } from '../amounts.ts'
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../zz_generated.types.ts'
import { claimEvaluator } from './claims.ts'
import { podEvaluator } from './pods.ts'
import { serviceEvaluator } from './services.ts'

/** Any object that may count against a quota. It is only read. */
export type Countable = Readonly<UnstructuredObject>

/** How the objects of one resource count against quotas. Pure. */
export interface Evaluator {
  /** True of the names in a quota that these objects use. */
  counts(name: string): boolean
  /** All that one object uses, whichever quotas there are. @param nowMs decides whether a pod should have ended by now */
  usage(object: Countable, nowMs: number): Amounts
  /** The subresources (empty: the object itself) whose updates may change what an object uses. */
  changedBy: readonly string[]
  /** Whether an object is in a scope; absent: never. */
  isIn?(scope: ScopedResourceSelectorRequirement, object: Countable): boolean
  /** What the object would have to say before a quota of these names can count it; absent: nothing. */
  missing?(names: readonly string[], object: Countable): string | undefined
}

export interface CountedResource {
  /** Empty for the core group. */
  group: string
  resource: string
}

const countPrefix = 'count/'
/** Counted by their own names since before `count/` could name any resource. */
const oldNames: ReadonlySet<string> = new Set(['configmaps', 'replicationcontrollers', 'resourcequotas', 'secrets'])
const special: ReadonlyMap<string, Evaluator> = new Map([
  ['pods', podEvaluator],
  ['services', serviceEvaluator],
  ['persistentvolumeclaims', claimEvaluator],
])

/** @returns undefined for what does not count: events come in their own time and go by themselves */
export function evaluatorOf({ group, resource }: CountedResource): Evaluator | undefined {
  if (resource === 'events' && (group === '' || group === 'events.k8s.io')) return undefined
  return (group === '' && special.get(resource)) || objectCount({ group, resource })
}

/** Which objects a name in a quota is about; undefined for names of nothing. */
export function resourceCountedBy(name: string): CountedResource | undefined {
  if (name.startsWith(countPrefix)) {
    const [resource = '', ...group] = name.slice(countPrefix.length).split('.')
    return { group: group.join('.'), resource }
  }
  for (const [resource, evaluator] of special) if (evaluator.counts(name)) return { group: '', resource }
  return oldNames.has(name) ? { group: '', resource: name } : undefined
}

/** What an object uses of what a quota limits: nothing when it is outside of the quota's scopes. */
export function usageUnder(spec: ResourceQuotaSpec, evaluator: Evaluator, object: Countable, usage: Amounts): Amounts {
  return isInScopes(spec, evaluator, object)
    ? amountsOf(usage, (name) => Object.hasOwn(spec.hard ?? {}, name) && evaluator.counts(name))
    : noAmounts
}

export function isInScopes(spec: ResourceQuotaSpec, evaluator: Evaluator, object: Countable): boolean {
  return scopesOf(spec).every((scope) => evaluator.isIn?.(scope, object) ?? false)
}

function scopesOf({ scopes = [], scopeSelector }: ResourceQuotaSpec): ScopedResourceSelectorRequirement[] {
  const plain = scopes.map((scopeName) => ({ scopeName, operator: 'Exists' }) as const)
  return [...plain, ...(scopeSelector?.matchExpressions ?? [])] as ScopedResourceSelectorRequirement[]
}

function objectCount({ group, resource }: CountedResource): Evaluator {
  const names = new Set([`${countPrefix}${group ? `${resource}.${group}` : resource}`])
  if (group === '' && oldNames.has(resource)) names.add(resource)
  const usage: Amounts = new Map([...names].map((name) => [name, one]))
  return { counts: (name) => names.has(name), usage: () => usage, changedBy: [] }
}
