import {
  Bytes,
  CelMap,
  Double,
  Duration,
  isPlainObject,
  Optional,
  objectTypeName,
  Timestamp,
  Uint,
} from '#core/cel/cel.ts'
import { formatDuration, formatTimestamp } from '#core/cel/time.ts'
import { isObject, type JsonObject, setOwn } from '#core/schema/json.ts'

/** A value of an expression that no object can hold; the message says why. */
export class ValueError extends Error {}

/** A value as an object of the API has it. @throws ValueError */
export function jsonOf(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Double) return value.value
  if (value instanceof Uint) return Number(value.value)
  if (value instanceof Bytes) return Buffer.from(value.data).toString('base64')
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return formatDuration(value)
  if (Array.isArray(value)) return value.map(jsonOf)
  if (value instanceof CelMap) return objectOf(value.keys(), (key) => value.get(key))
  if (isPlainObject(value)) return objectOf(Object.keys(value), (key) => value[key as string])
  if (typeof value === 'object' && value !== null) {
    const name = value instanceof Optional ? 'optional_type' : 'a value that no object can hold'
    throw new ValueError(`unable to convert ${name} to JSON`)
  }
  return value
}

function objectOf(keys: readonly unknown[], read: (key: unknown) => unknown): JsonObject {
  const made: JsonObject = {}
  for (const key of keys) {
    if (typeof key !== 'string') throw new ValueError(`map key ${JSON.stringify(String(jsonOf(key)))} is not a string`)
    const value = read(key)
    if (value !== undefined) setOwn(made, key, jsonOf(value))
  }
  return made
}

/**
 * What is wrong with the names of the types that an expression made an object of: each is named by the path to it, as
 * `Object.spec.template` is at `spec.template`. Items of lists and maps are of the type of what holds them.
 */
export function typeNameFaults(value: unknown, path = 'Object'): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => typeNameFaults(item, path))
  if (value instanceof CelMap) return value.keys().flatMap((key) => typeNameFaults(value.get(key), path))
  const name = objectTypeName(value)
  if (name === undefined || !isObject(value)) return []
  const own =
    name === path
      ? []
      : [
          `unexpected type name ${JSON.stringify(name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
        ]
  return [...own, ...Object.entries(value).flatMap(([field, item]) => typeNameFaults(item, `${path}.${field}`))]
}
