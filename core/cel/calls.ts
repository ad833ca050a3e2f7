/** Calls of functions: which overload the values at run time are meant for. */
import type { Code } from './activation.ts'
import type { Expression } from './ast.ts'
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
  readonly cost: Cost | undefined
}

/**
 * @param args those of `codes`; what is constant among them is prepared once
 * @param cost by which the budget is charged, for code that runs with one
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
  const candidates = fitting.map((one) => candidateOf(one, args, cost))
  const [only] = candidates
  if (candidates.length > 1) return anyCode(candidates, codes)
  if (codes.length === 1) return unaryCode(only!, codes[0]!)
  return codes.length === 2 ? binaryCode(only!, codes[0]!, codes[1]!) : anyCode(candidates, codes)
}

function candidateOf(
  { params, call, prepare }: Overload,
  args: readonly Expression[],
  cost: Cost | undefined,
): Candidate {
  const constants = args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined))
  return {
    call: (prepare?.(constants) ?? call) as Call,
    guards: params.map(guardOf),
    cost,
  }
}

function unaryCode({ call, cost, guards: [guard] }: Candidate, arg: Code): Code {
  return (activation) => {
    const value = arg(activation)
    if (guard && !guard(value)) return noSuchOverload()
    if (cost) activation.budget!.charge(cost(value))
    return call(value)
  }
}

function binaryCode(candidate: Candidate, left: Code, right: Code): Code {
  const { call, cost } = candidate
  const [first, second] = candidate.guards
  if (first === guards.string && second === guards.string) return textCode(candidate, left, right)
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    if ((first && !first(a)) || (second && !second(b))) return noSuchOverload()
    if (cost) activation.budget!.charge(cost(a, b))
    return call(a, b)
  }
}

/** A function of two strings, as most of two arguments are. */
function textCode({ call, cost }: Candidate, left: Code, right: Code): Code {
  return (activation) => {
    const a = left(activation)
    const b = right(activation)
    if (typeof a !== 'string' || typeof b !== 'string') return noSuchOverload()
    if (cost) activation.budget!.charge(cost(a, b))
    return call(a, b)
  }
}

function anyCode(candidates: readonly Candidate[], codes: readonly Code[]): Code {
  return (activation) => {
    const values = codes.map((code) => code(activation))
    for (const { call, cost, guards } of candidates) {
      if (!guards.every((guard, i) => !guard || guard(values[i]))) continue
      if (cost) activation.budget!.charge(cost(...values))
      return call(...values)
    }
    return noSuchOverload()
  }
}
