import { fieldElement } from '#core/machinery/field-paths/element.ts'
import { type FieldSet, isEmpty, isMember } from '#core/machinery/field-paths/field-set.ts'
import { type JsonObject, setOwn } from '#core/schema/json.ts'
import { elementOf, fieldNode, type Node, structureOf } from './structure.ts'

/**
 * A value without the members of a set: fields, and items of lists that are no leaves. What becomes empty by that stays, empty.
 * @returns `value` itself when there was nothing to remove
 */
export function removePaths(node: Node, value: unknown, paths: FieldSet): unknown {
  if (isEmpty(paths)) return value
  const structure = structureOf(node, value)
  if (structure === 'leaf') return value
  return structure === 'fields'
    ? removeFields(node, value as JsonObject, paths)
    : removeItems(node, value as unknown[], paths, structure)
}

function removeFields(node: Node, object: JsonObject, paths: FieldSet): JsonObject {
  const rest: JsonObject = {}
  let isLess = false
  for (const name of Object.keys(object)) {
    const below = paths[fieldElement(name)]
    const value = below === undefined ? object[name] : without(fieldNode(node, name), object[name], below)
    isLess ||= value !== object[name]
    if (value !== undefined) setOwn(rest, name, value)
  }
  return isLess ? rest : object
}

function removeItems(
  node: Node,
  items: readonly unknown[],
  paths: FieldSet,
  structure: 'set' | 'items',
): readonly unknown[] {
  const rest: unknown[] = []
  let isLess = false
  for (const item of items) {
    const below = paths[elementOf(structure, node, item)]
    const value = below === undefined ? item : without(node!.items, item, below)
    isLess ||= value !== item
    if (value !== undefined) rest.push(value)
  }
  return isLess ? rest : items
}

/** @returns undefined for what is removed */
function without(node: Node, value: unknown, below: FieldSet): unknown {
  return isMember(below) ? undefined : removePaths(node, value, below)
}
