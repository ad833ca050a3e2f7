import {
  type Amounts,
  addAmounts,
  amountsBeyond,
  amountsOf,
  describeAmounts,
  namesBeyond,
  readAmounts,
} from '#apis/core/v1/amounts.ts'
import { type Countable, type Evaluator, isInScopes } from '#apis/core/v1/quota/evaluator.ts'
import type { ResourceQuota } from '#apis/core/v1/zz_generated.types.ts'

/** One write that may use more of what quotas limit. */
export interface Demand {
  evaluator: Evaluator
  object: Countable
  usage: Amounts
  /** The object before an update, and what it used. */
  old?: { object: Countable; usage: Amounts }
}

/** Why a quota refuses a write, or how much is to be added to its usage; undefined when it has nothing to do with it. */
export type Verdict = { refusal: string } | { charge: Amounts } | undefined

export function isRefusal(verdict: Verdict): verdict is { refusal: string } {
  return verdict !== undefined && 'refusal' in verdict
}

/**
 * Judges a write by what a quota's status says of limits and usage. Pure.
 * @param used takes the place of the status' usage: what was granted to others meanwhile
 */
export function assess({ metadata, spec = {}, status = {} }: ResourceQuota, demand: Demand, used: Amounts): Verdict {
  const { evaluator, object } = demand
  const hard = readAmounts(status.hard)
  const limited = [...hard.keys()].filter((name) => evaluator.counts(name)).sort()
  if (limited.length === 0 || !isInScopes(spec, evaluator, object)) return undefined
  const missing = evaluator.missing?.(limited, object)
  if (missing) return { refusal: `failed quota: ${metadata.name}: ${missing}` }
  if (limited.some((name) => !used.has(name))) {
    return { refusal: `status unknown for quota: ${metadata.name}, resources: ${limited.join(',')}` }
  }
  const charge = amountsOf(growth(demand, spec), (name) => hard.has(name))
  if (charge.size === 0) return undefined
  const total = amountsOf(addAmounts(used, charge), (name) => charge.has(name))
  const exceeded = new Set(namesBeyond(total, hard))
  if (exceeded.size === 0) return { charge }
  const [requested, before, most] = [charge, used, hard].map((amounts) =>
    describeAmounts(amountsOf(amounts, (name) => exceeded.has(name))),
  )
  return { refusal: `exceeded quota: ${metadata.name}, requested: ${requested}, used: ${before}, limited: ${most}` }
}

/** What the object uses more than before, as far as it was in the quota's scopes before. */
function growth({ evaluator, usage, old }: Demand, spec: NonNullable<ResourceQuota['spec']>): Amounts {
  const before = old && isInScopes(spec, evaluator, old.object) ? old.usage : new Map()
  return amountsBeyond(usage, before)
}
