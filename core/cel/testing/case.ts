/** The cases of the specification's conformance tests, as cases.jsonl keeps them, and their values and types read from it. */
import { readFileSync } from 'node:fs'
import { parseDuration, parseTimestamp } from '../time.ts'
import * as types from '../types.ts'
import { Bytes, CelMap, Double, TypeValue, toInt, Uint, type Value } from '../values.ts'

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
  bindings?: Record<string, CaseValue>
  /** The value; absent when there is none. */
  value?: CaseValue
  /** Whether compiling or evaluating fails. */
  fails?: true
  /** The type the checker finds. */
  type?: string
  /** What the reference's checker or parser reports. */
  issues?: string
}

/** The first line of cases.jsonl; each of the others is a case. */
export interface CasesHead {
  source: string
  /** How many were left out, by reason. */
  excluded: Record<string, number>
}

export function readCases(): Case[] {
  const [, ...lines] = readFileSync(new URL('cases.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as Case)
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

/** Reads a type as messages show them, such as `map(string, list(int))`. */
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
  if (name === 'type') return types.typeOf(params[0] ?? types.dyn)
  return named.get(name) ?? types.opaque(name, ...params)
}
