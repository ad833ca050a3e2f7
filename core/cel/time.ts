/** Timestamps and durations: reading, writing, arithmetic, and the parts of a date in a time zone. */
import { Duration, fail, notConverted, Timestamp } from './values.ts'

const second = 1_000_000_000n
const earliest = -62_135_596_800n * second
const latest = 253_402_300_800n * second - 1n

export function checkedTimestamp(nanoseconds: bigint): Timestamp {
  return nanoseconds >= earliest && nanoseconds <= latest ? new Timestamp(nanoseconds) : fail('timestamp overflow')
}

export function checkedDuration(nanoseconds: bigint): Duration {
  return BigInt.asIntN(64, nanoseconds) === nanoseconds ? new Duration(nanoseconds) : fail('duration overflow')
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Reads RFC 3339. Digits beyond nanoseconds are dropped. */
export function parseTimestamp(text: string): Timestamp {
  const refuse = () => notConverted('google.protobuf.Timestamp')
  const found = rfc3339.exec(text)
  if (!found) return refuse()
  const [, date, hour, minute, seconds, fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = found
  const day = Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date) return refuse()
  if (+hour! > 23 || +minute! > 59 || +seconds! > 59 || +offsetHour > 23 || +offsetMinute > 59) return refuse()
  const offset = (+offsetHour * 60 + +offsetMinute) * (sign === '-' ? -60 : 60)
  const whole = day / 1000 + +hour! * 3600 + +minute! * 60 + +seconds! - offset
  return checkedTimestamp(BigInt(whole) * second + BigInt(fraction.slice(0, 9).padEnd(9, '0')))
}

/** RFC 3339 in UTC, with as many digits of the second as are needed. */
export function formatTimestamp({ nanoseconds }: Timestamp): string {
  const { seconds, rest } = split(nanoseconds)
  const text = new Date(seconds * 1000).toISOString().slice(0, 19)
  return `${text}${fractionText(rest)}Z`
}

/** Whole seconds, rounded down, and the nanoseconds above them. */
function split(nanoseconds: bigint): { seconds: number; rest: number } {
  const rest = ((nanoseconds % second) + second) % second
  return { seconds: Number((nanoseconds - rest) / second), rest: Number(rest) }
}

function fractionText(nanoseconds: number): string {
  return nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`
}

const units = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', second],
  ['m', 60n * second],
  ['h', 3600n * second],
])
const durationText = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const durationPart = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g

/** Reads a duration as Go writes them, such as `1h2m3.5s`. */
export function parseDuration(text: string): Duration {
  if (text.length > 200 || !durationText.test(text)) return notConverted('google.protobuf.Duration')
  let total = 0n
  for (const [, whole, fraction = '', unit] of text.matchAll(durationPart)) {
    const scale = units.get(unit!)!
    total += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length)
  }
  return checkedDuration(text.startsWith('-') ? -total : total)
}

/** In seconds, as protobuf writes durations in JSON. */
export function formatDuration({ nanoseconds }: Duration): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  return `${nanoseconds < 0n ? '-' : ''}${size / second}${fractionText(Number(size % second))}s`
}

/** The parts of a date that accessors read. Months, days of the month and of the year count from 0, Sunday is 0. */
export interface DateParts {
  year: number
  month: number
  dayOfMonth: number
  dayOfWeek: number
  dayOfYear: number
  hours: number
  minutes: number
  seconds: number
  milliseconds: number
}

export function datePartsOf({ nanoseconds }: Timestamp, zone: string | undefined): DateParts {
  const { seconds, rest } = split(nanoseconds)
  const local = new Date((seconds + (zone === undefined ? 0 : offsetSeconds(zone, seconds))) * 1000)
  const year = local.getUTCFullYear()
  const startOfYear = new Date(0).setUTCFullYear(year, 0, 1)
  return {
    year,
    month: local.getUTCMonth(),
    dayOfMonth: local.getUTCDate() - 1,
    dayOfWeek: local.getUTCDay(),
    dayOfYear: Math.floor((local.getTime() - startOfYear) / 86_400_000),
    hours: local.getUTCHours(),
    minutes: local.getUTCMinutes(),
    seconds: local.getUTCSeconds(),
    milliseconds: Math.floor(rest / 1_000_000),
  }
}

const fixedZone = /^([+-]?)(\d\d?):(\d\d)$/
const zones = new Map<string, Intl.DateTimeFormat>()
/** Programs name few zones; data may name any string, and is kept from filling the memory. */
const maxZones = 600

/** How far a zone, of the IANA database or such as `+02:00`, is ahead of UTC at a time. */
function offsetSeconds(zone: string, at: number): number {
  if (zone === '' || zone === 'UTC') return 0
  const fixed = fixedZone.exec(zone)
  if (fixed) return (Number(fixed[2]) * 3600 + Number(fixed[3]) * 60) * (fixed[1] === '-' ? -1 : 1)
  const parts = new Map(
    zoneFormat(zone)
      .formatToParts(at * 1000)
      .map(({ type, value }) => [type, value]),
  )
  const read = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type))
  const year = parts.get('era') === 'BC' ? 1 - read('year') : read('year')
  const local = new Date(0)
  local.setUTCFullYear(year, read('month') - 1, read('day'))
  local.setUTCHours(read('hour'), read('minute'), read('second'))
  return local.getTime() / 1000 - at
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone)
  if (known) return known
  if (zones.size >= maxZones) zones.clear()
  const format = newZoneFormat(zone)
  zones.set(zone, format)
  return format
}

function newZoneFormat(timeZone: string): Intl.DateTimeFormat {
  const number = 'numeric'
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      era: 'short',
      year: number,
      month: number,
      day: number,
      hour: number,
      minute: number,
      second: number,
      hourCycle: 'h23',
    })
  } catch {
    return fail(`unknown time zone ${timeZone}`)
  }
}
