/** Code that charges the budget of its evaluation. It runs only when there is one. */
import { type Budget, type Code, outcome } from '../activation.ts'
import type { Overload } from '../environment.ts'
import type { Type } from '../types.ts'
import { Failure, Optional, type Value } from '../values.ts'

/** Charges what is known before the evaluation, at once. */
export function chargedCode(code: Code, cost: number): Code {
  if (cost === 0) return code
  return (activation) => {
    activation.budget!.charge(cost)
    return code(activation)
  }
}

/** Charges a step when an optional has a value. */
export function chargedWhenPresentCode(code: Code): Code {
  return (activation) => {
    const value = code(activation)
    if (value instanceof Optional && value.value !== undefined) activation.budget!.charge(1)
    return value
  }
}

type Call = (...args: readonly Value[]) => Value
type Cost = (...args: readonly Value[]) => number

/**
 * A call or an operator that is charged by its arguments before it is made; when one of two failed, too, as in the
 * reference, which evaluates the other nevertheless.
 */
export function chargedCallCode(call: Call, codes: readonly Code[], cost: Cost, isLong = false): Code {
  const [first, second] = codes
  if (codes.length === 1) return chargedUnaryCode(call, first!, cost, isLong)
  if (codes.length === 2) return chargedBinaryCode(call, first!, second!, cost, isLong)
  return (activation) => {
    const budget = activation.budget!
    const values = codes.map((code) => code(activation))
    budget.charge(cost(...values))
    strain(budget, values[0])
    return isLong ? call(...values, budget) : call(...values)
  }
}

/** What the work on long strings, lists and objects takes is not seen from their price. */
function strain(budget: Budget, value: Value): void {
  if (typeof value === 'string') {
    if (value.length > longText) budget.strain(value.length / longText)
  } else if (typeof value === 'object' && value !== null) budget.strain(compoundStrain)
}

/** Whether calls may take longer than what is charged for them. */
export function mayStrain({ isLong, params }: Overload): boolean {
  return isLong === true || params.some(({ kind }) => large.has(kind))
}

const large = new Set<Type['kind']>(['string', 'bytes', 'list', 'map', 'dyn', 'param'])
const longText = 2048
const compoundStrain = 128

function chargedUnaryCode(call: Call, code: Code, cost: Cost, isLong: boolean): Code {
  return (activation) => {
    const value = code(activation)
    const budget = activation.budget!
    budget.charge(cost(value))
    strain(budget, value)
    return isLong ? call(value, budget) : call(value)
  }
}

function chargedBinaryCode(call: Call, left: Code, right: Code, cost: Cost, isLong: boolean): Code {
  return (activation) => {
    let a: Value
    let b: Value
    try {
      a = left(activation)
      b = right(activation)
    } catch (error) {
      if (!(error instanceof Failure) || error.isFatal) throw error
      if (a === undefined) b = outcome(right, activation)
      activation.budget!.charge(cost(argumentOf(a), argumentOf(b)))
      throw error
    }
    const budget = activation.budget!
    budget.charge(cost(a, b))
    strain(budget, a)
    return isLong ? call(a, b, budget) : call(a, b)
  }
}

/** What failed is charged as what has no size. */
const argumentOf = (outcome: Value) => (outcome === undefined || outcome instanceof Failure ? null : outcome)

/** Charges an optional twice when it has a value: once to find that out, and once to take the value. */
export function twiceChargedCode(code: Code, beside: { absent: number; present: number }): Code {
  return (activation) => {
    const budget = activation.budget!
    const before = budget.cost
    const value = code(activation)
    const isPresent = value instanceof Optional && value.value !== undefined
    budget.charge(isPresent ? budget.cost - before + beside.present : beside.absent)
    return value
  }
}
