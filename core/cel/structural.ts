/**
 * Data that a schema describes, where it differs from plain JSON: fields of objects stand for properties of other names,
 * null is absence, and the order of some lists does not count. What a type says of this is decided when an expression is
 * compiled; types that say nothing of it cost nothing.
 */
import type { Code } from './activation.ts'
import { equal } from './equality.ts'
import { type Adapter, adapterOf } from './schema-types.ts'
import type { Type } from './types.ts'
import { isOptional } from './types.ts'
import {
  adapt,
  Bytes,
  CelValue,
  Double,
  Duration,
  Failure,
  fail,
  isMap,
  isPlainObject,
  mapGet,
  mapKeys,
  mapSize,
  noSuchOverload,
  Optional,
  Timestamp,
  Uint,
  type Value,
} from './values.ts'

/** Where the value of a field is, and what the field is called in expressions. */
export interface StructuralField {
  readonly field: string
  readonly property: string
}

/** The property that a field of such an object stands for; undefined for objects of other types. */
export function structuralField(operand: Type, field: string): StructuralField | undefined {
  const { properties } = isOptional(operand) ? operand.params[0]! : operand
  return properties && { field, property: properties.get(field) ?? field }
}

/** The value of the property, undefined when it is absent or null. */
function propertyOf(from: Value, property: string): Value {
  if (!isPlainObject(from)) return noSuchOverload()
  const value = Object.hasOwn(from, property) ? from[property] : undefined
  return value === null ? undefined : adapt(value)
}

/** `operand.field`. */
export function structuralSelectCode(operand: Code, { field, property }: StructuralField): Code {
  const isDoubtful = property in Object.prototype
  return (activation) => {
    const from = operand(activation)
    if (from instanceof Optional) return optionalProperty(from, property)
    if (isDoubtful || typeof from !== 'object' || from === null || from instanceof CelValue || Array.isArray(from))
      return propertyOf(from, property) ?? fail(`no such key: ${field}`)
    const value = (from as Record<string, Value>)[property]
    if (typeof value === 'number') return adapt(value)
    return value ?? fail(`no such key: ${field}`)
  }
}

/** `has(operand.field)`. */
export function structuralTestCode(operand: Code, { property }: StructuralField): Code {
  return (activation) => {
    const from = operand(activation)
    if (from instanceof Optional) return from.value !== undefined && propertyOf(from.value, property) !== undefined
    return propertyOf(from, property) !== undefined
  }
}

/** `operand.?field`. */
export function structuralOptionalCode(operand: Code, { property }: StructuralField): Code {
  return (activation) => optionalProperty(operand(activation), property)
}

function optionalProperty(from: Value, property: string): Optional {
  const held = from instanceof Optional ? from.value : from
  const value = held === undefined ? undefined : propertyOf(held, property)
  return value === undefined ? Optional.none : new Optional(value)
}

export type Equality = (a: Value, b: Value) => boolean

const equalities = new WeakMap<Type, Equality | typeof plain>()
const plain = Symbol('plain')

/** What makes values equal to one of the type; undefined when nothing but plain equality does. */
export function equalityOf(type: Type): Equality | undefined {
  let known = equalities.get(type)
  if (known === undefined) {
    known = makeEquality(type) ?? plain
    equalities.set(type, known)
  }
  return known === plain ? undefined : known
}

function makeEquality(type: Type): Equality | undefined {
  switch (type.kind) {
    case 'list':
      return listEquality(type)
    case 'map':
      return mapEquality(type.params[1]!)
    case 'object':
      return objectEquality(type)
    case 'timestamp':
    case 'duration':
    case 'bytes': {
      const read = readable(adapterOf(type)!)
      return (a, b) => equal(read(a), read(b))
    }
  }
  return undefined
}

/** What cannot be read is left as it is, and equals nothing that can. */
function readable(read: Adapter): Adapter {
  return (value) => {
    try {
      return read(value)
    } catch (error) {
      if (error instanceof Failure) return value
      throw error
    }
  }
}

function listEquality(type: Type): Equality | undefined {
  const item = equalityOf(type.params[0]!)
  const keyOf = identityOf(type)
  if (keyOf) return (a, b) => Array.isArray(a) && Array.isArray(b) && equalByKey(a, b, keyOf, item ?? equal)
  if (!item) return undefined
  return (a, b) => Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, i) => item(one, b[i]))
}

/** Each item of either has its equal in the other, wherever. */
function equalByKey(a: readonly Value[], b: readonly Value[], keyOf: (item: Value) => string, same: Equality): boolean {
  if (a.length !== b.length) return false
  const byKey = new Map(a.map((item) => [keyOf(item), item]))
  const seen = new Set<string>()
  for (const item of b) {
    const key = keyOf(item)
    const other = byKey.get(key)
    if (other === undefined || !same(other, item)) return false
    seen.add(key)
  }
  return seen.size === byKey.size
}

function mapEquality(values: Type): Equality | undefined {
  const same = equalityOf(values)
  if (!same) return undefined
  return (a, b) => {
    if (!isMap(a) || !isMap(b) || mapSize(a) !== mapSize(b)) return false
    return mapKeys(a).every((key) => {
      const other = mapGet(b, key)
      return other !== undefined && same(mapGet(a, key), other)
    })
  }
}

function objectEquality({ fields, properties }: Type): Equality | undefined {
  const special = new Map<string, Equality>()
  for (const [name, type] of fields ?? []) {
    const same = equalityOf(type)
    if (same) special.set(properties?.get(name) ?? name, same)
  }
  if (special.size === 0) return undefined
  return (a, b) => {
    if (!isPlainObject(a) || !isPlainObject(b) || mapSize(a) !== mapSize(b)) return false
    return Object.keys(a).every(
      (key) => Object.hasOwn(b, key) && equalOrNull(special.get(key) ?? equal, adapt(a[key]), adapt(b[key])),
    )
  }
}

const equalOrNull = (same: Equality, a: Value, b: Value) => (a === null || b === null ? a === b : same(a, b))

/** What `a + b` is for lists of the type, when their order does not count: the items of `b` that `a` has, too, take their places. */
export function joinOf(type: Type): ((a: readonly Value[], b: readonly Value[]) => readonly Value[]) | undefined {
  const keyOf = identityOf(type)
  if (!keyOf) return undefined
  return (a, b) => {
    const joined = new Map(a.map((item) => [keyOf(item), item]))
    for (const item of b) joined.set(keyOf(item), item)
    return [...joined.values()]
  }
}

/** A text for each item, the same for what counts as the same item. */
function identityOf({ kind, identity, params }: Type): ((item: Value) => string) | undefined {
  if (kind !== 'list' || identity === undefined) return undefined
  if (identity === 'item') {
    const read = adapterOf(params[0]!)
    return (item) => textOf(read ? read(item) : item)
  }
  return (item) => identity.map((name) => (isMap(item) ? textOf(mapGet(item, name)) : '')).join()
}

/** One text for all values that are equal. */
function textOf(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || value === undefined || typeof value !== 'object') return String(value)
  if (value instanceof Double || value instanceof Uint) return String(value.value)
  if (value instanceof Timestamp) return `t${value.nanoseconds}`
  if (value instanceof Duration) return `d${value.nanoseconds}`
  if (value instanceof Bytes) return `b${Buffer.from(value.data).toString('base64')}`
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`
  if (!isMap(value)) return String(value)
  const entries = mapKeys(value).map((key) => `${textOf(key)}:${textOf(mapGet(value, key))}`)
  return `{${entries.sort().join()}}`
}
