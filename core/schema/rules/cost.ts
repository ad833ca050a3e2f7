/** What rules may cost, by Kubernetes' limits and in its words. */
import { type FieldError, forbidden } from '#apis/meta/v1/field-error.ts'
import { type Program, unboundedCost } from '#core/cel/cel.ts'

export const ruleCostLimit = 10_000_000
export const schemaCostLimit = 100_000_000

/** How many rules are named as those that make a schema too expensive. */
const maxNamed = 4

/** No more than what 64 bits count. */
export const multiply = (a: number, b: number) => Math.min(a * b, unboundedCost)

const estimates = new WeakMap<Program, number>()

/** What an evaluation may cost at most; estimated once. */
export function maxCost(program: Program): number {
  const known = estimates.get(program) ?? program.estimateCost().max
  estimates.set(program, known)
  return known
}

/** What all rules of a schema may cost together. */
export class CostTally {
  #total = 0
  readonly #expensive: { path: string; cost: number }[] = []

  add(path: string, cost: number): void {
    this.#total += cost
    if (cost >= schemaCostLimit / 100) this.#expensive.push({ path, cost })
  }

  /** @param path of the schema */
  errors(path: string): FieldError[] {
    if (this.#total <= schemaCostLimit) return []
    const named = this.#expensive.sort((a, b) => b.cost - a.cost).slice(0, maxNamed)
    const share = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
    const name = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    return [
      ...named.map((one) => forbidden(one.path, share)),
      forbidden(path, costError(name, this.#total, schemaCostLimit)),
    ]
  }
}

export function costError(name: string, cost: number, limit: number): string {
  const advice =
    'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'
  return `${name} exceeds budget by factor of ${factorText(cost / limit)} (${advice})`
}

/** Beyond a hundred the number says nothing; near one it must not be rounded to it. */
function factorText(factor: number): string {
  if (factor > 100) return 'more than 100x'
  return factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
}
