import { fieldElement, self } from '#core/machinery/field-paths/element.ts'
import { type FieldSet, isEmpty, leaf } from '#core/machinery/field-paths/field-set.ts'
import { equalJson, type JsonObject } from '#core/schema/json.ts'
import { everyPath } from './fields.ts'
import { elementOf, fieldNode, isBare, keyOf, type Node, type Structure, structureOf } from './structure.ts'

/** How a value became another: no path is in two of the sets. */
export interface Comparison {
  readonly added: FieldSet
  readonly removed: FieldSet
  readonly modified: FieldSet
}

type Draft = Record<string, FieldSet>
const kinds = ['added', 'removed', 'modified'] as const

const modifiedHere: Comparison = { added: leaf, removed: leaf, modified: { [self]: leaf } }

/**
 * Compares two objects by their schema. The order of keyed items and of sets says nothing.
 * @returns undefined when nothing differs, found out without making anything
 */
export function compare(node: Node, before: unknown, after: unknown): Comparison | undefined {
  const difference = compareValues(node, before, after)
  return difference && sealed(difference)
}

/** Within, a set is a node: `.` says that the place itself is in it. */
function compareValues(node: Node, before: unknown, after: unknown): Comparison | undefined {
  if (before === after) return undefined
  const [was, is] = [structureOf(node, before), structureOf(node, after)]
  if (was !== is) return compareUnlike(node, before, after, was, is)
  if (is === 'leaf' || (isBare(before) && isBare(after))) return equalJson(before, after) ? undefined : modifiedHere
  if (is === 'fields') return compareFields(node, before as JsonObject, after as JsonObject)
  return compareLists(node, before as unknown[], after as unknown[], is)
}

/** A null was nothing; otherwise a leaf took the place of a structure, or a structure that of a leaf. */
function compareUnlike(node: Node, before: unknown, after: unknown, was: Structure, is: Structure): Comparison {
  const inside = (value: unknown, structure: Structure) =>
    structure === 'leaf' || isBare(value) ? leaf : omitSelf(everyPath(node, value))
  const isReplaced = before !== null && after !== null
  return {
    removed: inside(before, was),
    added: inside(after, is),
    modified: isReplaced || isBare(before ?? after) ? modifiedHere.modified : leaf,
  }
}

function omitSelf(set: FieldSet): FieldSet {
  const { [self]: _, ...rest } = set
  return rest
}

/** Collects what differs below, making sets only once something does. */
class Differences {
  #drafts: Record<(typeof kinds)[number], Draft> | undefined

  put(element: string, below: Comparison): void {
    this.#drafts ??= { added: {}, removed: {}, modified: {} }
    for (const kind of kinds) {
      if (!isEmpty(below[kind])) this.#drafts[kind][element] = onlySelf(below[kind]) ? leaf : below[kind]
    }
  }

  all(kind: 'added' | 'removed', element: string, below: FieldSet): void {
    this.#drafts ??= { added: {}, removed: {}, modified: {} }
    this.#drafts[kind][element] = below
  }

  get found(): Comparison | undefined {
    return this.#drafts
  }
}

function onlySelf(set: FieldSet): boolean {
  for (const element in set) if (element !== self) return false
  return true
}

function compareFields(node: Node, before: JsonObject, after: JsonObject): Comparison | undefined {
  const differences = new Differences()
  for (const name in before) {
    const [old, value] = [before[name], Object.hasOwn(after, name) ? after[name] : undefined]
    if (old === value || old === undefined) continue
    const child = fieldNode(node, name)
    if (value === undefined) differences.all('removed', fieldElement(name), everyPath(child, old))
    else compareInto(differences, child, old, value, () => fieldElement(name))
  }
  for (const name in after) {
    if (after[name] === undefined || (Object.hasOwn(before, name) && before[name] !== undefined)) continue
    differences.all('added', fieldElement(name), everyPath(fieldNode(node, name), after[name]))
  }
  return differences.found
}

function compareInto(to: Differences, node: Node, before: unknown, after: unknown, element: () => string): void {
  const below = compareValues(node, before, after)
  if (below) to.put(element(), below)
}

function compareLists(
  node: Node,
  before: readonly unknown[],
  after: readonly unknown[],
  structure: 'set' | 'items',
): Comparison | undefined {
  const differences = new Differences()
  if (isSameInOrder(node, before, after, structure)) {
    for (let at = 0; at < before.length; at++) {
      compareInto(differences, node!.items, before[at], after[at], () => elementOf(structure, node, after[at]))
    }
    return differences.found
  }
  const [old, now] = [indexed(node, before, structure), indexed(node, after, structure)]
  for (const [element, item] of old) {
    if (!now.has(element)) differences.all('removed', element, everyPath(node!.items, item))
    else compareInto(differences, node!.items, item, now.get(element), () => element)
  }
  for (const [element, item] of now) {
    if (!old.has(element)) differences.all('added', element, everyPath(node!.items, item))
  }
  return differences.found
}

/** Whether the lists have the same items in the same order, as they mostly do. */
function isSameInOrder(
  node: Node,
  before: readonly unknown[],
  after: readonly unknown[],
  structure: 'set' | 'items',
): boolean {
  if (before.length !== after.length) return false
  if (structure === 'set') return before.every((item, at) => item === after[at])
  return before.every((item, at) =>
    node!.listMapKeys.every((name) => keyOf(node!, item, name) === keyOf(node!, after[at], name)),
  )
}

/** Items by what tells them apart; of those that come twice, the first. */
function indexed(node: Node, items: readonly unknown[], structure: 'set' | 'items'): Map<string, unknown> {
  const index = new Map<string, unknown>()
  for (const item of items) {
    const element = elementOf(structure, node, item)
    if (!index.has(element)) index.set(element, item)
  }
  return index
}

/** As roots have it: a whole object that is replaced is no path of its own. */
function sealed({ added, removed, modified }: Comparison): Comparison {
  return { added: omitSelf(added), removed: omitSelf(removed), modified: omitSelf(modified) }
}
