/**
 * What a call costs: at run time by its arguments, before that by what is known of them. Most prices are formulas of
 * the sizes of arguments, which give both.
 */
import type { Type } from '../types.ts'
import type { Value } from '../values.ts'
import { exactly, type Range, ranged } from './ranges.ts'
import { sizeOf } from './sizes.ts'

/** What is known of an argument before the evaluation. */
export interface Operand {
  readonly type: Type
  readonly size: Range
  /** What it is, when it is written as a constant. */
  readonly constant: Value
  /** Of a list: what is known of its items. */
  readonly items: Operand | undefined
}

export interface Estimate {
  readonly cost: Range
  /** How large the result is, as far as the price knows. */
  readonly size?: Range | undefined
}

/** Of a call; the first argument is the receiver, if there is one. */
export interface Price {
  /** What every such call costs, whatever its arguments. */
  readonly fixed?: number
  readonly actual: (...args: never[]) => number
  /** `actual` for calls whose second argument is this constant. */
  readonly actualWith?: (second: Value) => (first: never) => number
  readonly estimate: (args: readonly Operand[]) => Estimate
}

export const fixed = (cost: number): Price => ({
  fixed: cost,
  actual: () => cost,
  estimate: () => ({ cost: exactly(cost) }),
})

/** What calls cost that do about the same whatever they are called with. */
export const unit = fixed(1)

type ResultSize = (args: readonly Operand[]) => Range

/** @param formula of the sizes of the arguments, as many as it has parameters; it grows with them */
export function bySize(formula: (...sizes: number[]) => number, size?: ResultSize): Price {
  const count = formula.length
  return {
    actual:
      count === 1
        ? (first: Value) => formula(sizeOf(first))
        : (first: Value, second: Value) => formula(sizeOf(first), sizeOf(second)),
    actualWith: (second) => {
      const size = sizeOf(second)
      return (first: Value) => formula(sizeOf(first), size)
    },
    estimate: (args) => ({
      cost: ranged(
        formula,
        args.slice(0, count).map((one) => one.size),
      ),
      size: size?.(args),
    }),
  }
}
