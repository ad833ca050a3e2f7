/** What one evaluation runs with. */
import { Failure, type PlainObject, type Value } from './values.ts'

export interface Activation {
  /** The variables by name; own properties count. */
  readonly bindings: PlainObject
  /** The variables of macros, by the slots the compiler gave them. */
  readonly locals: Value[]
  readonly budget: Budget | undefined
}

/** A compiled expression. @throws Failure */
export type Code = (activation: Activation) => Value

/** The value of an expression, or why it failed, unless that may not be absorbed. */
export function outcome(code: Code, activation: Activation): Value {
  try {
    return code(activation)
  } catch (error) {
    if (error instanceof Failure && !error.isFatal) return error
    throw error
  }
}

/** How many charges pass between two looks at the clock. */
const chargesPerLook = 16

/**
 * Bounds evaluations: each step of a comprehension is charged 1, and what walks strings or lists by their length. What
 * exceeds the limit or the deadline fails, and no `||` absorbs it. May be shared by several evaluations.
 */
export class Budget {
  readonly #limit: number
  readonly #deadlineMs: number
  readonly #now: () => number
  #cost = 0
  #charges = 0

  /** @param deadlineMs on the clock of `now`, by default that of `performance` */
  constructor({ limit = Infinity, deadlineMs = Infinity, now = () => performance.now() }: BudgetOptions = {}) {
    this.#limit = limit
    this.#deadlineMs = deadlineMs
    this.#now = now
  }

  get cost(): number {
    return this.#cost
  }

  /** @throws Failure that is fatal */
  charge(amount: number): void {
    this.#cost += amount
    if (this.#cost > this.#limit) throw new Failure('operation cancelled: actual cost limit exceeded', true)
    if (++this.#charges % chargesPerLook !== 0 && amount < chargesPerLook) return
    if (this.#now() > this.#deadlineMs) throw new Failure('operation interrupted', true)
  }
}

export interface BudgetOptions {
  limit?: number
  deadlineMs?: number
  now?: () => number
}
