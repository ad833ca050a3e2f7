/** Conversions between values and text. */
import { checkedInt, checkedUint, type Int } from './integers.ts'
import { Double, fail, type Uint } from './values.ts'

const decimal = /^[+-]?\d+$/

export function parseInt64(text: string): Int {
  return decimal.test(text) && text.length <= 100
    ? checkedInt(bigintOf(text))
    : fail(`cannot convert string to int: ${text}`)
}

export function parseUint64(text: string): Uint {
  return /^\d{1,100}$/.test(text) ? checkedUint(BigInt(text)) : fail(`cannot convert string to uint: ${text}`)
}

const bigintOf = (text: string) => BigInt(text.startsWith('+') ? text.slice(1) : text)

const float = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const infinity = /^([+-]?)inf(?:inity)?$/i

export function parseDouble(text: string): Double {
  if (float.test(text)) return new Double(Number(text))
  const unbounded = infinity.exec(text)
  if (unbounded) return new Double(unbounded[1] === '-' ? -Infinity : Infinity)
  return /^nan$/i.test(text) ? new Double(Number.NaN) : fail(`cannot convert string to double: ${text}`)
}

const truths = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const falsehoods = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

export function parseBool(text: string): boolean {
  if (truths.has(text)) return true
  return falsehoods.has(text) ? false : fail(`cannot convert string to bool: ${text}`)
}

/** The shortest digits that say the double, with an exponent below 1e-4 and from 1e21 on. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  const power = Number(exponent)
  if (Object.is(value, -0)) return '-0'
  if (power >= -4 && power < 21) return String(value)
  const size = Math.abs(power)
  return `${digits}e${power < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function decodeUtf8(data: Uint8Array): string {
  try {
    return utf8.decode(data)
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string')
  }
}
