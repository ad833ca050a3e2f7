import { types } from '#core/cel/cel.ts'
import type { Type } from '#core/cel/types.ts'
import type { SchemaNode } from '#core/schema/node.ts'

/**
 * The type of what a schema describes, as far as it can be told: what has no type of its own is dyn. Made once for each node;
 * types that contain themselves are dyn within themselves.
 */
export function schemaType(root: SchemaNode, name: string): Type {
  return typeOfNode(root, name, new Set())
}

const known = new WeakMap<SchemaNode, Type>()

function typeOfNode(node: SchemaNode, name: string, around: Set<SchemaNode>): Type {
  const found = known.get(node)
  if (found) return found
  if (around.has(node)) return types.dyn
  around.add(node)
  const type = madeType(node, name, around)
  around.delete(node)
  known.set(node, type)
  return type
}

function madeType(node: SchemaNode, name: string, around: Set<SchemaNode>): Type {
  if (node.intOrString || node.quantity) return types.dyn
  switch (node.type) {
    case 'object':
      return objectType(node, name, around)
    case 'array':
      return types.list(node.items ? typeOfNode(node.items, `${name}.@idx`, around) : types.dyn)
    case 'string':
      return textTypes.get(node.format) ?? types.string
    case 'boolean':
      return types.bool
    case 'integer':
      return types.int
    case 'number':
      return types.double
  }
  return types.dyn
}

const textTypes = new Map<string, Type>([
  ['byte', types.bytes],
  ['date', types.timestamp],
  ['date-time', types.timestamp],
  ['duration', types.duration],
])

function objectType(node: SchemaNode, name: string, around: Set<SchemaNode>): Type {
  if (node.additional) return types.map(types.string, typeOfNode(node.additional, `${name}.@elem`, around))
  const names = Object.keys(node.schema.properties ?? {})
  if (node.isResource) names.push('apiVersion', 'kind', 'metadata')
  if (node.preservesUnknown || names.length === 0) return types.dyn
  const fields = new Map<string, Type>()
  for (const field of names) {
    const child = node.property(field)
    if (child) fields.set(field, typeOfNode(child, `${name}.${field}`, around))
  }
  return types.object(name, fields)
}
