/**
 * What JSON has no values for is read by the type that a schema declares: a number as a double, a string as a point in
 * time. Values that are of the type already stay as they are.
 */
import type { Code } from './activation.ts'
import { checkedUint } from './integers.ts'
import { parseDuration, parseTimestamp } from './time.ts'
import { isOptional, type Type } from './types.ts'
import { Bytes, Double, Optional, type Value } from './values.ts'

export type Adapter = (value: Value) => Value

const adapters: Partial<Record<Type['kind'], Adapter>> = {
  double: (value) => (typeof value === 'number' || typeof value === 'bigint' ? new Double(Number(value)) : value),
  uint: (value) => (typeof value === 'number' || typeof value === 'bigint' ? checkedUint(BigInt(value)) : value),
  timestamp: (value) => (typeof value === 'string' ? parseTimestamp(value) : value),
  duration: (value) => (typeof value === 'string' ? parseDuration(value) : value),
  bytes: (value) => (typeof value === 'string' ? new Bytes(Buffer.from(value, 'base64')) : value),
}

/** How data of a type is read; undefined when JSON says it all. Objects and maps are read field by field, when they are selected. */
export function adapterOf(type: Type): Adapter | undefined {
  if (type.read) return type.read
  if (type.kind === 'list') return adaptItems(adapterOf(type.params[0]!))
  return isOptional(type) ? adaptHeld(adapterOf(type.params[0]!)) : adapters[type.kind]
}

function adaptItems(read: Adapter | undefined): Adapter | undefined {
  if (!read) return undefined
  const isRaw = (item: Value) => read(item) !== item
  return (value) => (Array.isArray(value) && value.some(isRaw) ? value.map(read) : value)
}

function adaptHeld(read: Adapter | undefined): Adapter | undefined {
  if (!read) return undefined
  return (value) => (value instanceof Optional && value.value !== undefined ? new Optional(read(value.value)) : value)
}

export function withAdapter(code: Code, type: Type): Code {
  const read = adapterOf(type)
  return read ? (activation) => read(code(activation)) : code
}
