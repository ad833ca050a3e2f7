/** `'...'.format([...])`: the verbs s, d, f, e, b, o, x and X, after those of Go. */
import type { Budget } from '../activation.ts'
import { decodeUtf8 } from '../conversions.ts'
import { formatDuration, formatTimestamp } from '../time.ts'
import {
  adapt,
  Bytes,
  Double,
  Duration,
  fail,
  isInt,
  isMap,
  mapGet,
  mapKeys,
  Timestamp,
  TypeValue,
  typeNameOf,
  Uint,
  type Value,
} from '../values.ts'

const clause = /%(?:%|(?:\.(\d*))?(.?))/gsu
const defaultPrecision = 6
const maxPrecision = 100

export function formatText(pattern: string, args: readonly Value[], budget?: Budget): string {
  let next = 0
  return pattern.replaceAll(clause, (whole, precision: string | undefined, verb: string | undefined) => {
    if (verb === undefined) return '%'
    const format = verbs.get(verb)
    if (!format) return fail(`could not parse formatting clause: unrecognized formatting clause "${whole.slice(1)}"`)
    if (next >= args.length) return fail(`index ${next} out of range`)
    return format(adapt(args[next++]), precisionOf(precision), budget)
  })
}

function precisionOf(text: string | undefined): number {
  const precision = text === undefined || text === '' ? defaultPrecision : Number(text)
  return precision <= maxPrecision ? precision : fail(`precision exceeds ${maxPrecision}`)
}

const verbs = new Map<string, (value: Value, precision: number, budget: Budget | undefined) => string>([
  ['s', (value, _precision, budget) => show(value, budget)],
  ['d', (value) => decimal(value)],
  ['f', (value, precision) => real(value, (number) => fixed(number, precision), 'f')],
  ['e', (value, precision) => real(value, (number) => scientific(number, precision), 'e')],
  ['b', (value) => (typeof value === 'boolean' ? String(Number(value)) : based(value, 2, 'b'))],
  ['o', (value) => based(value, 8, 'o')],
  ['x', (value) => hexadecimal(value)],
  ['X', (value) => hexadecimal(value).toUpperCase()],
])

const refuse = (verb: string, wanted: string, value: Value): never =>
  fail(`error during formatting: %${verb} clause can only be used on ${wanted}, was given ${typeNameOf(value)}`)

function show(value: Value, budget: Budget | undefined): string {
  budget?.strain(1)
  if (typeof value === 'string' || typeof value === 'boolean' || isInt(value)) return String(value)
  if (value === null) return 'null'
  if (value instanceof Double) return showDouble(value.value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Bytes) return decodeUtf8(value.data)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof TypeValue) return value.name
  if (Array.isArray(value)) return `[${value.map((item) => show(adapt(item), budget)).join(', ')}]`
  if (!isMap(value))
    return refuse('s', 'strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps', value)
  const entries = mapKeys(value).map((key) => `${show(key, budget)}: ${show(mapGet(value, key), budget)}`)
  return `{${entries.sort().join(', ')}}`
}

function showDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const text = String(value)
  const exponent = /e([+-])(\d)$/.exec(text)
  return exponent ? text.replace(/\d$/, '0$&') : text
}

function decimal(value: Value): string {
  if (isInt(value)) return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Double && !Number.isFinite(value.value)) return String(value.value)
  return refuse('d', 'integers', value)
}

function real(value: Value, format: (value: number) => string, verb: string): string {
  const number = isInt(value) || value instanceof Uint || value instanceof Double ? numberOf(value) : undefined
  if (number === undefined) return refuse(verb, 'doubles', value)
  return Number.isFinite(number) ? format(number) : String(number)
}

const numberOf = (value: number | bigint | Uint | Double) => Number(isInt(value) ? value : value.value)

function fixed(value: number, precision: number): string {
  if (Math.abs(value) < 1e21) return halfToEven(value, precision)
  return precision === 0 ? String(BigInt(value)) : `${BigInt(value)}.${'0'.repeat(precision)}`
}

/** Digits beyond the precision that tell an exact half from what is near it. */
const guardDigits = 30

/** JavaScript rounds halves up. */
function halfToEven(value: number, precision: number): string {
  if (precision > maxPrecision - guardDigits) return value.toFixed(precision)
  const exact = value.toFixed(precision + guardDigits)
  const isHalf = /^50+$/.test(exact.slice(-guardDigits))
  const cut = exact.slice(0, -guardDigits).replace(/\.$/, '')
  return isHalf && /[02468]$/.test(cut) ? cut : value.toFixed(precision)
}

/** With at least two digits of exponent. */
function scientific(value: number, precision: number): string {
  return value.toExponential(precision).replace(/([+-])(\d)$/, '$10$2')
}

function based(value: Value, base: number, verb: string): string {
  if (isInt(value)) return value.toString(base)
  return value instanceof Uint ? value.value.toString(base) : refuse(verb, 'integers', value)
}

function hexadecimal(value: Value): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  return value instanceof Bytes ? Buffer.from(value.data).toString('hex') : based(value, 16, 'x')
}
