/** The loops of macros over lists and maps. */
import { type Activation, type Code, outcome } from './activation.ts'
import type { ComprehensionMacro } from './ast.ts'
import type { LoopCost } from './cost/meter.ts'
import { sortCost } from './cost/prices.ts'
import { compare } from './equality.ts'
import type { Adapter } from './schema-types.ts'
import {
  type AnyMap,
  adapt,
  CelMap,
  Failure,
  fail,
  isMap,
  mapGet,
  mapKeys,
  noSuchOverload,
  type Value,
} from './values.ts'

export interface Loop {
  macro: ComprehensionMacro
  range: Code
  /** Whether it has variables for index and element, or key and value; else for the element or the key. */
  hasTwo: boolean
  /** Where the first variable is; the second is beside it. */
  slot: number
  adaptElement: Adapter | undefined
  filter: Code | undefined
  /** The predicate, or what a step yields. */
  body: Code
  /** What is charged, for code that runs with a budget. */
  cost: LoopCost | undefined
}

export function comprehensionCode(loop: Loop): Code {
  switch (loop.macro) {
    case 'all':
      return quantifierCode(loop, false)
    case 'exists':
      return quantifierCode(loop, true)
    case 'existsOne':
      return existsOneCode(loop)
    case 'filter':
      return filterCode(loop)
    case 'sortBy':
      return sortByCode(loop)
    case 'map':
    case 'transformList':
      return listCode(loop)
    case 'transformMap':
      return mapCode(loop)
    case 'transformMapEntry':
      return entriesCode(loop)
  }
}

/** What is walked: the elements of a list, the keys of a map. */
function itemsOf(range: Value): readonly Value[] {
  if (Array.isArray(range)) return range
  return isMap(range) ? mapKeys(range) : noSuchOverload()
}

/** Sets the variables before a step. */
type Enter = (activation: Activation, range: Value, items: readonly Value[], at: number) => void

function enterWith({ hasTwo, slot, adaptElement, cost }: Loop): Enter {
  const stepCost = cost?.step ?? 0
  const read = adaptElement ? (value: Value) => adaptElement(adapt(value)) : adapt
  if (!hasTwo) {
    return ({ locals, budget }, range, items, at) => {
      if (stepCost > 0) budget!.charge(stepCost)
      locals[slot] = range === items ? read(items[at]) : items[at]
    }
  }
  return ({ locals, budget }, range, items, at) => {
    if (stepCost > 0) budget!.charge(stepCost)
    locals[slot] = range === items ? at : items[at]
    locals[slot + 1] = read(range === items ? items[at] : mapGet(range as AnyMap, items[at]))
  }
}

/** `all` and `exists`: a step that decides does so even when others fail. */
function quantifierCode(loop: Loop, decisive: boolean): Code {
  const enter = enterWith(loop)
  const { range: rangeCode, body, cost } = loop
  return (activation) => {
    const range = rangeCode(activation)
    const items = itemsOf(range)
    let failure: Failure | undefined
    for (let i = 0; i < items.length; i++) {
      enter(activation, range, items, i)
      const value = outcome(body, activation)
      if (value === decisive) {
        if (cost && i + 1 < items.length) activation.budget!.charge(cost.ended)
        return decisive
      }
      if (value instanceof Failure) failure ??= value
      else if (typeof value !== 'boolean') failure ??= new Failure('no such overload')
    }
    if (failure) throw failure
    return !decisive
  }
}

/** Takes one step, after which the result is nearer. */
type Step<R> = (result: R, activation: Activation, key: Value) => void

/** The steps that pass the filter, from a result made anew for each evaluation. */
function foldCode<R>(
  loop: Loop,
  start: () => R,
  step: Step<R>,
  finish: (result: R, activation: Activation) => Value = (result) => result,
): Code {
  const enter = enterWith(loop)
  const passes = loop.filter && predicateCode(loop.filter, loop.cost)
  return (activation) => {
    const range = loop.range(activation)
    const items = itemsOf(range)
    const result = start()
    for (let i = 0; i < items.length; i++) {
      enter(activation, range, items, i)
      if (!passes || passes(activation)) step(result, activation, range === items ? i : items[i])
    }
    return finish(result, activation)
  }
}

const emptyList = (): Value[] => []
const emptyMap = () => new CelMap()

function existsOneCode(loop: Loop): Code {
  const holds = predicateCode(loop.body, loop.cost)
  const step = (found: { count: number }, activation: Activation) => {
    if (holds(activation)) found.count++
  }
  return foldCode(
    loop,
    () => ({ count: 0 }),
    step,
    ({ count }) => count === 1,
  )
}

function filterCode(loop: Loop): Code {
  const holds = predicateCode(loop.body, loop.cost)
  return foldCode(loop, emptyList, (kept, activation) => {
    if (holds(activation)) kept.push(activation.locals[loop.slot])
  })
}

function sortByCode(loop: Loop): Code {
  return foldCode(
    loop,
    (): Sortable[] => [],
    (made, activation) => {
      made.push({ item: activation.locals[loop.slot], key: loop.body(activation) })
    },
    (made, { budget }) => {
      if (loop.cost) budget!.charge(sortCost(made.map(({ key }) => key)))
      const sorted = made.sort((a, b) => {
        budget?.strain(1)
        return compare(a.key, b.key) ?? noSuchOverload()
      })
      return sorted.map(({ item }) => item)
    },
  )
}

interface Sortable {
  item: Value
  key: Value
}

function listCode(loop: Loop): Code {
  return foldCode(loop, emptyList, (made, activation) => {
    made.push(loop.body(activation))
  })
}

function mapCode(loop: Loop): Code {
  return foldCode(loop, emptyMap, (made, activation, key) => {
    made.set(key, loop.body(activation))
  })
}

function entriesCode(loop: Loop): Code {
  return foldCode(loop, emptyMap, (made, activation) => insertAll(made, loop.body(activation)))
}

function insertAll(into: CelMap, entries: Value): void {
  const from = isMap(entries) ? entries : noSuchOverload()
  for (const key of mapKeys(from)) {
    if (into.get(key) !== undefined) fail(`insert failed: key ${String(key)} already exists`)
    into.set(key, mapGet(from, key))
  }
}

function predicateCode(code: Code, cost: LoopCost | undefined): (activation: Activation) => boolean {
  return (activation) => {
    const value = code(activation)
    if (typeof value !== 'boolean') return noSuchOverload()
    if (cost && value) activation.budget!.charge(cost.kept)
    return value
  }
}
