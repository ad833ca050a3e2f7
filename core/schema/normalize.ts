import { canonicalQuantity, QuantityError } from '#apis/meta/v1/quantity.ts'
import { isDateTime } from './formats.ts'
import { isObject } from './json.ts'
import type { SchemaNode } from './node.ts'

/**
 * Writes, in place, quantities and times of a built-in kind the one way Kubernetes writes them, so that equal objects are
 * equal text: `1000m` becomes `1`, a time is in UTC. A null in a list becomes an empty item. What is malformed stays, for `typeErrors` to tell.
 */
export function normalize(node: SchemaNode, value: unknown): void {
  if (Array.isArray(value)) normalizeItems(node, value)
  else if (isObject(value)) normalizeFields(node, value)
}

function normalizeItems(node: SchemaNode, items: unknown[]): void {
  const schema = node.items
  if (!schema) return
  for (let at = items.indexOf(null); at >= 0; at = items.indexOf(null, at + 1)) items[at] = zeroOf(schema)
  if (schema.takesAnyString) return
  for (let at = 0; at < items.length; at++) items[at] = normalized(schema, items[at])
}

/** What Go reads a null in a list as: rules may count on items of the right type. */
function zeroOf({ type }: SchemaNode): unknown {
  switch (type) {
    case 'object':
      return {}
    case 'array':
      return []
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'integer':
    case 'number':
      return 0
    default:
      return null
  }
}

function normalizeFields(node: SchemaNode, object: Record<string, unknown>): void {
  const { additional } = node
  for (const key in object) {
    const value = object[key]
    const schema = node.property(key) ?? additional
    if (!schema || schema.takesAnyString || value === null) continue
    if (typeof value === 'object') normalize(schema, value)
    else if (schema.quantity || schema.clock) object[key] = normalized(schema, value)
  }
}

function normalized(node: SchemaNode, value: unknown): unknown {
  if (typeof value === 'object') normalize(node, value)
  else if (node.quantity && (typeof value === 'string' || typeof value === 'number')) return normalQuantity(value)
  else if (node.clock && typeof value === 'string' && isDateTime(value)) return normalTime(value, node.clock)
  return value
}

function normalQuantity(value: string | number): string | number {
  try {
    return canonicalQuantity(value)
  } catch (error) {
    if (error instanceof QuantityError) return value
    throw error
  }
}

function normalTime(value: string, clock: 'seconds' | 'microseconds'): string {
  const time = new Date(value.replace(/:60(?=\D)/, ':59').toUpperCase())
  if (Number.isNaN(time.getTime())) return value
  const whole = time.toISOString().slice(0, -'.000Z'.length)
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? ''
  return clock === 'seconds' ? `${whole}Z` : `${whole}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
}
