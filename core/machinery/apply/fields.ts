import { compareValues, keyElement, self, valueElement } from '#core/machinery/field-paths/element.ts'
import { type FieldSet, isEmpty, isMember, leaf } from '#core/machinery/field-paths/field-set.ts'
import type { JsonObject } from '#core/schema/json.ts'
import type { SchemaNode } from '#core/schema/node.ts'
import { fieldNode, isAtomic, isBare, isNamed, keysOf, type Node, structureOf } from './structure.ts'

/**
 * Which paths an object has, walked by its schema and written as FieldsV1 text at once, in Kubernetes' order: most sets are
 * only ever stored, and the text costs a fraction of the objects that it stands for.
 */

const leafText = '{}'

/**
 * What somebody who applies the object says he wants: its leaves, the items of its lists, the entries of its maps. Fields
 * that the schema names are there by their type, and count only when they are leaves.
 */
export function appliedText(root: Node, object: JsonObject): string {
  return `{${appliedFields(root, object)}}`
}

/** The same as a set. */
export function fieldsOf(root: Node, object: JsonObject): FieldSet {
  return JSON.parse(appliedText(root, object)) as FieldSet
}

/** Within, texts come without their braces; an empty one says that there is nothing below. */
function appliedWithin(node: Node, value: unknown): string {
  if (typeof value !== 'object' || value === null) return ''
  const structure = structureOf(node, value)
  if (structure === 'leaf') return ''
  if (structure === 'fields') return appliedFields(node, value as JsonObject)
  return itemTexts(node, value as unknown[], structure, appliedWithin)
}

function appliedFields(node: Node, object: JsonObject): string {
  let text = ''
  for (const name of sortedNames(object)) {
    const value = object[name]
    const child = fieldNode(node, name)
    const below = appliedWithin(child, value)
    const isOwned = !isNamed(node, name) || isLeafOf(child, value)
    if (isOwned || below !== '') text = joined(text, fieldText(name) + braced(below, isOwned))
  }
  return text
}

function isLeafOf(node: Node, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  const structure = structureOf(node, value)
  return structure === 'leaf' || (structure === 'fields' && isBare(value))
}

/** Every path below a value and its own: what appears when the value does. */
export function everyPath(node: Node, value: unknown): FieldSet {
  return JSON.parse(braced(everyWithin(node, value), true)) as FieldSet
}

function everyWithin(node: Node, value: unknown): string {
  if (typeof value !== 'object' || value === null) return ''
  const structure = structureOf(node, value)
  if (structure === 'leaf' || isBare(value)) return ''
  if (structure !== 'fields') return itemTexts(node, value as unknown[], structure, everyWithin)
  const object = value as JsonObject
  let text = ''
  for (const name of sortedNames(object)) {
    const child = object[name]
    const isScalar = typeof child !== 'object' || child === null
    const below = isScalar ? leafText : braced(everyWithin(fieldNode(node, name), child), true)
    text = joined(text, fieldText(name) + below)
  }
  return text
}

/**
 * What appears when an object is created. Kubernetes' own types write some fields even when they are empty, so that these do
 * not appear, only what is in them does; and metadata is always there.
 */
export function createdText(root: Node, object: JsonObject, isBuiltin: boolean): string {
  let text = ''
  for (const name of sortedNames(object)) {
    const isWritten = name === 'metadata' || (isBuiltin && isAlwaysWritten(root, name))
    text = joined(text, createdField(root, name, object[name], isWritten, isBuiltin))
  }
  return `{${text}}`
}

const alwaysWritten = new Set(['metadata', 'spec', 'status', 'template', 'jobTemplate', 'strategy', 'updateStrategy'])

function isAlwaysWritten(parent: Node, name: string): boolean {
  return alwaysWritten.has(name) || parent?.schema.required?.includes(name) === true
}

function createdField(parent: Node, name: string, value: unknown, isWritten: boolean, isBuiltin: boolean): string {
  const node = fieldNode(parent, name)
  if (!isWritten || structureOf(node, value) === 'leaf') return fieldText(name) + braced(everyWithin(node, value), true)
  const below = createdWithin(node, value, isBuiltin)
  return below === '' ? '' : fieldText(name) + braced(below, false)
}

/** What is in a value that was there before, empty. */
function createdWithin(node: Node, value: unknown, isBuiltin: boolean): string {
  if (structureOf(node, value) !== 'fields') return everyWithin(node, value)
  const object = value as JsonObject
  let text = ''
  for (const name of sortedNames(object)) {
    text = joined(text, createdField(node, name, object[name], isBuiltin && isAlwaysWritten(node, name), isBuiltin))
  }
  return text
}

const joined = (text: string, more: string) => (text === '' ? more : more === '' ? text : `${text},${more}`)

const braced = (below: string, isOwned: boolean) =>
  below === '' ? leafText : isOwned ? `{"${self}":{},${below}}` : `{${below}}`

/** Names that schemas know come again and again; the text of each is made once. */
const fieldTexts = new Map<string, string>()
const maxRemembered = 16_384

function fieldText(name: string): string {
  let text = fieldTexts.get(name)
  if (text === undefined) {
    text = `${JSON.stringify(`f:${name}`)}:`
    if (fieldTexts.size < maxRemembered && name.length <= 64) fieldTexts.set(name, text)
  }
  return text
}

function sortedNames(object: JsonObject): string[] {
  const names = Object.keys(object)
  for (let at = 1; at < names.length; at++) if (names[at - 1]! > names[at]!) return names.sort()
  return names
}

/** @param within gives what is below an item */
function itemTexts(
  node: Node,
  items: readonly unknown[],
  structure: 'set' | 'items',
  within: (node: Node, item: unknown) => string,
): string {
  return structure === 'set' ? valueTexts(items) : keyedTexts(node!, items, within)
}

function valueTexts(items: readonly unknown[]): string {
  const values = [...new Set(items)].sort(compareValues)
  return values.map((value) => `${JSON.stringify(valueElement(value))}:${leafText}`).join()
}

function keyedTexts(
  node: SchemaNode,
  items: readonly unknown[],
  within: (node: Node, item: unknown) => string,
): string {
  const names = plainNames(node, items)
  if (names) return namedTexts(node, items, names, within)
  const keys = items.map((item) => keysOf(node, item))
  const order = inOrder(keys)
  let text = ''
  for (let at = 0; at < order.length; at++) {
    const index = order[at]!
    const isRepeated = at > 0 && compareKeys(keys[order[at - 1]!]!, keys[index]!) === 0
    if (isRepeated) continue
    // Of items that come twice nobody can own a part.
    const isTwice = at + 1 < order.length && compareKeys(keys[index]!, keys[order[at + 1]!]!) === 0
    const below = isTwice ? '' : within(node.items, items[index])
    text = joined(text, keyText(keys[index]!) + braced(below, true))
  }
  return text
}

/** Needs no escapes in JSON, not even in JSON within JSON. */
const plain = /^[\w./-]*$/

/** The names of items that are told apart by one plain name each, as most are; undefined when these are not. */
function plainNames({ listMapKeys }: SchemaNode, items: readonly unknown[]): string[] | undefined {
  const [key] = listMapKeys
  if (listMapKeys.length !== 1 || !plain.test(key!)) return undefined
  const names: string[] = []
  for (const item of items) {
    const name = typeof item === 'object' && item !== null && Object.hasOwn(item, key!) && (item as JsonObject)[key!]
    if (typeof name !== 'string' || !plain.test(name)) return undefined
    names.push(name)
  }
  return new Set(names).size === names.length ? names : undefined
}

function namedTexts(
  node: SchemaNode,
  items: readonly unknown[],
  names: readonly string[],
  within: (node: Node, item: unknown) => string,
): string {
  const order = names.map((_, at) => at)
  if (names.some((name, at) => at > 0 && names[at - 1]! > name)) order.sort((a, b) => (names[a]! < names[b]! ? -1 : 1))
  const [key] = node.listMapKeys
  let text = ''
  for (const at of order) {
    const below = within(node.items, items[at])
    text = joined(text, `"k:{\\"${key}\\":\\"${names[at]}\\"}":${braced(below, true)}`)
  }
  return text
}

const keyText = (keys: Keys) => `${JSON.stringify(keyElement(keys))}:`

/** Indices of items in the order of their keys; most lists are in order, and short. */
function inOrder(keys: readonly Keys[]): number[] {
  const order = keys.map((_, at) => at)
  for (let at = 1; at < keys.length; at++) {
    if (compareKeys(keys[at - 1]!, keys[at]!) > 0) return order.sort((a, b) => compareKeys(keys[a]!, keys[b]!))
  }
  return order
}

type Keys = readonly (readonly [name: string, value: unknown])[]

function compareKeys(a: Keys, b: Keys): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    if (a[at]![0] !== b[at]![0]) return a[at]![0] < b[at]![0] ? -1 : 1
    const order = compareValues(a[at]![1], b[at]![1])
    if (order !== 0) return order
  }
  return a.length - b.length
}

/**
 * The same set with every named field a member that has something below it: who owns all of a struct owns the struct, so
 * that taking away its fields takes away the struct.
 */
export function withNamedFields(node: Node, set: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const element in set) {
    const below = set[element]!
    if (element === self || isEmpty(below)) {
      result[element] = leaf
      continue
    }
    const name = element[0] === 'f' ? element.slice(2) : undefined
    const inside = withNamedFields(name === undefined ? node?.items : fieldNode(node, name), below)
    const isOwned = name !== undefined && isNamed(node, name) && !isMember(inside)
    result[element] = isOwned ? { [self]: leaf, ...inside } : inside
  }
  return result
}

/**
 * The same set where a schema has meanwhile made structures atomic: who owned parts of one owns it as a whole.
 * @returns the same object when that is nowhere so
 */
export function withAtomicWhole(node: Node, set: FieldSet): FieldSet {
  let changed: Record<string, FieldSet> | undefined
  for (const element in set) {
    const below = set[element]!
    if (isEmpty(below)) continue
    const child = element[0] === 'f' ? fieldNode(node, element.slice(2)) : node?.items
    const whole = isAtomic(child) ? leaf : withAtomicWhole(child, below)
    if (whole === below) continue
    changed ??= { ...set }
    changed[element] = whole
  }
  return changed ?? set
}
