/** The code of operators. Those of ints come first, since most are. */
import { type Code, outcome } from './activation.ts'
import * as arithmetic from './arithmetic.ts'
import type { Literal } from './ast.ts'
import { equal } from './equality.ts'
import { Failure, type Value } from './values.ts'

export function equalsConstantCode(operand: Code, { value: wanted }: Literal, isWanted: boolean): Code {
  if (typeof wanted === 'string' || typeof wanted === 'boolean' || wanted === null)
    return (activation) => (operand(activation) === wanted) === isWanted
  return (activation) => {
    const value = operand(activation)
    return (value === wanted || equal(value, wanted)) === isWanted
  }
}

export const unaryOperators = new Map<string, (a: Value) => Value>([
  ['!_', arithmetic.not],
  ['-_', arithmetic.negate],
])
export const binaryOperators = new Map<string, arithmetic.Binary>([
  ['_==_', equal],
  ['_!=_', (a, b) => !equal(a, b)],
  ['_<_', arithmetic.less],
  ['_<=_', arithmetic.lessOrEqual],
  ['_>_', arithmetic.greater],
  ['_>=_', arithmetic.greaterOrEqual],
  ['_+_', arithmetic.add],
  ['_-_', arithmetic.subtract],
  ['_*_', arithmetic.multiply],
  ['_/_', arithmetic.divide],
  ['_%_', arithmetic.remainder],
  ['@in', arithmetic.isIn],
])

/** Operators with a way of their own for ints in the closure itself. */
export const fastOperators = new Map<string, (left: Code, right: Code) => Code>([
  ['_+_', addCode],
  ['_<_', lessCode],
  ['_<=_', lessOrEqualCode],
  ['_>_', greaterCode],
  ['_>=_', greaterOrEqualCode],
])

export function unaryCode(unary: (a: Value) => Value, operand: Code): Code {
  return (activation) => unary(operand(activation))
}

export function binaryCode(binary: arithmetic.Binary, left: Code, right: Code): Code {
  return (activation) => binary(left(activation), right(activation))
}

function addCode(left: Code, right: Code): Code {
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    if (typeof a === 'number' && typeof b === 'number') {
      const sum = a + b
      if (sum <= Number.MAX_SAFE_INTEGER && sum >= -Number.MAX_SAFE_INTEGER) return sum
    }
    return arithmetic.add(a, b)
  }
}

function lessCode(left: Code, right: Code): Code {
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    return typeof a === 'number' && typeof b === 'number' ? a < b : arithmetic.less(a, b)
  }
}

function lessOrEqualCode(left: Code, right: Code): Code {
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    return typeof a === 'number' && typeof b === 'number' ? a <= b : arithmetic.lessOrEqual(a, b)
  }
}

function greaterCode(left: Code, right: Code): Code {
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    return typeof a === 'number' && typeof b === 'number' ? a > b : arithmetic.greater(a, b)
  }
}

function greaterOrEqualCode(left: Code, right: Code): Code {
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    return typeof a === 'number' && typeof b === 'number' ? a >= b : arithmetic.greaterOrEqual(a, b)
  }
}

/** A chain of `&&` or `||`: a term that decides does so even when others fail. */
export function logicalCode(terms: readonly Code[], decisive: boolean): Code {
  return (activation) => {
    let failure: Failure | undefined
    for (const term of terms) {
      const value = outcome(term, activation)
      if (value === decisive) return decisive
      if (value instanceof Failure) failure ??= value
      else if (typeof value !== 'boolean') failure ??= new Failure('no such overload')
    }
    if (failure) throw failure
    return !decisive
  }
}
