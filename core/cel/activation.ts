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

const interrupted = () => new Failure('operation interrupted', true)

const performanceNow = () => performance.now()

/** How much cost passes between two looks at the clock. */
const betweenLooks = 256

/**
 * Bounds evaluations. Each step is charged with what it costs Kubernetes. What exceeds the limit or the deadline fails,
 * and no `||` absorbs it. May be shared by several evaluations.
 */
export class Budget {
  readonly #limit: number
  readonly #deadlineMs: number
  readonly #now: () => number
  #cost = 0
  /** The cost beyond which the limit or the clock is due. */
  #due: number

  /** @param deadlineMs on the clock of `now`, by default that of `performance` */
  constructor({ limit = Infinity, deadlineMs = Infinity, now = performanceNow }: BudgetOptions = {}) {
    this.#limit = limit
    this.#deadlineMs = deadlineMs
    this.#now = now
    this.#due = this.#next()
  }

  get cost(): number {
    return this.#cost
  }

  /** @throws Failure that is fatal */
  charge(amount: number): void {
    this.#cost += amount
    if (this.#cost > this.#due) this.#look()
  }

  #look(): void {
    if (this.#cost > this.#limit) throw new Failure('operation cancelled: actual cost limit exceeded', true)
    if (this.#deadlineMs === Infinity) return
    if (this.#now() > this.#deadlineMs) throw interrupted()
    this.#due = this.#next()
  }

  /**
   * Before work that its cost does not tell: the clock is looked at as if so much more had been charged.
   * @throws Failure that is fatal
   */
  strain(amount: number): void {
    if (this.#deadlineMs === Infinity) return
    this.#due -= amount
    if (this.#cost > this.#due) this.#look()
  }

  /**
   * Before work that nothing can end: a part of it is done and timed.
   * @param share of the work that the part is
   * @throws Failure that is fatal when the whole would not be done in time
   */
  try(share: number, part: () => void): void {
    if (this.#deadlineMs === Infinity) return
    const begun = this.#now()
    part()
    const now = this.#now()
    if (now + (now - begun) / share > this.#deadlineMs) throw interrupted()
  }

  #next(): number {
    return this.#deadlineMs === Infinity ? this.#limit : Math.min(this.#limit, this.#cost + betweenLooks)
  }
}

export interface BudgetOptions {
  limit?: number
  deadlineMs?: number
  now?: () => number
}
