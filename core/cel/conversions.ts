/** Conversions between values and text. */
import type { Int } from './integers.ts'
import { Double, fail, notConverted, toInt, Uint } from './values.ts'

const decimal = /^[+-]?\d+$/

const maxDigits = 100

export function parseInt64(text: string): Int {
  if (!decimal.test(text) || text.length > maxDigits) return notConverted('int')
  const value = BigInt(text.replace(/^\+/, ''))
  return BigInt.asIntN(64, value) === value ? toInt(value) : notConverted('int')
}

export function parseUint64(text: string): Uint {
  if (!/^\d+$/.test(text) || text.length > maxDigits) return notConverted('uint')
  const value = BigInt(text)
  return BigInt.asUintN(64, value) === value ? new Uint(value) : notConverted('uint')
}

const float = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const infinity = /^([+-]?)inf(?:inity)?$/i

export function parseDouble(text: string): Double {
  if (float.test(text)) return new Double(Number(text))
  const unbounded = infinity.exec(text)
  if (unbounded) return new Double(unbounded[1] === '-' ? -Infinity : Infinity)
  return /^nan$/i.test(text) ? new Double(Number.NaN) : notConverted('double')
}

const truths = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const falsehoods = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

export function parseBool(text: string): boolean {
  if (truths.has(text)) return true
  return falsehoods.has(text) ? false : notConverted('bool')
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
