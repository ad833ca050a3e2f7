/**
 * Arithmetic of 64-bit integers. Ints are numbers while they are safe integers, so the common case costs an addition
 * and a comparison; what leaves that range goes through bigint.
 */
import { fail, toInt, Uint } from './values.ts'

export type Int = number | bigint

const safe = Number.MAX_SAFE_INTEGER
const overflow = (): never => fail('integer overflow')

function checked(value: bigint): Int {
  return BigInt.asIntN(64, value) === value ? toInt(value) : overflow()
}

export function addInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (sum <= safe && sum >= -safe) return sum
  }
  return checked(BigInt(a) + BigInt(b))
}

export function subtractInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (difference <= safe && difference >= -safe) return difference
  }
  return checked(BigInt(a) - BigInt(b))
}

export function multiplyInt(a: Int, b: Int): Int {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b
    // Adding 0 makes -0, which no int is, 0.
    if (product <= safe && product >= -safe) return product + 0
  }
  return checked(BigInt(a) * BigInt(b))
}

export function divideInt(a: Int, b: Int): Int {
  if (b === 0) return fail('division by zero')
  // Exact, where the rounding of a / b could reach the next integer.
  if (typeof a === 'number' && typeof b === 'number') return (a - (a % b)) / b + 0
  return checked(BigInt(a) / BigInt(b))
}

export function remainderInt(a: Int, b: Int): Int {
  if (b === 0) return fail('modulus by zero')
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0
  if (BigInt(b) === -1n) return a === -(2n ** 63n) ? overflow() : 0
  return checked(BigInt(a) % BigInt(b))
}

export function negateInt(a: Int): Int {
  return typeof a === 'number' ? 0 - a : checked(-a)
}

/** A uint of a bigint. */
export function checkedUint(value: bigint): Uint {
  return BigInt.asUintN(64, value) === value ? new Uint(value) : fail('unsigned integer overflow')
}

/** An int of a bigint that may be out of range. */
export function checkedInt(value: bigint): Int {
  return checked(value)
}

/** An int of a double, cut toward zero. */
export function intOfDouble(value: number): Int {
  if (Number.isSafeInteger(Math.trunc(value))) return Math.trunc(value) + 0
  // The bounds themselves are refused, since doubles beside them round to them.
  if (!(value > -(2 ** 63) && value < 2 ** 63)) return overflow()
  return toInt(BigInt(Math.trunc(value)))
}

export function uintOfDouble(value: number): Uint {
  if (!(value >= 0 && value < 2 ** 64)) return fail('unsigned integer overflow')
  return new Uint(BigInt(Math.trunc(value)))
}
