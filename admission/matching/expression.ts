import {
  Budget,
  CompileError,
  compile,
  type Environment,
  EvaluationError,
  type Program,
  Stopwatch,
  types,
} from '#core/cel/cel.ts'
import type { Type } from '#core/cel/types.ts'
import type { Bindings } from './inputs.ts'

/** Why an expression is not accepted, in Kubernetes' words. */
export class ExpressionError extends Error {}

/** What an evaluation may cost: of one expression by itself, and of all that are evaluated for one decision. */
export const costLimits = { expression: 1_000_000, policy: 10_000_000, matchConditions: 2_500_000 }

/** How long an expression may take, whatever it costs: others wait meanwhile. */
const evaluationMs = 50

/**
 * Compiles an expression and checks what it evaluates to.
 * @param wanted one of these types; none for any
 * @throws ExpressionError
 */
export function compileExpression(text: string, environment: Environment, wanted: readonly Type[] = []): Program {
  const program = compiled(text, environment)
  const found = shown(program.type)
  if (wanted.length === 0 || wanted.some((type) => shown(type) === found)) return program
  const names = wanted.map(shown)
  const expected = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`
  throw new ExpressionError(`must evaluate to ${expected} but got ${found}`)
}

function compiled(text: string, environment: Environment): Program {
  try {
    return compile(text, environment)
  } catch (error) {
    if (error instanceof CompileError) throw new ExpressionError(`compilation failed: ${error.message}`)
    throw error
  }
}

const shown = (type: Type) => (type.params.length === 0 ? types.runtimeName(type) : types.formatType(type))

/** The value of an expression, or why it has none. */
export type Outcome = { value: unknown; failure?: undefined } | { value?: undefined; failure: string }

/** An expression of an object that is stored. It was judged when it was written, yet not necessarily by this server. */
export class Expression {
  readonly text: string
  readonly #program: Program | undefined
  readonly #failure: string = ''

  constructor(text: string, environment: Environment, wanted: readonly Type[] = []) {
    this.text = text
    try {
      this.#program = compileExpression(text, environment, wanted)
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error
      this.#failure = error.message
    }
  }

  /** dyn for one that does not compile. */
  get type(): Type {
    return this.#program?.type ?? types.dyn
  }

  /** Why it does not compile; empty when it does. */
  get fault(): string {
    return this.#failure
  }

  /** @throws OutOfBudget when the purse does not hold what it cost */
  evaluate(bindings: Bindings, purse: Purse): Outcome {
    if (!this.#program) return { failure: this.#failure }
    const { now } = new Stopwatch()
    const budget = new Budget({ limit: costLimits.expression, deadlineMs: evaluationMs, now })
    try {
      const value = this.#program.evaluate(bindings, budget)
      purse.pay(budget.cost)
      return { value }
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      purse.pay(budget.cost)
      return { failure: error.message }
    }
  }

  /** A failure of an evaluation as clients are told of it. */
  explain(failure: string): string {
    return this.#program ? `expression '${this.text}' resulted in error: ${failure}` : `compilation error: ${failure}`
  }
}

/** What the expressions of one decision cost together was more than it may. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

/** What is left for the expressions of one decision. */
export class Purse {
  #left: number

  constructor(limit: number) {
    this.#left = limit
  }

  /** @throws OutOfBudget */
  pay(cost: number): void {
    this.#left -= cost
    if (this.#left < 0) throw new OutOfBudget()
  }
}
