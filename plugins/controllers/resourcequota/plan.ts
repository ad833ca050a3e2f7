import { type Amounts, zero } from '@keelson/apis/core/v1/amounts.ts'
import { addQuantities, compareQuantities, type Quantity, subtractQuantities } from '@keelson/apis/meta/v1/quantity.ts'

/** What is known of a quota's usage. */
export interface Known {
  /** The names that are limited and whose objects are followed. */
  names: readonly string[]
  /** What the status says: charged by the API server before objects are stored. */
  used: Amounts
  /** What the objects that are there use. */
  observed: Amounts
  /** What was given back since the status was last written here. */
  departed: Amounts
  /** What was charged so recently that its object may not be stored or seen yet. */
  recent: Amounts
}

export interface Plan {
  used: Amounts
  /** True when more is charged than is there: some of it may turn out to be for nothing. */
  isUnexplained: boolean
  /** True when something is taken away that no departure explains: only to be done after a look at all that is there. */
  isCorrected: boolean
}

/**
 * What a quota's status should say. Usage that was charged is believed, since the object may be on its way: only what
 * departed is taken off. But never below what is there, and not above it by more than was charged of late: the rest was
 * charged for objects that were never stored. Pure.
 */
export function planUsage({ names, used, observed, departed, recent }: Known): Plan {
  const plan: Plan = { used: new Map(), isUnexplained: false, isCorrected: false }
  const planned = new Map<string, Quantity>()
  for (const name of names) {
    const there = observed.get(name) ?? zero
    const charged = used.get(name)
    const left = charged && subtractQuantities(charged, departed.get(name) ?? zero)
    const most = addQuantities(there, recent.get(name) ?? zero)
    if (!left || isLess(left, there)) {
      planned.set(name, there)
      continue
    }
    if (isLess(there, left)) plan.isUnexplained = true
    if (isLess(most, left)) plan.isCorrected = true
    planned.set(name, isLess(most, left) ? most : left)
  }
  return { ...plan, used: planned }
}

const isLess = (a: Quantity, b: Quantity) => compareQuantities(a, b) < 0

/** The greater amount of each. */
export function greatest(a: Amounts, b: Amounts): Amounts {
  const most = new Map(a)
  for (const [name, amount] of b) {
    const known = most.get(name)
    if (!known || isLess(known, amount)) most.set(name, amount)
  }
  return most
}
