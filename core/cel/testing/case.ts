/** The cases of the specification's conformance tests, as cases.jsonl keeps them, and their values and types read from it. */
import { readFileSync } from 'node:fs'
import { standardEnvironment } from '../cel.ts'
import type { Environment, Overload } from '../environment.ts'
import { encoders } from '../library/encoders.ts'
import { math } from '../library/math.ts'
import { strings } from '../library/strings.ts'
import { parseDuration, parseTimestamp } from '../time.ts'
import * as types from '../types.ts'
import { Bytes, CelMap, Double, fail, TypeValue, toInt, Uint, type Value } from '../values.ts'

/** A value with the name of its type, since JSON has fewer types. */
export type CaseValue =
  | { null: true }
  | { bool: boolean }
  | { int: string }
  | { uint: string }
  | { double: number | string }
  | { string: string }
  | { bytes: string }
  | { list: CaseValue[] }
  | { map: [CaseValue, CaseValue][] }
  | { type: string }
  | { timestamp: string }
  | { duration: string }

export interface Case {
  suite: string
  name: string
  expression: string
  container?: string
  /** false: the expression is evaluated without a check. */
  check?: false
  /** true: the expression is checked and not evaluated. */
  checkOnly?: true
  /** Declared variables and their types. */
  variables?: Record<string, string>
  /** Declared functions, which cannot be called. */
  functions?: CaseFunction[]
  bindings?: Record<string, CaseValue>
  /** The value; absent when there is none. */
  value?: CaseValue
  /** Whether compiling or evaluating fails. */
  fails?: true
  /** The type the checker finds. */
  type?: string
  /** What the reference's checker or parser reports. */
  issues?: string
  /** The checked tree, in the form of print-checked.ts. */
  checked?: string
}

export interface CaseFunction {
  name: string
  id: string
  isMethod?: true
  params: string[]
  result: string
}

/** An expression and its parsed tree, in the form of print-parsed.ts; null when it is refused. */
export type ParsedCase = readonly [expression: string, parsed: string | null]

/** The first line of cases.jsonl and of trees.jsonl; each of the others is a case. */
export interface CasesHead {
  source: string
  /** How many were left out, by reason. */
  excluded: Record<string, number>
  /** Names of cases that have no checked tree, by reason. */
  withoutTree?: Record<string, string[]>
}

export const readCases = () => read<Case>('cases.jsonl')
export const readParsedCases = () => read<ParsedCase>('trees.jsonl')

function read<T>(file: string): T[] {
  const [, ...lines] = readFileSync(new URL(file, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as T)
}

const libraries = standardEnvironment.extend({ libraries: [strings, math, encoders] })

/** What the expression of a case may refer to. @param ids is told by which ids the functions are known */
export function environmentOf(
  { container = '', variables = {}, functions = [] }: Case,
  ids = new Map<Overload, string>(),
): Environment {
  const declared = Object.entries(variables).map(([name, type]) => [name, readType(type)] as const)
  const library = functions.map((one) => {
    const overload = overloadOf(one)
    ids.set(overload, one.id)
    return overload
  })
  return libraries.extend({ container, variables: new Map(declared), libraries: [library] })
}

function overloadOf({ name, isMethod, params, result }: CaseFunction): Overload {
  return {
    name,
    isMethod: isMethod === true,
    params: params.map(readType),
    result: readType(result),
    call: () => fail(name),
  }
}

/** The value of a case at run time. */
export function readValue(value: CaseValue): Value {
  if ('null' in value) return null
  if ('bool' in value) return value.bool
  if ('int' in value) return toInt(BigInt(value.int))
  if ('uint' in value) return new Uint(BigInt(value.uint))
  if ('double' in value) return new Double(Number(value.double))
  if ('string' in value) return value.string
  if ('bytes' in value) return new Bytes(Buffer.from(value.bytes, 'base64'))
  if ('list' in value) return value.list.map(readValue)
  if ('map' in value)
    return value.map.reduce((map, [key, item]) => map.set(readValue(key), readValue(item)), new CelMap())
  if ('type' in value) return new TypeValue(value.type)
  return 'timestamp' in value ? parseTimestamp(value.timestamp) : parseDuration(value.duration)
}

const named = new Map<string, types.Type>(
  [types.dyn, types.bool, types.int, types.uint, types.double, types.string, types.bytes, types.nullType].map(
    (type) => [type.name, type],
  ),
)
named.set('timestamp', types.timestamp).set('duration', types.duration)

/** Reads a type as messages show them, such as `map(string, list(int))`; a parameter is `param(T)`. */
export function readType(text: string): types.Type {
  const [type, rest] = typeAt(text)
  if (rest !== '') throw new Error(`${rest} follows a type`)
  return type
}

function typeAt(text: string): [types.Type, rest: string] {
  const name = /^[\w.]+/.exec(text)![0]
  let rest = text.slice(name.length)
  const params: types.Type[] = []
  while (/^[(,]/.test(rest) && (params.length > 0 || rest.startsWith('('))) {
    const [type, after] = typeAt(rest.replace(/^[(,]\s*/, ''))
    params.push(type)
    rest = after
  }
  return [typeNamed(name, params), params.length > 0 ? rest.replace(/^\)/, '') : rest]
}

function typeNamed(name: string, params: types.Type[]): types.Type {
  if (name === 'list') return types.list(params[0] ?? types.dyn)
  if (name === 'map') return types.map(params[0] ?? types.dyn, params[1] ?? types.dyn)
  if (name === 'param') return types.param(params[0]!.name)
  if (name === 'type') return types.typeOf(params[0] ?? types.dyn)
  return named.get(name) ?? types.opaque(name, ...params)
}
