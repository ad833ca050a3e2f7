import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addInt,
  divideInt,
  type Int,
  intOfDouble,
  multiplyInt,
  negateInt,
  remainderInt,
  subtractInt,
} from './integers.ts'
import { Failure, toInt } from './values.ts'

const edges = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 31n, 2n ** 32n]
const ints = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(...edges),
  fc.integer().map(BigInt),
)

/** What the operation on integers without bound gives, when it is an int. */
function bounded(exact: () => bigint): Int | 'fails' {
  try {
    const value = exact()
    return BigInt.asIntN(64, value) === value ? toInt(value) : 'fails'
  } catch {
    return 'fails'
  }
}

function outcomeOf(operation: () => Int): Int | 'fails' {
  try {
    return operation()
  } catch (error) {
    expect(error).toBeInstanceOf(Failure)
    return 'fails'
  }
}

const operations: [name: string, operation: (a: Int, b: Int) => Int, exact: (a: bigint, b: bigint) => bigint][] = [
  ['addition', addInt, (a, b) => a + b],
  ['subtraction', subtractInt, (a, b) => a - b],
  ['multiplication', multiplyInt, (a, b) => a * b],
  ['division', divideInt, (a, b) => a / b],
  ['negation', negateInt, (a) => -a],
]
test.each(operations)('%s is exact or fails', (_, operation, exact) => {
  fc.assert(
    fc.property(ints, ints, (a, b) => {
      // toBe tells -0 from 0, and numbers from bigints.
      expect(outcomeOf(() => operation(toInt(a), toInt(b)))).toBe(bounded(() => exact(a, b)))
    }),
  )
})

test('the remainder has the sign of the dividend, and overflows where the quotient does', () => {
  fc.assert(
    fc.property(ints, ints, (a, b) => {
      const want = a === -(2n ** 63n) && b === -1n ? 'fails' : bounded(() => a % b)
      expect(outcomeOf(() => remainderInt(toInt(a), toInt(b)))).toBe(want)
    }),
  )
})

test('an int of a double is cut toward zero, or fails out of range', () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      const isInRange = value > -(2 ** 63) && value < 2 ** 63
      const want = isInRange ? toInt(BigInt(Math.trunc(value))) : 'fails'
      expect(outcomeOf(() => intOfDouble(value))).toBe(want)
    }),
  )
})
