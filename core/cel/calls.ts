/** Calls of functions: which overload the values at run time are meant for. */
import type { Code } from './activation.ts'
import type { Expression } from './ast.ts'
import { chargedCallCode } from './cost/charging.ts'
import type { Overload } from './environment.ts'
import { runtimeName, type Type, type TypeKind } from './types.ts'
import {
  Bytes,
  CelValue,
  Double,
  Duration,
  fail,
  isInt,
  isMap,
  isPlainObject,
  noSuchOverload,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './values.ts'

type Guard = (value: Value) => boolean
type Call = (...args: readonly Value[]) => Value

const guards: Record<TypeKind, Guard | undefined> = {
  dyn: undefined,
  param: undefined,
  opaque: undefined,
  null: (value) => value === null,
  bool: (value) => typeof value === 'boolean',
  int: isInt,
  uint: (value) => value instanceof Uint,
  double: (value) => value instanceof Double,
  string: (value) => typeof value === 'string',
  bytes: (value) => value instanceof Bytes,
  timestamp: (value) => value instanceof Timestamp,
  duration: (value) => value instanceof Duration,
  list: Array.isArray,
  map: isMap,
  type: (value) => value instanceof TypeValue,
  object: isPlainObject,
}

/** Tells values of a type; undefined when all are. */
function guardOf(type: Type): Guard | undefined {
  if (type.kind !== 'opaque') return guards[type.kind]
  const name = runtimeName(type)
  return (value) => value instanceof CelValue && value.typeName === name
}

/** What a call with these arguments is charged. */
export type Cost = (...args: readonly Value[]) => number

/** An overload with what tells whether arguments are of its types. */
interface Candidate {
  readonly call: Call
  readonly guards: readonly (Guard | undefined)[]
}

/**
 * @param args those of `codes`; what is constant among them is prepared once
 * @param cost by which the budget is charged, for code that runs with one; functions of fixed cost may have been charged already
 */
export function callCode(
  name: string,
  overloads: readonly Overload[],
  isMethod: boolean,
  args: readonly Expression[],
  codes: readonly Code[],
  cost: Cost | undefined,
): Code {
  const fitting = overloads.filter((one) => one.isMethod === isMethod && one.params.length === args.length)
  if (fitting.length === 0) return () => fail(overloads.length === 0 ? `unbound function: ${name}` : 'no such overload')
  const isLong = cost !== undefined && fitting.some((one) => one.isLong)
  const call = dispatch(
    fitting.map((one) => candidateOf(one, args)),
    codes.length,
  )
  if (cost) return chargedCallCode(call, codes, cost, isLong)
  const [first, second] = codes
  if (codes.length === 1) return (activation) => call(first!(activation))
  if (codes.length === 2) return (activation) => call(first!(activation), second!(activation))
  return (activation) => call(...codes.map((code) => code(activation)))
}

function candidateOf({ params, call, prepare }: Overload, args: readonly Expression[]): Candidate {
  const constants = args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined))
  return { call: (prepare?.(constants) ?? call) as Call, guards: params.map(guardOf) }
}

/** Calls the first overload that is meant for the values; what follows them is handed on. */
function dispatch(candidates: readonly Candidate[], count: number): Call {
  const [only] = candidates
  if (candidates.length > 1 || count > 2) return (...values) => dispatchAmong(candidates, values)
  return count === 1 ? unary(only!) : binary(only!)
}

function unary({ call, guards: [guard] }: Candidate): Call {
  return (value, more) => (guard && !guard(value) ? noSuchOverload() : call(value, more))
}

function binary({ call, guards: [first, second] }: Candidate): Call {
  // Most functions of two arguments are of two strings.
  if (first === guards.string && second === guards.string)
    return (a, b, more) => (typeof a === 'string' && typeof b === 'string' ? call(a, b, more) : noSuchOverload())
  return (a, b, more) => ((first && !first(a)) || (second && !second(b)) ? noSuchOverload() : call(a, b, more))
}

function dispatchAmong(candidates: readonly Candidate[], values: readonly Value[]): Value {
  for (const { call, guards } of candidates) {
    if (guards.every((guard, i) => !guard || guard(values[i]))) return call(...values)
  }
  return noSuchOverload()
}
