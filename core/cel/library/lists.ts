/** Functions on lists: those of Kubernetes, and of the reference's extension. */
import type { Budget } from '../activation.ts'
import { add, maxLength } from '../arithmetic.ts'
import { define, defineMethod, givenBudget, type Library, type Overload } from '../environment.ts'
import { compare, equal } from '../equality.ts'
import type { Int } from '../integers.ts'
import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  list,
  optional,
  param,
  string,
  type Type,
  timestamp,
  uint,
} from '../types.ts'
import { adapt, CelMap, Double, Duration, fail, isInt, noSuchOverload, Optional, Uint, type Value } from '../values.ts'

type Items = readonly Value[]

const a = param('A')
const comparable = [int, uint, double, bool, string, bytes, duration, timestamp]
/** What can be summed, and the sum of nothing. */
const summable: [type: Type, zero: Value][] = [
  [int, 0],
  [uint, new Uint(0n)],
  [double, new Double(0)],
  [duration, new Duration(0n)],
]

const ofEach = (types: readonly Type[], overload: (type: Type) => Overload): Library => types.map(overload)

export const lists: Library = [
  ...ofEach(comparable, (type) => defineMethod('isSorted', [list(type)], bool, isSorted)),
  ...ofEach(comparable, (type) => defineMethod('min', [list(type)], type, (items: Items) => extreme(items, 'min', -1))),
  ...ofEach(comparable, (type) => defineMethod('max', [list(type)], type, (items: Items) => extreme(items, 'max', 1))),
  ...ofEach(comparable, (type) => givenBudget(defineMethod('sort', [list(type)], list(type), sorted))),
  ...summable.map(([type, zero]) => defineMethod('sum', [list(type)], type, (items: Items) => sum(items, zero))),
  defineMethod('indexOf', [list(a), a], int, (items: Items, item: Value) => items.findIndex((one) => equal(one, item))),
  defineMethod('lastIndexOf', [list(a), a], int, (items: Items, item: Value) =>
    items.findLastIndex((one) => equal(one, item)),
  ),
  defineMethod('slice', [list(a), int, int], list(a), slice),
  defineMethod('flatten', [list(list(a))], list(a), (items: Items) => flatten(items, 1)),
  defineMethod('flatten', [list(dyn), int], list(dyn), flatten),
  defineMethod('reverse', [list(a)], list(a), (items: Items) => items.toReversed()),
  givenBudget(defineMethod('distinct', [list(a)], list(a), distinct)),
  defineMethod('first', [list(a)], optional(a), (items: Items) => optionalOf(items[0])),
  defineMethod('last', [list(a)], optional(a), (items: Items) => optionalOf(items.at(-1))),
  define('lists.range', [int], list(int), range),
]

const optionalOf = (value: Value) => (value === undefined ? Optional.none : new Optional(adapt(value)))
const order = (x: Value, y: Value): number => compare(adapt(x), adapt(y)) ?? noSuchOverload()

function isSorted(items: Items): boolean {
  return items.every((item, i) => i === 0 || order(items[i - 1], item) <= 0)
}

/** @param sign of the order in which the wanted one stands to others */
function extreme(items: Items, name: string, sign: number): Value {
  if (items.length === 0) return fail(`${name} called on empty list`)
  return adapt(items.reduce((best, item) => (order(item, best) * sign > 0 ? item : best)))
}

function sorted(items: Items, budget?: Budget): Value[] {
  return items.toSorted((a, b) => {
    budget?.strain(1)
    return order(a, b)
  })
}

/** A double of JSON that has no fraction looks like an int until it meets the others. */
function sum(items: Items, zero: Value): Value {
  const [first = zero, ...rest] = items.map(zero instanceof Double ? asDouble : adapt)
  return rest.reduce((total, item) => add(total, item), first)
}

const asDouble = (value: Value) => (typeof value === 'number' ? new Double(value) : value)

function slice(items: Items, start: Int, end: Int): Items {
  if (start < 0 || end < 0) return fail(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end) return fail(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (end > items.length) return fail(`cannot slice(${start}, ${end}), list is length ${items.length}`)
  return items.slice(Number(start), Number(end))
}

function flatten(items: Items, depth: Int): Items {
  if (depth < 0) return fail('level must be non-negative')
  const flat: Value[] = []
  flattenInto(flat, items, Number(depth))
  return flat
}

function flattenInto(flat: Value[], items: Items, depth: number): void {
  for (const item of items) {
    if (depth > 0 && Array.isArray(item)) flattenInto(flat, item, depth - 1)
    else if (flat.push(item) > maxLength) fail(`list of more than ${maxLength} elements is too long`)
  }
}

function distinct(items: Items, budget?: Budget): Value[] {
  const kept: Value[] = []
  const keys = new CelMap()
  for (const item of items.map(adapt)) {
    const isKey = typeof item === 'string' || typeof item === 'boolean' || isInt(item) || item instanceof Uint
    if (!isKey) budget?.strain(kept.length)
    if (isKey ? keys.get(item) : kept.some((one) => equal(one, item))) continue
    if (isKey) keys.set(item, true)
    kept.push(item)
  }
  return kept
}

function range(count: Int): number[] {
  if (count > maxLength) return fail(`list of ${count} elements is too long`)
  const made: number[] = []
  for (let i = 0; i < count; i++) made.push(i)
  return made
}
