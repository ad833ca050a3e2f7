/**
 * The values of CEL at run time. JSON is used as it is, without a copy:
 *
 * | CEL       | here                                                                  |
 * |-----------|-----------------------------------------------------------------------|
 * | int       | a number when it is a safe integer, else a bigint; never both          |
 * | uint      | Uint                                                                  |
 * | double    | Double; a number with a fraction in data becomes one when it is read  |
 * | bytes     | Bytes                                                                 |
 * | list      | an array                                                              |
 * | map       | CelMap, or a plain object of which own properties count               |
 *
 * null, bool and string are themselves; the rest are classes here, which data from JSON can never be instances of.
 */
export type Value = unknown

/** What every value that is not JSON extends. */
export abstract class CelValue {
  /** What `type()` calls it. */
  abstract readonly typeName: string
}

export class Uint extends CelValue {
  readonly typeName = 'uint'
  readonly value: bigint

  constructor(value: bigint) {
    super()
    this.value = value
  }
}

export class Double extends CelValue {
  readonly typeName = 'double'
  readonly value: number

  constructor(value: number) {
    super()
    this.value = value
  }
}

export class Bytes extends CelValue {
  readonly typeName = 'bytes'
  readonly data: Uint8Array

  constructor(data: Uint8Array) {
    super()
    this.data = data
  }
}

/** A point in time in nanoseconds since 1970, within the years 1 to 9999. */
export class Timestamp extends CelValue {
  readonly typeName = 'google.protobuf.Timestamp'
  readonly nanoseconds: bigint

  constructor(nanoseconds: bigint) {
    super()
    this.nanoseconds = nanoseconds
  }
}

/** A span of time in nanoseconds, of 64 bits. */
export class Duration extends CelValue {
  readonly typeName = 'google.protobuf.Duration'
  readonly nanoseconds: bigint

  constructor(nanoseconds: bigint) {
    super()
    this.nanoseconds = nanoseconds
  }
}

/** A type as a value. */
export class TypeValue extends CelValue {
  readonly typeName = 'type'
  readonly name: string

  constructor(name: string) {
    super()
    this.name = name
  }
}

/** A value or none. */
export class Optional extends CelValue {
  static readonly none = new Optional(undefined)
  readonly typeName = 'optional_type'
  /** undefined for none. */
  readonly value: Value

  constructor(value: Value) {
    super()
    this.value = value
  }
}

/** The base of values that libraries add, such as quantities. */
export abstract class Opaque extends CelValue {
  /** As what it is charged for. */
  get size(): number {
    return 1
  }

  abstract equals(other: Opaque): boolean
}

type MapKey = string | number | bigint | boolean

/**
 * A map in order of insertion. Numbers that are equal are one key, whatever their type; the first type that was set is
 * what iteration yields.
 */
export class CelMap extends CelValue {
  readonly typeName = 'map'
  readonly #values = new Map<MapKey, Value>()
  #unsigned: Set<MapKey> | undefined

  get size(): number {
    return this.#values.size
  }

  /** undefined when absent, and for what can be no key. */
  get(key: Value): Value {
    const normal = normalKey(key)
    return normal === undefined ? undefined : this.#values.get(normal)
  }

  /** @throws Failure when the key is of a type that no map has */
  set(key: Value, value: Value): this {
    const normal = key instanceof Double ? undefined : normalKey(key)
    if (normal === undefined) return fail(`unsupported key type: ${typeNameOf(key)}`)
    if (key instanceof Uint && !this.#values.has(normal)) (this.#unsigned ??= new Set()).add(normal)
    this.#values.set(normal, value)
    return this
  }

  keys(): Value[] {
    const unsigned = this.#unsigned
    const keys = [...this.#values.keys()]
    return unsigned ? keys.map((key) => (unsigned.has(key) ? new Uint(BigInt(key)) : key)) : keys
  }
}

/** The key under which a map keeps it: equal numbers share one. */
function normalKey(key: Value): MapKey | undefined {
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean' || typeof key === 'bigint')
    return key
  if (key instanceof Uint) return toInt(key.value)
  if (key instanceof Double && Number.isInteger(key.value)) return toInt(BigInt(key.value))
  return undefined
}

/** A bigint as an int of this runtime. */
export function toInt(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}

/** Why an evaluation failed. Thrown; no Error, because the trace of its stack would be most of its cost. */
export class Failure {
  readonly message: string
  /** Neither `&&`, `||` nor a comprehension may absorb it: the evaluation is out of budget or time. */
  readonly isFatal: boolean

  constructor(message: string, isFatal = false) {
    this.message = message
    this.isFatal = isFatal
  }
}

export function fail(message: string): never {
  throw new Failure(message)
}

/** What a string that is none of a type fails with. */
export const notConverted = (typeName: string): never => fail(`type conversion error from 'string' to '${typeName}'`)

export const noSuchOverload = (): never => fail('no such overload')

/** What `type()` calls a value. */
export function typeNameOf(value: Value): string {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
  }
  if (value === null || value === undefined) return 'null_type'
  if (value instanceof CelValue) return value.typeName
  return Array.isArray(value) ? 'list' : 'map'
}

/** Reads a value out of data: a number of JSON becomes an int, or a double when it has a fraction. */
export function adapt(value: Value): Value {
  return typeof value === 'number' ? adaptNumber(value) : value
}

function adaptNumber(value: number): Value {
  if (Number.isSafeInteger(value)) return value + 0
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return BigInt(value)
  return new Double(value)
}

export type PlainObject = Readonly<Record<string, Value>>

/** Whether it is an object of JSON. */
export function isPlainObject(value: Value): value is PlainObject {
  return typeof value === 'object' && value !== null && !(value instanceof CelValue) && !Array.isArray(value)
}

export type AnyMap = CelMap | PlainObject

export const isMap = (value: Value): value is AnyMap => value instanceof CelMap || isPlainObject(value)
export const isInt = (value: Value): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** The value of a key, or undefined when absent. */
export function mapGet(map: AnyMap, key: Value): Value {
  if (map instanceof CelMap) return map.get(key)
  return typeof key === 'string' && Object.hasOwn(map, key) ? adapt(map[key]) : undefined
}

export function mapKeys(map: AnyMap): readonly Value[] {
  return map instanceof CelMap ? map.keys() : Object.keys(map).filter((key) => map[key] !== undefined)
}

export function mapSize(map: AnyMap): number {
  return map instanceof CelMap ? map.size : mapKeys(map).length
}

/** Values as a program of JavaScript has them: doubles as numbers, bytes as Uint8Array, maps with other than string keys as Map. */
export function toNative(value: Value): unknown {
  if (value instanceof Double || value instanceof Uint) return value.value
  if (value instanceof Bytes) return value.data
  if (value instanceof Optional) return value.value === undefined ? undefined : toNative(value.value)
  if (Array.isArray(value)) return value.map(toNative)
  if (value instanceof CelMap) return nativeMap(value)
  return isMade(value) ? nativeObject(Object.entries(value)) : value
}

const madeAs = Symbol('madeAs')

/** An object of a type, to be filled by the expression that makes it. */
export function newObject(typeName: string): Record<string, Value> {
  const made: Record<string | symbol, Value> = Object.create(null)
  made[madeAs] = typeName
  return made
}

/** The name of the type that an expression made an object of; undefined for what it did not make. */
export function objectTypeName(value: Value): string | undefined {
  return isPlainObject(value) ? ((value as Record<symbol, Value>)[madeAs] as string | undefined) : undefined
}

/** Whether an expression made the object, so that it may hold what is no JSON. */
const isMade = (value: Value): value is PlainObject => isPlainObject(value) && Object.getPrototypeOf(value) === null

function nativeObject(entries: readonly (readonly [string, Value])[]): unknown {
  const made: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) made[key] = toNative(value)
  return made
}

function nativeMap(map: CelMap): unknown {
  const keys = map.keys()
  if (keys.every((key) => typeof key === 'string')) return nativeObject(keys.map((key) => [key, map.get(key)] as const))
  return new Map(keys.map((key) => [toNative(key), toNative(map.get(key))]))
}

/** Reads a variable of a program of JavaScript: Date and Uint8Array become what CEL has for them, Map becomes a map. */
export function fromNative(value: unknown): Value {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? toInt(value) : adapt(value)
  if (Array.isArray(value) || value instanceof CelValue) return value
  if (value instanceof Uint8Array) return new Bytes(value)
  if (value instanceof Date) return new Timestamp(BigInt(value.getTime()) * 1_000_000n)
  if (!(value instanceof Map)) return value
  const map = new CelMap()
  for (const [key, item] of value) map.set(fromNative(key), fromNative(item))
  return map
}
