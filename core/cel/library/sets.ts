/** Lists as sets. */
import type { Budget } from '../activation.ts'
import { define, type Library, long } from '../environment.ts'
import { equal } from '../equality.ts'
import { bool, list, param } from '../types.ts'
import type { Value } from '../values.ts'

type Items = readonly Value[]

const items = list(param('A'))

function has(all: Items, wanted: Value, budget: Budget | undefined): boolean {
  budget?.strain(all.length)
  return typeof wanted === 'string' ? all.includes(wanted) : all.some((item) => equal(item, wanted))
}

const contains = (all: Items, wanted: Items, budget?: Budget) => wanted.every((item) => has(all, item, budget))

export const sets: Library = long([
  define('sets.contains', [items, items], bool, contains),
  define(
    'sets.equivalent',
    [items, items],
    bool,
    (a: Items, b: Items, budget?: Budget) => contains(a, b, budget) && contains(b, a, budget),
  ),
  define('sets.intersects', [items, items], bool, (a: Items, b: Items, budget?: Budget) =>
    a.some((item) => has(b, item, budget)),
  ),
])
