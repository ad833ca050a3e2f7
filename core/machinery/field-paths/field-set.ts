import { isObject } from '#core/schema/json.ts'
import { areSorted, parseElement, self, sortElements } from './element.ts'

/**
 * A set of paths, in the form in which FieldsV1 writes it: `{"f:spec":{"f:replicas":{}}}`. Below the root, what has no
 * elements is a member, and `.` makes a member of what has some; the empty root is the empty set. Never changed once made,
 * so sets share what they have in common, and reading or writing one is what JSON.parse and JSON.stringify do.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet
}

type Draft = Record<string, FieldSet>

/** A member with nothing below; as a root, the empty set. */
export const leaf: FieldSet = Object.freeze({})

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

export function isMember(node: FieldSet): boolean {
  return node[self] !== undefined || isEmpty(node)
}

/** Deeper sets are refused: what walks them would run out of stack. */
const maxDepth = 1_000

/**
 * A set as a client wrote it, in the one form it has here; elements nobody knows are left out.
 * @returns the same object when there was nothing to put right
 * @throws Error when it is no set
 */
export function parseFieldSet(written: unknown, depth = 0): FieldSet {
  if (!isObject(written)) throw new Error('expected an object')
  if (depth > maxDepth) throw new Error('exceeded max depth')
  let isSound = true
  const set: Draft = {}
  for (const key of Object.keys(written)) {
    const element = parseElement(key)
    const below = element === undefined ? leaf : parseFieldSet(written[key], depth + 1)
    const isKept = element !== undefined && (element !== self || depth > 0)
    isSound &&= isKept && element === key && below === written[key]
    if (!isKept) continue
    set[element] = element in set ? joined(set[element]!, below) : below
  }
  return isSound ? (written as unknown as FieldSet) : set
}

export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set
  for (const element of path) {
    node = node[element]
    if (node === undefined) return false
  }
  return path.length > 0 && isMember(node)
}

/** The set of one path, or a set below a path. */
export function setAt(path: readonly string[], below: FieldSet = leaf): FieldSet {
  return path.reduceRight<FieldSet>((set, element) => ({ [element]: set }), below)
}

/** @returns `a` itself when `b` adds nothing to it */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a
  return isEmpty(a) ? b : joined(a, b)
}

function joined(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a
  let draft: Draft | undefined
  if (isMember(b) && !isMember(a)) draft = { [self]: leaf, ...a }
  if (isMember(a) && isEmpty(a) && !isEmpty(b)) draft = { [self]: leaf }
  for (const element in b) {
    if (element === self) continue
    const mine = a[element]
    const both = mine === undefined ? b[element]! : joined(mine, b[element]!)
    if (both === mine) continue
    draft ??= { ...a }
    draft[element] = both
  }
  return draft ?? a
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? leaf : (shared(a, b) ?? leaf)
}

function shared(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a
  const draft: Draft = isMember(a) && isMember(b) ? { [self]: leaf } : {}
  for (const element in a) {
    if (element === self || b[element] === undefined) continue
    const both = shared(a[element]!, b[element]!)
    if (both !== undefined) draft[element] = both
  }
  return settled(draft)
}

/** What is in `a` and not in `b`. @returns `a` itself when they have nothing in common */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? a : (without(a, b, false) ?? leaf)
}

/** What is in `a`, is not in `b`, and is not below anything in `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return isEmpty(a) || isEmpty(b) ? a : (without(a, b, true) ?? leaf)
}

function without(a: FieldSet, b: FieldSet, deep: boolean): FieldSet | undefined {
  if (isMember(b)) {
    if (deep || isEmpty(a)) return undefined
  }
  let draft: Draft | undefined
  if (a[self] !== undefined && isMember(b)) draft = omit(a, self)
  for (const element in a) {
    if (element === self || b[element] === undefined) continue
    const rest = without(a[element]!, b[element]!, deep)
    if (rest === a[element]) continue
    draft ??= { ...a }
    if (rest === undefined) delete draft[element]
    else draft[element] = rest
  }
  return draft === undefined ? a : settled(draft)
}

function omit(set: FieldSet, element: string): Draft {
  const { [element]: _, ...rest } = set
  return rest
}

/** A node that is finished: undefined when nothing is left of it, without `.` when it has nothing else. */
function settled(draft: Draft): FieldSet | undefined {
  let elements = 0
  for (const _ in draft) if (++elements > 1) return draft
  if (elements === 0) return undefined
  return draft[self] === undefined ? draft : leaf
}

/** Whether everything in `a` is in `b`. */
export function isSubset(a: FieldSet, b: FieldSet): boolean {
  return isEmpty(a) || (!isEmpty(b) && isWithin(a, b, true))
}

function isWithin(a: FieldSet, b: FieldSet, isRoot: boolean): boolean {
  if (a === b) return true
  if (!isRoot && isMember(a) && !isMember(b)) return false
  for (const element in a) {
    if (element === self) continue
    const other = b[element]
    if (other === undefined || !isWithin(a[element]!, other, false)) return false
  }
  return true
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  return a === b || (isSubset(a, b) && isSubset(b, a))
}

/** Every path, in Kubernetes' order. */
export function* paths(set: FieldSet): Iterable<string[]> {
  for (const element of sortElements(Object.keys(set))) {
    if (element === self) continue
    const below = set[element]!
    if (isMember(below)) yield [element]
    for (const path of paths(below)) yield [element, ...path]
  }
}

/** The same set with its elements in Kubernetes' order, which is how it is stored. @returns the same object if it is so */
export function ordered(set: FieldSet): FieldSet {
  const elements = Object.keys(set)
  const isSorted = areSorted(elements)
  let isSame = isSorted
  const draft: Draft = {}
  for (const element of isSorted ? elements : sortElements(elements)) {
    draft[element] = ordered(set[element]!)
    isSame &&= draft[element] === set[element]
  }
  return isSame ? set : draft
}
