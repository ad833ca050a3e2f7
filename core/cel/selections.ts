/** The code of constants, variables and selections: reading names, fields and elements, of optional values, too. */
import { type Code, outcome } from './activation.ts'
import * as arithmetic from './arithmetic.ts'
import type { Select } from './ast.ts'
import { type StructuralField, structuralOptionalCode, structuralSelectCode } from './structural.ts'
import {
  adapt,
  CelValue,
  Failure,
  fail,
  fromNative,
  isMap,
  mapGet,
  noSuchOverload,
  Optional,
  type PlainObject,
  type Value,
} from './values.ts'

export const constant =
  (value: Value): Code =>
  () =>
    value

/** What a variable is that was not read yet. */
export const unread = Symbol('unread')

/** Evaluated when it is first read, and once, even if it fails. */
export function lazyCode(slot: number, value: Code): Code {
  return (activation) => {
    if (activation.locals[slot] === unread) activation.locals[slot] = outcome(value, activation)
    const known = activation.locals[slot]
    if (known instanceof Failure) throw known
    return known
  }
}

export const localCode =
  (slot: number): Code =>
  ({ locals }) =>
    locals[slot]

/**
 * Whether every object may have inherited it. What is not of these names is read without asking whether it is an own
 * property, which would double the cost of a selection: of objects of JSON it can be no other.
 */
const mayBeInherited = (name: string) => name in Object.prototype

export function variableCode(name: string): Code {
  const isDoubtful = mayBeInherited(name)
  const code: Code = ({ bindings }) => {
    const value = isDoubtful && !Object.hasOwn(bindings, name) ? undefined : bindings[name]
    if (typeof value === 'string' || typeof value === 'boolean') return value
    return value === undefined ? fail(`no such attribute(s): ${name}`) : fromNative(value)
  }
  if (!isDoubtful) paths.set(code, { name, fields: [] })
  return code
}

export function plainCode(operand: Code, { field, isOptional }: Select): Code {
  if (isOptional) return optionalSelectCode(operand, field)
  const code = selectCode(operand, field)
  const path = paths.get(operand)
  if (!path || (path.fields.length === 0 ? isOfNative(field) : mayBeInherited(field))) return code
  return pathCode({ ...path, fields: [...path.fields, field] }, code)
}

/** A variable and the fields that are selected from it, one out of the other. */
interface Path {
  readonly name: string
  readonly fields: readonly string[]
}

/** Of code that only follows one: what selects from that follows it to the end by itself, without a call for each step. */
const paths = new WeakMap<Code, Path>()

/** @param stepwise the same for whatever is not plain objects down to a value */
function pathCode(path: Path, stepwise: Code): Code {
  const { name, fields } = path
  const code: Code = (activation) => {
    let value: unknown = activation.bindings[name]
    for (let i = 0; i < fields.length; i++) {
      if (typeof value !== 'object' || value === null || value instanceof CelValue || Array.isArray(value))
        return stepwise(activation)
      value = (value as PlainObject)[fields[i]!]
    }
    if (typeof value === 'number') return adapt(value)
    return value === undefined ? stepwise(activation) : value
  }
  paths.set(code, path)
  return code
}

/** Whether a native value that stands for one of another kind has such a property; it has no others. */
const isOfNative = (name: string) => [Map, Date, Uint8Array].some(({ prototype }) => name in prototype)

export function structuralCode(operand: Code, field: StructuralField, { isOptional }: Select): Code {
  return isOptional ? structuralOptionalCode(operand, field) : structuralSelectCode(operand, field)
}

function selectCode(operand: Code, field: string): Code {
  if (mayBeInherited(field)) return (activation) => selectSlowly(operand(activation), field)
  return (activation) => {
    const from = operand(activation)
    if (typeof from === 'object' && from !== null && !(from instanceof CelValue)) {
      const value = (from as PlainObject)[field]
      if (value !== undefined && !Array.isArray(from)) return typeof value === 'number' ? adapt(value) : value
    }
    return selectSlowly(from, field)
  }
}

function selectSlowly(from: Value, field: string): Value {
  if (from instanceof Optional) return optionalSelect(from, field)
  if (!isMap(from)) return noSuchOverload()
  const value = mapGet(from, field)
  return value === undefined ? fail(`no such key: ${field}`) : value
}

/** The field of an object, or of what an optional holds, as an optional. */
function optionalSelect(from: Value, field: string): Optional {
  const held = from instanceof Optional ? from.value : from
  if (held === undefined) return Optional.none
  return isMap(held) ? optionalOf(mapGet(held, field)) : noSuchOverload()
}

const optionalOf = (value: Value) => (value === undefined ? Optional.none : new Optional(value))

function optionalSelectCode(operand: Code, field: string): Code {
  return (activation) => optionalSelect(operand(activation), field)
}

export function testCode(operand: Code, field: string): Code {
  if (mayBeInherited(field)) return (activation) => testSlowly(operand(activation), field)
  return (activation) => {
    const from = operand(activation)
    if (typeof from === 'object' && from !== null && !(from instanceof CelValue) && !Array.isArray(from))
      return (from as PlainObject)[field] !== undefined
    return testSlowly(from, field)
  }
}

function testSlowly(from: Value, field: string): boolean {
  const held = from instanceof Optional ? from.value : from
  if (held === undefined) return false
  return isMap(held) ? mapGet(held, field) !== undefined : noSuchOverload()
}

export function indexCode(operand: Code, key: Code): Code {
  return (activation) => {
    const from = operand(activation)
    const at = key(activation)
    return from instanceof Optional ? optionalIndex(from, at) : arithmetic.index(from, at)
  }
}

export function optionalIndexCode(operand: Code, key: Code): Code {
  return (activation) => optionalIndex(operand(activation), key(activation))
}

function optionalIndex(from: Value, key: Value): Optional {
  const held = from instanceof Optional ? from.value : from
  return held === undefined ? Optional.none : optionalOf(arithmetic.lookUp(held, key))
}

export function alternativeCode(from: Code, other: Code, isUnwrapped: boolean): Code {
  return (activation) => {
    const value = from(activation)
    if (!(value instanceof Optional)) return noSuchOverload()
    if (value.value !== undefined) return isUnwrapped ? value.value : value
    const instead = other(activation)
    return isUnwrapped || instead instanceof Optional ? instead : noSuchOverload()
  }
}

/** What an optional holds, as a list of one or none. */
export function heldBy(value: Value): readonly Value[] {
  if (!(value instanceof Optional)) return noSuchOverload()
  return value.value === undefined ? [] : [value.value]
}
