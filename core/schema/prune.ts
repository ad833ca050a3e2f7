import { isObject, type JsonObject } from './json.ts'
import type { SchemaNode } from './node.ts'
import { Path } from './path.ts'

/** Called with the path of each removed field: `spec.containers[0].foo`. */
export type OnUnknown = (path: string) => void

/** How Kubernetes words a field it does not know, in warnings and in strict decoding errors. */
export const unknownFieldMessage = (path: string) => `unknown field "${path}"`

/** Removes, in place, the fields the schema does not know. */
export function prune(node: SchemaNode, value: unknown, onUnknown?: OnUnknown): void {
  pruneValue(node, value, new Path(), onUnknown)
}

function pruneValue(node: SchemaNode, value: unknown, path: Path, onUnknown: OnUnknown | undefined): void {
  if (Array.isArray(value)) pruneItems(node, value, path, onUnknown)
  else if (isObject(value)) pruneFields(node, value, path, onUnknown)
}

function pruneItems(node: SchemaNode, items: unknown[], path: Path, onUnknown: OnUnknown | undefined): void {
  const schema = node.items
  if (!schema) return
  for (let at = 0; at < items.length; at++) {
    if (typeof items[at] !== 'object') continue
    path.push(at)
    pruneValue(schema, items[at], path, onUnknown)
    path.pop()
  }
}

function pruneFields(node: SchemaNode, object: JsonObject, path: Path, onUnknown: OnUnknown | undefined): void {
  const { additional } = node
  for (const key in object) {
    const schema = node.property(key) ?? additional
    if (schema) {
      if (typeof object[key] !== 'object') continue
      path.push(key)
      pruneValue(schema, object[key], path, onUnknown)
      path.pop()
    } else if (!node.preservesUnknown) {
      delete object[key]
      onUnknown?.(path.child(key))
    }
  }
}
