/** Lists as sets. */
import { define, type Library } from '../environment.ts'
import { equal } from '../equality.ts'
import { bool, list, param } from '../types.ts'
import type { Value } from '../values.ts'

type Items = readonly Value[]

const items = list(param('A'))

const has = (all: Items, wanted: Value) =>
  typeof wanted === 'string' ? all.includes(wanted) : all.some((item) => equal(item, wanted))
const contains = (all: Items, wanted: Items) => wanted.every((item) => has(all, item))

export const sets: Library = [
  define('sets.contains', [items, items], bool, contains),
  define('sets.equivalent', [items, items], bool, (a: Items, b: Items) => contains(a, b) && contains(b, a)),
  define('sets.intersects', [items, items], bool, (a: Items, b: Items) => a.some((item) => has(b, item))),
]
