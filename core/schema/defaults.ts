import { cloneJson, isObject, type JsonObject, setOwn } from './json.ts'
import type { SchemaNode } from './node.ts'

/**
 * Sets, in place, what the schema says of absent fields. A null stands for absence where null is not allowed. Defaults of
 * more than `maxDefaultCharacters` in all are left out: they would make an object that is too large in any case.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#defaulting
 */
export function applyDefaults(node: SchemaNode, value: unknown): void {
  allowance = maxDefaultCharacters
  fill(node, value)
}

/** A little more than an object may have: a list of a hundred thousand items could each be given a megabyte. */
export const maxDefaultCharacters = 4 * 1024 * 1024
/** What is left of them to the object that is walked right now. */
let allowance = 0

function fill(node: SchemaNode, value: unknown): void {
  if (Array.isArray(value)) defaultItems(node, value)
  else if (isObject(value)) defaultFields(node, value)
}

function defaultItems(node: SchemaNode, items: unknown[]): void {
  const schema = node.items
  if (!schema) return
  for (let at = 0; at < items.length; at++) {
    if (standsForDefault(schema, items[at]) && isAffordable(schema)) items[at] = cloneJson(schema.schema.default)
    if (typeof items[at] === 'object') fill(schema, items[at])
  }
}

function defaultFields(node: SchemaNode, object: JsonObject): void {
  for (const name of node.defaulted) {
    const schema = node.property(name)!
    if (Object.hasOwn(object, name) && !standsForDefault(schema, object[name])) continue
    if (isAffordable(schema)) setOwn(object, name, cloneJson(schema.schema.default))
  }
  const { additional } = node
  for (const key in object) {
    const value = object[key]
    if (typeof value !== 'object') continue
    const schema = node.property(key) ?? additional
    if (!schema) continue
    if (!standsForDefault(schema, value)) fill(schema, value)
    else if (isAffordable(schema)) setOwn(object, key, cloneJson(schema.schema.default))
  }
}

function isAffordable({ defaultLength }: SchemaNode): boolean {
  allowance -= defaultLength
  return allowance >= 0
}

const standsForDefault = (node: SchemaNode, value: unknown) => value === null && node.hasDefault && !node.nullable

/** Removes, in place, nulls that only say that a field is absent: not allowed there, and no default replaces them. */
export function dropNulls(node: SchemaNode, value: unknown): void {
  if (Array.isArray(value)) {
    const { items } = node
    if (items) for (const item of value) dropNulls(items, item)
    return
  }
  if (!isObject(value)) return
  for (const key in value) {
    const field = value[key]
    if (typeof field !== 'object') continue
    const schema = node.property(key) ?? node.additional
    if (!schema) continue
    if (field !== null) dropNulls(schema, field)
    else if (!schema.nullable && !schema.hasDefault && !schema.preservesUnknown) delete value[key]
  }
}
