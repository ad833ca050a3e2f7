/** Values that may be absent. The syntax for them, and optMap and optFlatMap, are part of the language. */
import { define, defineMethod, type Library } from '../environment.ts'
import { bool, dyn, list, optional, param } from '../types.ts'
import { Bytes, Double, Duration, fail, isMap, mapSize, Optional, Timestamp, Uint, type Value } from '../values.ts'

const a = param('A')
const maybe = optional(a)
const anyOptional = optional(dyn)

export const optionals: Library = [
  define('optional.of', [a], maybe, (value: Value) => new Optional(value)),
  define('optional.none', [], maybe, () => Optional.none),
  define('optional.ofNonZeroValue', [a], maybe, (value: Value) =>
    isZero(value) ? Optional.none : new Optional(value),
  ),
  defineMethod('hasValue', [anyOptional], bool, ({ value }: Optional) => value !== undefined),
  defineMethod('value', [maybe], a, ({ value }: Optional) => value ?? absent(value)),
  defineMethod('or', [maybe, maybe], maybe, (one: Optional, other: Optional) =>
    one.value === undefined ? other : one,
  ),
  defineMethod('orValue', [maybe, a], a, ({ value }: Optional, other: Value) => (value === undefined ? other : value)),
  define('optional.unwrap', [list(maybe)], list(a), unwrap),
  defineMethod('unwrapOpt', [list(maybe)], list(a), unwrap),
]

const absent = (value: null | undefined) => (value === null ? null : fail('optional.none() dereference'))

function unwrap(items: readonly Value[]): Value[] {
  return items.flatMap((item) => {
    if (!(item instanceof Optional)) return fail('no such overload')
    return item.value === undefined ? [] : [item.value]
  })
}

/** Whether it is what a value of its type is by default. */
function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === '') return true
  if (value instanceof Double) return value.value === 0
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Bytes) return value.data.length === 0
  if (value instanceof Duration || value instanceof Timestamp) return value.nanoseconds === 0n
  if (Array.isArray(value)) return value.length === 0
  return isMap(value) && mapSize(value) === 0
}
