import { type JsonObject, setOwn } from '#core/schema/json.ts'
import { elementOf, fieldNode, isBare, type Node, structureOf } from './structure.ts'

/**
 * What an applied configuration makes of a value: fields, sets and keyed items are merged, everything else is replaced.
 * Nothing is taken away. Shares with both what it did not have to change.
 */
export function merge(node: Node, live: unknown, applied: unknown): unknown {
  if (live === undefined) return applied
  const structure = structureOf(node, applied)
  if (applied === null && isStructured(node, live)) return live
  if (structure === 'leaf' || structureOf(node, live) !== structure || isBare(live)) return applied
  if (isBare(applied)) return live
  if (structure === 'fields') return mergeFields(node, live as JsonObject, applied as JsonObject)
  return mergeLists(node, live as unknown[], applied as unknown[], structure)
}

/** Null says nothing about a structure that is there. */
function isStructured(node: Node, value: unknown): boolean {
  return structureOf(node, value) !== 'leaf' && !isBare(value)
}

function mergeFields(node: Node, live: JsonObject, applied: JsonObject): JsonObject {
  const merged: JsonObject = {}
  for (const name of Object.keys(live)) {
    const value = Object.hasOwn(applied, name) ? merge(fieldNode(node, name), live[name], applied[name]) : live[name]
    setOwn(merged, name, value)
  }
  for (const name of Object.keys(applied)) {
    if (!Object.hasOwn(live, name)) setOwn(merged, name, applied[name])
  }
  return merged
}

function mergeLists(
  node: Node,
  live: readonly unknown[],
  applied: readonly unknown[],
  structure: 'set' | 'items',
): unknown[] {
  const liveElements = live.map((item) => elementOf(structure, node, item))
  const appliedElements = applied.map((item) => elementOf(structure, node, item))
  const old = new Map<string, unknown>()
  // Of items that come twice nobody knows which is meant: what is applied replaces them all.
  for (const [at, element] of liveElements.entries()) old.set(element, old.has(element) ? undefined : live[at])
  return arrange(liveElements, appliedElements, old).map(({ from, at }) =>
    from === 'live' ? live[at] : merge(node!.items, old.get(appliedElements[at]!), applied[at]),
  )
}

interface Place {
  from: 'live' | 'applied'
  at: number
}

/**
 * Where the items of a merged list come from. What is applied comes in its own order, and the others stay where they were
 * between those that are in both.
 */
function arrange(live: readonly string[], applied: readonly string[], old: ReadonlyMap<string, unknown>): Place[] {
  const wanted = new Set(applied)
  const shared = applied.filter((element) => old.has(element))
  const places: Place[] = []
  const taken = new Set<string>()
  let [at, next, nextShared] = [0, 0, 0]
  const take = () => {
    const element = applied[next]!
    taken.add(element)
    if (shared[nextShared] === element) nextShared++
    places.push({ from: 'applied', at: next++ })
  }
  while (at < live.length) {
    const element = live[at]!
    const isLeft = next < applied.length
    if (!wanted.has(element)) places.push({ from: 'live', at: at++ })
    else if (element === applied[next]) {
      take()
      at++
    } else if (isLeft && nextShared < shared.length && shared[nextShared] !== element) at++
    else {
      if (taken.has(element) || !isLeft) at++
      if (isLeft) take()
    }
  }
  while (next < applied.length) take()
  return places
}
