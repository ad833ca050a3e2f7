/** The loops of macros over lists and maps. */
import { type Activation, type Code, outcome } from './activation.ts'
import type { ComprehensionMacro } from './ast.ts'
import type { Adapter } from './schema-types.ts'
import { adapt, CelMap, Failure, fail, isMap, mapGet, mapKeys, noSuchOverload, type Value } from './values.ts'

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
}

/** Does one step. @returns true to stop */
type Step = (activation: Activation, key: Value) => boolean

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
    case 'map':
    case 'transformList':
      return listCode(loop)
    case 'transformMap':
      return mapCode(loop)
    case 'transformMapEntry':
      return entriesCode(loop)
  }
}

/** Walks the range, setting the variables before each step. */
function walk(loop: Loop, activation: Activation, step: Step): void {
  const range = loop.range(activation)
  if (Array.isArray(range)) walkList(loop, range, activation, step)
  else if (isMap(range)) walkMap(loop, range, activation, step)
  else noSuchOverload()
}

function walkList({ hasTwo, slot, adaptElement }: Loop, range: readonly Value[], activation: Activation, step: Step) {
  const { locals, budget } = activation
  for (let i = 0; i < range.length; i++) {
    budget?.charge(1)
    const read = adapt(range[i])
    const element = adaptElement ? adaptElement(read) : read
    if (hasTwo) locals[slot] = i
    locals[hasTwo ? slot + 1 : slot] = element
    if (step(activation, i)) return
  }
}

function walkMap(
  { hasTwo, slot, adaptElement }: Loop,
  range: Parameters<typeof mapKeys>[0],
  activation: Activation,
  step: Step,
) {
  const { locals, budget } = activation
  for (const key of mapKeys(range)) {
    budget?.charge(1)
    locals[slot] = key
    if (hasTwo) {
      const read = mapGet(range, key)
      locals[slot + 1] = adaptElement ? adaptElement(read) : read
    }
    if (step(activation, key)) return
  }
}

/** `all` and `exists`: a step that decides does so even when others fail. */
function quantifierCode(loop: Loop, decisive: boolean): Code {
  const { body } = loop
  return (activation) => {
    let decided = false
    let failure: Failure | undefined
    walk(loop, activation, () => {
      const value = outcome(body, activation)
      if (value === decisive) decided = true
      else if (value instanceof Failure) failure ??= value
      else if (typeof value !== 'boolean') failure ??= new Failure('no such overload')
      return decided
    })
    if (!decided && failure) throw failure
    return decided ? decisive : !decisive
  }
}

function existsOneCode(loop: Loop): Code {
  const holds = predicate(loop.body)
  return (activation) => {
    let count = 0
    walk(loop, activation, () => {
      if (holds(activation)) count++
      return false
    })
    return count === 1
  }
}

function filterCode(loop: Loop): Code {
  const holds = predicate(loop.body)
  return (activation) => {
    const kept: Value[] = []
    walk(loop, activation, ({ locals }) => {
      if (holds(activation)) kept.push(locals[loop.slot])
      return false
    })
    return kept
  }
}

function listCode(loop: Loop): Code {
  const passes = loop.filter && predicate(loop.filter)
  return (activation) => {
    const made: Value[] = []
    walk(loop, activation, () => {
      if (!passes || passes(activation)) made.push(loop.body(activation))
      return false
    })
    return made
  }
}

function mapCode(loop: Loop): Code {
  const passes = loop.filter && predicate(loop.filter)
  return (activation) => {
    const made = new CelMap()
    walk(loop, activation, (_, key) => {
      if (!passes || passes(activation)) made.set(key, loop.body(activation))
      return false
    })
    return made
  }
}

function entriesCode(loop: Loop): Code {
  const passes = loop.filter && predicate(loop.filter)
  return (activation) => {
    const made = new CelMap()
    walk(loop, activation, () => {
      if (!passes || passes(activation)) insertAll(made, loop.body(activation))
      return false
    })
    return made
  }
}

function insertAll(into: CelMap, entries: Value): void {
  const from = isMap(entries) ? entries : noSuchOverload()
  for (const key of mapKeys(from)) {
    if (into.get(key) !== undefined) fail(`insert failed: key ${String(key)} already exists`)
    into.set(key, mapGet(from, key))
  }
}

function predicate(code: Code): (activation: Activation) => boolean {
  return (activation) => {
    const value = code(activation)
    return typeof value === 'boolean' ? value : noSuchOverload()
  }
}
