/** The types that operators take and give, for the checker. What they do is compiled: see arithmetic.ts and compiler.ts. */
import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  list,
  map,
  optional,
  param,
  string,
  type Type,
  timestamp,
  uint,
} from './types.ts'

export interface Signature {
  readonly params: readonly Type[]
  readonly result: Type
}

const a = param('A')
const b = param('B')
const of = (result: Type, ...params: Type[]): Signature => ({ params, result })
const closed = (...types: Type[]) => types.map((type) => of(type, type, type))

const numbers = [int, uint, double]
const ordered = [bool, string, bytes, timestamp, duration]
const order: readonly Signature[] = [
  ...numbers.flatMap((x) => numbers.map((y) => of(bool, x, y))),
  ...ordered.map((type) => of(bool, type, type)),
]

/** Of lists and maps. @param wrap what an index gives of what is held */
const indices = (wrap: (held: Type) => Type): Signature[] => [of(wrap(a), list(a), int), of(wrap(b), map(a, b), a)]
const optionalIndices: readonly Signature[] = indices(optional).map(({ params: [from, index], result }) =>
  of(result, optional(from!), index!),
)

/** Of a list and of the keys it is sorted by. */
const sorts = [...numbers, ...ordered].map((key) => of(list(a), list(a), list(key)))

export const operators: ReadonlyMap<string, readonly Signature[]> = new Map([
  [
    '_+_',
    [
      ...closed(int, uint, double, string, bytes, list(a), duration),
      of(timestamp, timestamp, duration),
      of(timestamp, duration, timestamp),
    ],
  ],
  [
    '_-_',
    [...closed(int, uint, double, duration), of(timestamp, timestamp, duration), of(duration, timestamp, timestamp)],
  ],
  ['_*_', closed(int, uint, double)],
  ['_/_', closed(int, uint, double)],
  ['_%_', closed(int, uint)],
  ['-_', [of(int, int), of(double, double)]],
  ['!_', [of(bool, bool)]],
  ['_==_', [of(bool, a, a)]],
  ['_!=_', [of(bool, a, a)]],
  ['_<_', order],
  ['_<=_', order],
  ['_>_', order],
  ['_>=_', order],
  ['@in', [of(bool, a, list(a)), of(bool, a, map(a, b))]],
  ['_[_]', [...indices((held) => held), ...optionalIndices]],
  ['_[?_]', [...indices(optional), ...optionalIndices]],
  ['_?_:_', [of(a, bool, a, a)]],
  ['@sortByAssociatedKeys', sorts],
])

/** Kinds of values a comprehension can walk, and what its variables then are. */
export function rangeVariables(range: Type, count: 1 | 2): readonly Type[] | undefined {
  if (range.kind === 'dyn') return [dyn, dyn].slice(0, count)
  if (range.kind === 'list') return count === 1 ? range.params : [int, range.params[0]!]
  return range.kind === 'map' ? range.params.slice(0, count) : undefined
}
