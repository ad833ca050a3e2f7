import { rfc3339 } from '#apis/meta/v1/time.ts'

/** Times between RFC 3339, as JSON has them, and seconds with nanoseconds, as protobuf has them. */
export interface Timestamp {
  seconds: number
  nanos: number
}

const zero = 0x30

/**
 * Reads a time such as `2024-05-06T07:08:09Z` out of bytes, quick for what servers write themselves.
 * @returns undefined for what is no time
 */
export function parseTime(bytes: Buffer, from: number, to: number): Timestamp | undefined {
  if (to - from !== 20 || bytes[to - 1] !== 0x5a) return parseAnyTime(bytes.toString('latin1', from, to))
  const year = digits(bytes, from, 4)
  const month = digits(bytes, from + 5, 2)
  const day = digits(bytes, from + 8, 2)
  const ofDay = digits(bytes, from + 11, 2) * 3600 + digits(bytes, from + 14, 2) * 60 + digits(bytes, from + 17, 2)
  const seconds = daysBefore(year, month, day) * 86_400 + ofDay
  return Number.isNaN(seconds) ? undefined : { seconds, nanos: 0 }
}

function parseAnyTime(text: string): Timestamp | undefined {
  const match = /^(.{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text)
  const ms = match ? Date.parse(match[1]! + match[3]!) : Number.NaN
  return Number.isNaN(ms) ? undefined : { seconds: ms / 1000, nanos: Number((match![2] ?? '').padEnd(9, '0')) }
}

/** @returns NaN when there is anything but digits */
function digits(bytes: Buffer, from: number, count: number): number {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const digit = bytes[at]! - zero
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : Number.NaN
  }
  return value
}

/** Days from 1970 to a date of the Gregorian calendar; years begin in March here, so that the odd day is their last. */
function daysBefore(year: number, month: number, day: number): number {
  const fromMarch = month > 2 ? month - 3 : month + 9
  const shifted = month > 2 ? year : year - 1
  const leapDays = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400)
  return shifted * 365 + leapDays + Math.floor((153 * fromMarch + 2) / 5) + day - 719_469
}

/** The years of four digits: 0 to 9999. */
const firstSecond = -62_167_219_200
const lastSecond = 253_402_300_799

/**
 * @param fractionDigits of a second: 0 for a Time, 6 for a MicroTime
 * @returns undefined for a time that no calendar has
 */
export function formatTime({ seconds, nanos }: Timestamp, fractionDigits: number): string | undefined {
  if (!(seconds >= firstSecond && seconds <= lastSecond)) return undefined
  const whole = rfc3339(seconds * 1000)
  if (fractionDigits === 0) return whole
  return `${whole.slice(0, -1)}.${String(nanos).padStart(9, '0').slice(0, fractionDigits)}Z`
}
