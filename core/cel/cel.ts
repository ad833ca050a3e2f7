/**
 * CEL, the Common Expression Language: `compile` an expression against an environment once, `evaluate` it often.
 * Expressions and the data they meet may come from strangers: an expression ends, reads what it is given and nothing
 * else, and fails with an error of this library only.
 */
import type { Activation, Budget } from './activation.ts'
import type { Expression } from './ast.ts'
import { type Checked, check } from './checker.ts'
import { type Compiled, compileTree } from './compiler.ts'
import { declaredSizes, estimateCost, type SizeHints } from './cost/estimate.ts'
import { type CostModel, kubernetesCosts } from './cost/meter.ts'
import { type Range, unknown } from './cost/ranges.ts'
import { Environment } from './environment.ts'
import { optionals } from './library/optionals.ts'
import { standard } from './library/standard.ts'
import { literalIssues } from './literals.ts'
import { parse } from './parser.ts'
import { CompileError, inOrder } from './source.ts'
import { dyn, type Type } from './types.ts'
import { Failure, toNative, type Value } from './values.ts'

export { Budget } from './activation.ts'
export type { SizeHints } from './cost/estimate.ts'
export type { CostModel } from './cost/meter.ts'
export { type Range as CostEstimate, unbounded as unboundedCost } from './cost/ranges.ts'
export { define, defineMethod, Environment, type Library, type Overload } from './environment.ts'
export { CompileError, type Issue } from './source.ts'
export { Stopwatch } from './stopwatch.ts'
export * as types from './types.ts'
export * from './values.ts'

/** Why an evaluation has no value. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError'
  /** Whether it ran out of budget or time. */
  readonly isInterrupted: boolean

  constructor(message: string, isInterrupted = false, options?: ErrorOptions) {
    super(message, options)
    this.isInterrupted = isInterrupted
  }
}

/** What the specification defines, with optional values. Extend it with variables and further libraries. */
export const standardEnvironment = new Environment({ libraries: [standard, optionals] })

/** A compiled expression. */
export class Program {
  /** What the checker found its value to be; dyn when it was not checked. */
  readonly type: Type
  /** The variables it refers to, as far as it was checked. */
  readonly variables: ReadonlySet<string>
  readonly #tree: Tree
  #free: Compiled | undefined
  #charged: Compiled | undefined

  constructor(tree: Tree) {
    this.#tree = tree
    this.type = tree.checked?.type ?? dyn
    this.variables = variablesOf(tree.checked)
  }

  /**
   * What an evaluation may cost, in the unit of `Budget.cost`; at most `unboundedCost`.
   * @param sizes of the values that variables lead to; by default as the types of the variables and their `maxElements` have it
   */
  estimateCost(sizes?: SizeHints): Range {
    const { expression, environment, checked, costs } = this.#tree
    if (!checked) return unknown
    return estimateCost(expression, checked, costs, sizes ?? declaredSizes((name) => environment.variable(name)))
  }

  /**
   * The value for these variables, read as own properties. JSON may be given as it is; nothing is copied or changed.
   * @throws EvaluationError
   */
  evaluate(bindings: Readonly<Record<string, unknown>>, budget?: Budget): Value {
    const { code, due, slots } = budget
      ? (this.#charged ??= this.#compile(true))
      : (this.#free ??= this.#compile(false))
    const activation: Activation = { bindings, locals: slots === 0 ? noLocals : new Array(slots), budget }
    try {
      budget?.charge(due)
      return code(activation)
    } catch (error) {
      throw evaluationError(error)
    }
  }

  /** Code that charges a budget is apart, so that evaluations without one do nothing for it. */
  #compile(charges: boolean): Compiled {
    const { expression, environment, checked, costs } = this.#tree
    return compileTree(expression, environment, checked, charges ? costs : undefined)
  }
}

/** An expression that was read. */
interface Tree {
  readonly expression: Expression
  readonly environment: Environment
  readonly checked: Checked | undefined
  readonly costs: CostModel
}

const noLocals: Value[] = []

/** What was thrown, as an error for callers. The engine's own limits, such as that of a string's length, are errors of the expression. */
function evaluationError(error: unknown): unknown {
  if (error instanceof Failure) return new EvaluationError(error.message, error.isFatal)
  return error instanceof RangeError ? new EvaluationError(error.message, true, { cause: error }) : error
}

export interface CompileOptions {
  /** Whether types are checked first; by default they are. */
  check?: boolean
  /** What evaluations with a budget are charged; by default as in Kubernetes. */
  costs?: CostModel
}

/** @throws CompileError with the position of every issue */
export function compile(text: string, environment = standardEnvironment, options: CompileOptions = {}): Program {
  const expression = parse(text)
  const checked = options.check === false ? undefined : check(expression, environment, text)
  const issues = checked && environment.strictLiterals ? literalIssues(expression, checked, text) : []
  if (issues.length > 0) throw new CompileError(inOrder(issues), text)
  return new Program({ expression, environment, checked, costs: options.costs ?? kubernetesCosts })
}

function variablesOf(checked: Checked | undefined): ReadonlySet<string> {
  const references = [...(checked?.references.values() ?? [])]
  return new Set(references.flatMap((one) => (one.kind === 'variable' ? [one.name] : [])))
}

/**
 * The value of an expression over the own properties of a context, as JavaScript has it: ints beyond 2^53 and uints as
 * bigint, doubles as numbers.
 * @throws CompileError, EvaluationError
 */
export function evaluate(text: string, context: Readonly<Record<string, unknown>> = {}): unknown {
  return toNative(compile(text, standardEnvironment, { check: false }).evaluate(context))
}
