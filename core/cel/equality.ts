/** Equality and order of values, across the types of numbers. Pure. */
import {
  type AnyMap,
  Bytes,
  CelMap,
  CelValue,
  Double,
  Duration,
  isMap,
  isPlainObject,
  mapGet,
  mapKeys,
  mapSize,
  Opaque,
  Optional,
  type PlainObject,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './values.ts'

/** Values of different types are unequal, save numbers, which are equal when they are the same number. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' && typeof b !== 'object') return false
  if (a === null || b === null) return false
  if (isPlainObject(a) && isPlainObject(b)) return equalObjects(a, b)
  const x = numberOf(a)
  if (x !== undefined) {
    const y = numberOf(b)
    return y !== undefined && compareNumbers(x, y) === 0
  }
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b)
  if (a instanceof CelValue && !(a instanceof CelMap)) return equalValues(a, b)
  return isMap(a) && isMap(b) && equalMaps(a, b)
}

function numberOf(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  return value instanceof Double || value instanceof Uint ? value.value : undefined
}

function equalLists(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => equal(item, b[i]))
}

function equalMaps(a: AnyMap, b: AnyMap): boolean {
  if (mapSize(a) !== mapSize(b)) return false
  return mapKeys(a).every((key) => {
    const other = mapGet(b, key)
    return other !== undefined && equal(mapGet(a, key), other)
  })
}

/** Objects of JSON inherit nothing that can be seen in a loop, and nothing at all that is no object and no function. */
function equalObjects(a: PlainObject, b: PlainObject): boolean {
  let excess = 0
  for (const key in b) if (b[key] !== undefined) excess++
  for (const key in a) {
    const value = a[key]
    if (value === undefined) continue
    const other = b[key]
    const isSame = value === other && typeof value !== 'object'
    if (!isSame && !(Object.hasOwn(b, key) && other !== undefined && equal(value, other))) return false
    excess--
  }
  return excess === 0
}

function equalValues(a: CelValue, b: Value): boolean {
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanoseconds === b.nanoseconds
  if (a instanceof Duration) return b instanceof Duration && a.nanoseconds === b.nanoseconds
  if (a instanceof Bytes) return b instanceof Bytes && compareBytes(a.data, b.data) === 0
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof Optional) return b instanceof Optional && equalOptionals(a, b)
  return a instanceof Opaque && b instanceof Opaque && a.typeName === b.typeName && a.equals(b)
}

function equalOptionals(a: Optional, b: Optional): boolean {
  if (a.value === undefined || b.value === undefined) return a.value === b.value
  return equal(a.value, b.value)
}

/** Below, at or above 0 as `a` is before, at or after `b`; NaN beside NaN; undefined when the types have no order. */
export function compare(a: Value, b: Value): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : undefined
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : undefined
  const x = numberOf(a)
  if (x !== undefined) {
    const y = numberOf(b)
    return y === undefined ? undefined : compareNumbers(x, y)
  }
  if (a instanceof Timestamp) return b instanceof Timestamp ? compareNumbers(a.nanoseconds, b.nanoseconds) : undefined
  if (a instanceof Duration) return b instanceof Duration ? compareNumbers(a.nanoseconds, b.nanoseconds) : undefined
  return a instanceof Bytes && b instanceof Bytes ? compareBytes(a.data, b.data) : undefined
}

function compareNumbers(a: number | bigint, b: number | bigint): number {
  // A large int meets a double as the double nearest to it.
  if (typeof a !== typeof b) return compareNumbers(Number(a), Number(b))
  if (a < b) return -1
  if (a > b) return 1
  return a === b ? 0 : Number.NaN
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** By code points, where JavaScript compares UTF-16: only beside a surrogate do the two differ. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates, which stand for the code points above U+FFFF, come after all other units. */
const rank = (unit: number) => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit)
