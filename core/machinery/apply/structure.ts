import { keyElement, valueElement } from '#core/machinery/field-paths/element.ts'
import type { JsonObject } from '#core/schema/json.ts'
import type { SchemaNode } from '#core/schema/node.ts'

/**
 * How values are owned and merged: what a schema says about it, in the words of apply. Where no schema says anything (below
 * `x-kubernetes-preserve-unknown-fields`) the node is undefined and the value decides: objects field by field, lists whole.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
export type Node = SchemaNode | undefined

/**
 * - `leaf`: owned and replaced as a whole: scalars, nulls, atomic lists and maps
 * - `fields`: field by field
 * - `set`: a list whose items are their own keys
 * - `items`: a list whose items are told apart by some of their fields
 */
export type Structure = 'leaf' | 'fields' | 'set' | 'items'

export function structureOf(node: Node, value: unknown): Structure {
  if (typeof value !== 'object' || value === null) return 'leaf'
  if (!Array.isArray(value)) return node?.isAtomicMap ? 'leaf' : 'fields'
  if (node?.listType === 'map') return 'items'
  return node?.listType === 'set' ? 'set' : 'leaf'
}

/** Whether a schema says that what is there is owned as a whole, whatever it is. */
export function isAtomic(node: Node): boolean {
  if (node?.type === 'array') return node.listType !== 'map' && node.listType !== 'set'
  return node?.isAtomicMap === true
}

export function fieldNode(node: Node, name: string): Node {
  return node && (node.property(name) ?? node.additional)
}

/** Whether the schema names the field, so that it is there because of its type and not because somebody put it there. */
export function isNamed(node: Node, name: string): boolean {
  return node?.property(name) !== undefined
}

/**
 * What tells an item of a keyed list apart, by name. Keys it leaves out have their defaults; without one they are left out
 * here, too.
 */
export function keysOf(node: SchemaNode, item: unknown): [name: string, value: unknown][] {
  const keys: [string, unknown][] = []
  for (const name of node.listMapKeys) {
    const value = keyOf(node, item, name)
    if (value !== undefined) keys.push([name, value])
  }
  return keys.length > 1 ? keys.sort(([a], [b]) => (a < b ? -1 : 1)) : keys
}

export function keyOf(node: SchemaNode, item: unknown, name: string): unknown {
  const isThere = typeof item === 'object' && item !== null && Object.hasOwn(item, name)
  return isThere ? (item as JsonObject)[name] : node.items?.property(name)?.schema.default
}

/** The element of a list's item, by the kind of list. */
export function elementOf(structure: 'set' | 'items', node: Node, item: unknown): string {
  return structure === 'set' ? valueElement(item) : keyElement(keysOf(node!, item))
}

/** An empty list or object stands for itself: there is nothing in it to own. */
export function isBare(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  for (const _ in value) return false
  return true
}
