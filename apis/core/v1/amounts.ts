import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from '../../meta/v1/quantity.ts'
import type { Quantity as Written } from '../../meta/v1/zz_generated.types.ts'
import { amountOf } from './validate-resources.ts'

/** Amounts of resources by the resources' names. Not changed in place. */
export type Amounts = ReadonlyMap<string, Quantity>

/** How objects write them. */
export type WrittenAmounts = Readonly<Record<string, Written>>

export const zero = parseQuantity('0')
export const one = parseQuantity('1')
export const noAmounts: Amounts = new Map()

/** What is no quantity is left out. */
export function readAmounts(written: WrittenAmounts | undefined): Amounts {
  if (!written) return noAmounts
  const amounts = new Map<string, Quantity>()
  for (const name of Object.keys(written)) {
    const amount = amountOf(written[name])
    if (amount) amounts.set(name, amount)
  }
  return amounts
}

/** In the order of the names, as Kubernetes writes them. */
export function writeAmounts(amounts: Amounts): Record<string, string> {
  return Object.fromEntries(byName(amounts).map(([name, amount]) => [name, formatQuantity(amount)]))
}

/** `cpu=1,pods=2` */
export function describeAmounts(amounts: Amounts): string {
  return byName(amounts)
    .map(([name, amount]) => `${name}=${formatQuantity(amount)}`)
    .join(',')
}

export const addAmounts = (a: Amounts, b: Amounts): Amounts => totalOf([a, b])

export function totalOf(all: Iterable<Amounts>): Amounts {
  const total = new Map<string, Quantity>()
  for (const amounts of all) {
    for (const [name, amount] of amounts) total.set(name, addQuantities(total.get(name) ?? zero, amount))
  }
  return total
}

/** What of `a` is beyond `b`: nothing is less than zero, and what is zero is left out. */
export function amountsBeyond(a: Amounts, b: Amounts): Amounts {
  const beyond = new Map<string, Quantity>()
  for (const [name, amount] of a) {
    const rest = subtractQuantities(amount, b.get(name) ?? zero)
    if (rest.nano > 0n) beyond.set(name, rest)
  }
  return beyond
}

export function amountsOf(amounts: Amounts, isWanted: (name: string) => boolean): Amounts {
  const wanted = new Map<string, Quantity>()
  for (const [name, amount] of amounts) if (isWanted(name)) wanted.set(name, amount)
  return wanted
}

/** The names of which `amounts` has more than `limits` allows; what has no limit may be any amount. */
export function namesBeyond(amounts: Amounts, limits: Amounts): string[] {
  return [...amounts].filter(([name, amount]) => isMore(amount, limits.get(name))).map(([name]) => name)
}

const isMore = (amount: Quantity, limit: Quantity | undefined) =>
  limit !== undefined && compareQuantities(amount, limit) > 0

const byName = (amounts: Amounts) => [...amounts].sort(([a], [b]) => (a < b ? -1 : 1))
