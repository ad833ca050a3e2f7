/** Code that charges the budget of its evaluation. It runs only when there is one. */
import type { Code } from '../activation.ts'
import { Optional, type Value } from '../values.ts'

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

/** An operator of two values, charged by them. */
export function chargedBinaryCode(
  call: (a: Value, b: Value) => Value,
  left: Code,
  right: Code,
  actual: (a: Value, b: Value) => number,
): Code {
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    const budget = activation.budget!
    budget.charge(actual(a, b))
    const value = call(a, b)
    // What two lists or objects take is not seen from their price.
    if (typeof a === 'object' && a !== null) budget.look()
    return value
  }
}

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
