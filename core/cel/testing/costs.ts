/** What expressions cost, as costs.jsonl keeps it. */
import { readFileSync } from 'node:fs'
import type { CostModel } from '../cost/meter.ts'
import * as types from '../types.ts'
import { Bytes, type CelValue, Double, type Value } from '../values.ts'

/** An expression; its cost; the least and the greatest cost estimated. Null for what is not known. */
export type CostFact = readonly [
  expression: string,
  actual: number | null,
  least: number | null,
  greatest: number | null,
]

/**
 * The name of a type, `list` or `map` with its parameters, an object by its fields; or `sized`, a type, how large its
 * values may be at most, and how items of a list are told apart.
 */
type CostType =
  | string
  | readonly ['list', CostType]
  | readonly ['map', CostType, CostType]
  | readonly ['sized', CostType, number, ('item' | readonly string[])?]
  | { readonly [field: string]: CostType }

/** Expressions over the same data. */
export interface CostGroup extends Partial<CostModel> {
  readonly suite: string
  readonly facts: readonly CostFact[]
  readonly variables?: Readonly<Record<string, CostType>>
  readonly data?: Readonly<Record<string, unknown>>
  /** The size of what paths lead to. */
  readonly sizes?: Readonly<Record<string, number>>
  /** The size of all strings and bytes; of all bytes. */
  readonly textSize?: number
  readonly byteSize?: number
}

/** The first line tells the sources; each of the others is a group. */
export function readCosts(): CostGroup[] {
  const [, ...lines] = readFileSync(new URL('costs.jsonl', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as CostGroup)
}

const named = new Map(
  [types.dyn, types.bool, types.int, types.double, types.string, types.bytes, types.timestamp, types.duration].map(
    (type) => [type.name, type],
  ),
)

export function readType(type: CostType): types.Type {
  if (typeof type === 'string') return named.get(type)!
  if (!Array.isArray(type)) return readObject(type as Readonly<Record<string, CostType>>)
  const [kind, first, second, identity] = type
  if (kind === 'list') return types.list(readType(first))
  if (kind === 'map') return types.map(readType(first), readType(second))
  return { ...types.sized(readType(first), second), ...(identity && { identity }) }
}

function readObject(fields: Readonly<Record<string, CostType>>): types.Type {
  const read = Object.entries(fields).map(([name, type]) => [name, readType(type)] as const)
  const properties = read.map(([name]) => [name, name.replaceAll('__dot__', '.')] as const)
  return { ...types.object(JSON.stringify(fields), new Map(read)), properties: new Map(properties) }
}

/** Data of JSON in which objects of one field stand for what JSON has no values for. */
export function readData(data: unknown): Value {
  if (typeof data !== 'object' || data === null) return data
  if (Array.isArray(data)) return data.map(readData)
  const special = readSpecial(data as Readonly<Record<string, never>>)
  if (special) return special
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, readData(value)]))
}

function readSpecial(data: Readonly<Record<string, never>>): CelValue | bigint | number[] | undefined {
  if ('$double' in data) return new Double(data.$double)
  if ('$big' in data) return BigInt(data.$big)
  if ('$bytes' in data) return new Bytes(new Uint8Array(data.$bytes).fill(65))
  if ('$range' in data) return Array.from({ length: data.$range }, (_, i) => i)
  return undefined
}
