/** The operators on values of any type. Those of ints come first, since most are. */
import { compare, equal } from './equality.ts'
import {
  addInt,
  checkedUint,
  divideInt,
  type Int,
  multiplyInt,
  negateInt,
  remainderInt,
  subtractInt,
} from './integers.ts'
import { checkedDuration, checkedTimestamp } from './time.ts'
import {
  adapt,
  Bytes,
  Double,
  Duration,
  fail,
  isInt,
  isMap,
  mapGet,
  noSuchOverload,
  Timestamp,
  toInt,
  Uint,
  type Value,
} from './values.ts'

export type Binary = (a: Value, b: Value) => Value

export function add(a: Value, b: Value): Value {
  if (isInt(a)) return isInt(b) ? addInt(a, b) : noSuchOverload()
  if (typeof a === 'string') return typeof b === 'string' ? joinStrings(a, b) : noSuchOverload()
  if (a instanceof Double && b instanceof Double) return new Double(a.value + b.value)
  if (a instanceof Uint && b instanceof Uint) return checkedUint(a.value + b.value)
  if (Array.isArray(a) && Array.isArray(b)) return joinLists(a, b)
  if (a instanceof Bytes && b instanceof Bytes) return new Bytes(Buffer.concat([a.data, b.data]))
  if (a instanceof Duration && b instanceof Duration) return checkedDuration(a.nanoseconds + b.nanoseconds)
  if (a instanceof Timestamp && b instanceof Duration) return checkedTimestamp(a.nanoseconds + b.nanoseconds)
  if (a instanceof Duration && b instanceof Timestamp) return checkedTimestamp(a.nanoseconds + b.nanoseconds)
  return noSuchOverload()
}

/** Longer strings than an expression needs are refused before they are made. */
export const maxTextLength = 20_000_000

function joinStrings(a: string, b: string): string {
  const length = a.length + b.length
  return length <= maxTextLength ? a + b : fail(`string of ${length} characters is too long`)
}

/** Longer lists than an expression needs are refused before they are made: each is a copy. */
export const maxLength = 1_000_000

function joinLists(a: readonly Value[], b: readonly Value[]): readonly Value[] {
  if (a.length === 0) return b
  if (b.length === 0) return a
  const length = a.length + b.length
  return length <= maxLength ? [...a, ...b] : fail(`list of ${length} elements is too long`)
}

/** `a + b` of lists that are put together in another way than one behind the other. */
export function joining(join: (a: readonly Value[], b: readonly Value[]) => readonly Value[]): Binary {
  return (a, b) => (Array.isArray(a) && Array.isArray(b) ? join(a, b) : noSuchOverload())
}

export function subtract(a: Value, b: Value): Value {
  if (isInt(a)) return isInt(b) ? subtractInt(a, b) : noSuchOverload()
  if (a instanceof Double && b instanceof Double) return new Double(a.value - b.value)
  if (a instanceof Uint && b instanceof Uint) return checkedUint(a.value - b.value)
  if (a instanceof Duration && b instanceof Duration) return checkedDuration(a.nanoseconds - b.nanoseconds)
  if (a instanceof Timestamp && b instanceof Timestamp) return checkedDuration(a.nanoseconds - b.nanoseconds)
  if (a instanceof Timestamp && b instanceof Duration) return checkedTimestamp(a.nanoseconds - b.nanoseconds)
  return noSuchOverload()
}

/** An operator that only numbers have. */
function numeric(
  ofInts: (a: Int, b: Int) => Int,
  ofUints: (a: bigint, b: bigint) => Uint,
  ofDoubles: (a: number, b: number) => number | undefined,
): Binary {
  return (a, b) => {
    if (isInt(a)) return isInt(b) ? ofInts(a, b) : noSuchOverload()
    if (a instanceof Uint && b instanceof Uint) return ofUints(a.value, b.value)
    const result = a instanceof Double && b instanceof Double ? ofDoubles(a.value, b.value) : undefined
    return result === undefined ? noSuchOverload() : new Double(result)
  }
}

export const multiply = numeric(
  multiplyInt,
  (a, b) => checkedUint(a * b),
  (a, b) => a * b,
)
export const divide = numeric(
  divideInt,
  (a, b) => (b === 0n ? fail('division by zero') : new Uint(a / b)),
  (a, b) => a / b,
)
export const remainder = numeric(
  remainderInt,
  (a, b) => (b === 0n ? fail('modulus by zero') : new Uint(a % b)),
  () => undefined,
)

export function negate(a: Value): Value {
  if (isInt(a)) return negateInt(a)
  return a instanceof Double ? new Double(-a.value) : noSuchOverload()
}

export const not = (a: Value): boolean => (typeof a === 'boolean' ? !a : noSuchOverload())

function ordering(holds: (order: number) => boolean): Binary {
  return (a, b) => {
    const order = compare(a, b)
    return order === undefined ? noSuchOverload() : holds(order)
  }
}

export const less = ordering((order) => order < 0)
export const lessOrEqual = ordering((order) => order <= 0)
export const greater = ordering((order) => order > 0)
export const greaterOrEqual = ordering((order) => order >= 0)

/** `a in b`. */
export function isIn(a: Value, b: Value): boolean {
  if (Array.isArray(b)) return typeof a === 'string' ? b.includes(a) : b.some((item) => equal(a, item))
  return isMap(b) ? mapGet(b, a) !== undefined : noSuchOverload()
}

/** The element of a list or the value of a key; undefined when there is none. */
export function lookUp(from: Value, key: Value): Value {
  if (!Array.isArray(from)) return isMap(from) ? mapGet(from, key) : noSuchOverload()
  const index = indexOf(key)
  return index === undefined ? noSuchOverload() : adapt(from[index])
}

/** A key as an index of a list: any number without a fraction. */
function indexOf(key: Value): number | undefined {
  if (typeof key === 'number') return key
  if (typeof key === 'bigint') return -1
  if (key instanceof Uint) return Number(toInt(key.value))
  if (!(key instanceof Double)) return undefined
  return Number.isInteger(key.value) ? key.value : undefined
}

export function index(from: Value, key: Value): Value {
  return lookUp(from, key) ?? absent(from, key)
}

function absent(from: Value, key: Value): Value {
  // A key of null JSON data is there, and its value is null.
  if (lookUp(from, key) === null) return null
  return fail(Array.isArray(from) ? `index out of bounds: ${showKey(key)}` : `no such key: ${showKey(key)}`)
}

const showKey = (key: Value) => (key instanceof Uint || key instanceof Double ? String(key.value) : String(key))
