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

/**
 * Items that are in both come in the order of what is applied, and the others stay where they were between them.
 */
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
  const wanted = new Set(appliedElements)
  const shared = appliedElements.filter((element) => old.has(element))
  const merged: unknown[] = []
  const taken = new Set<string>()
  const take = (at: number) => {
    const element = appliedElements[at]!
    taken.add(element)
    merged.push(merge(node!.items, old.get(element), applied[at]))
    if (shared[0] === element) shared.shift()
  }
  let next = 0
  let at = 0
  while (at < live.length || next < applied.length) {
    const element = liveElements[at]
    const isBehind = element !== undefined && next < applied.length && shared.length > 0 && shared[0] !== element
    if (element !== undefined && !wanted.has(element)) merged.push(live[at++])
    else if (element !== undefined && element === appliedElements[next]) {
      take(next++)
      at++
    } else if (isBehind) at++
    else {
      if (element !== undefined && taken.has(element)) at++
      if (next < applied.length) take(next++)
    }
  }
  return merged
}
