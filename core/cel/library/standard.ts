/** The functions of the specification. */

import type { Budget } from '../activation.ts'
import { decodeUtf8, formatDouble, parseBool, parseDouble, parseInt64, parseUint64 } from '../conversions.ts'
import { define, defineMethod, type Library, type Overload } from '../environment.ts'
import { checkedInt, checkedUint, type Int, intOfDouble, uintOfDouble } from '../integers.ts'
import { constantPattern, matches, patternOf } from '../patterns.ts'
import { size } from '../text.ts'
import {
  checkedTimestamp,
  type DateParts,
  datePartsOf,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
} from '../time.ts'
import {
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  list,
  map,
  param,
  string,
  type Type,
  timestamp,
  typeOf,
  uint,
} from '../types.ts'
import {
  type AnyMap,
  Bytes,
  Double,
  type Duration,
  mapSize,
  type Timestamp,
  TypeValue,
  toInt,
  typeNameOf,
  type Uint,
  type Value,
} from '../values.ts'

const a = param('A')
const b = param('B')
const anyList = list(a)
const anyMap = map(a, b)
const same = (value: Value) => value

/** As a function and as a method. */
const both = (name: string, params: readonly Type[], result: Type, call: Overload['call']) => [
  define(name, params, result, call),
  defineMethod(name, params, result, call),
]

const sizes: Library = [
  ...both('size', [string], int, size),
  ...both('size', [bytes], int, ({ data }: Bytes) => data.length),
  ...both('size', [anyList], int, (items: readonly Value[]) => items.length),
  ...both('size', [anyMap], int, (entries: AnyMap) => mapSize(entries)),
]

const matching: Library = both('matches', [string, string], bool, (text: string, source: string, budget?: Budget) =>
  matches(patternOf(source), text, budget),
).map((overload) => ({
  ...overload,
  isLong: true,
  prepare: ([, source]) => matchesConstant(source),
}))

function matchesConstant(source: Value): Overload['call'] | undefined {
  const pattern = constantPattern(source)
  return pattern && ((text: string, _source: string, budget?: Budget) => matches(pattern, text, budget))
}

const text: Library = [
  defineMethod('contains', [string, string], bool, (whole: string, part: string) => whole.includes(part)),
  defineMethod('startsWith', [string, string], bool, startsWith),
  defineMethod('endsWith', [string, string], bool, (whole: string, part: string) => whole.endsWith(part)),
]

/** The engine compares longer beginnings faster as strings of their own. */
function startsWith(whole: string, part: string): boolean {
  return part.length < 13 ? whole.startsWith(part) : whole.slice(0, part.length) === part
}

const conversions: Library = [
  define('int', [int], int, same),
  define('int', [uint], int, ({ value }: Uint) => checkedInt(value)),
  define('int', [double], int, ({ value }: Double) => intOfDouble(value)),
  define('int', [string], int, parseInt64),
  define('int', [timestamp], int, ({ nanoseconds }: Timestamp) => toInt(floorSeconds(nanoseconds))),
  define('uint', [uint], uint, same),
  define('uint', [int], uint, (value: Int) => checkedUint(BigInt(value))),
  define('uint', [double], uint, ({ value }: Double) => uintOfDouble(value)),
  define('uint', [string], uint, parseUint64),
  define('double', [double], double, same),
  define('double', [int], double, (value: Int) => new Double(Number(value))),
  define('double', [uint], double, ({ value }: Uint) => new Double(Number(value))),
  define('double', [string], double, parseDouble),
  define('string', [string], string, same),
  define('string', [bool], string, String),
  define('string', [int], string, String),
  define('string', [uint], string, ({ value }: Uint) => String(value)),
  define('string', [double], string, ({ value }: Double) => formatDouble(value)),
  define('string', [bytes], string, ({ data }: Bytes) => decodeUtf8(data)),
  define('string', [timestamp], string, formatTimestamp),
  define('string', [duration], string, formatDuration),
  define('bytes', [bytes], bytes, same),
  define('bytes', [string], bytes, (value: string) => new Bytes(new TextEncoder().encode(value))),
  define('bool', [bool], bool, same),
  define('bool', [string], bool, parseBool),
  define('timestamp', [timestamp], timestamp, same),
  define('timestamp', [string], timestamp, parseTimestamp),
  define('timestamp', [int], timestamp, (seconds: Int) => checkedTimestamp(BigInt(seconds) * 1_000_000_000n)),
  define('duration', [duration], duration, same),
  define('duration', [string], duration, parseDuration),
  define('type', [a], typeOf(a), (value: Value) => new TypeValue(typeNameOf(value))),
  define('dyn', [a], dyn, same),
]

function floorSeconds(nanoseconds: bigint): bigint {
  const seconds = nanoseconds / 1_000_000_000n
  return nanoseconds % 1_000_000_000n < 0n ? seconds - 1n : seconds
}

/** An accessor of a timestamp, in UTC or in a zone. */
function accessor(name: string, read: (parts: DateParts) => number): Library {
  return [
    defineMethod(name, [timestamp], int, (time: Timestamp) => read(datePartsOf(time, undefined))),
    defineMethod(name, [timestamp, string], int, (time: Timestamp, zone: string) => read(datePartsOf(time, zone))),
  ]
}

/** An accessor of a duration: how many whole units it holds, or of milliseconds those beyond whole seconds. */
function durationAccessor(name: string, unit: bigint, modulus?: bigint): Overload {
  return defineMethod(name, [duration], int, ({ nanoseconds }: Duration) => {
    const units = nanoseconds / unit
    return toInt(modulus ? units % modulus : units)
  })
}

const times: Library = [
  ...accessor('getFullYear', ({ year }) => year),
  ...accessor('getMonth', ({ month }) => month),
  ...accessor('getDate', ({ dayOfMonth }) => dayOfMonth + 1),
  ...accessor('getDayOfMonth', ({ dayOfMonth }) => dayOfMonth),
  ...accessor('getDayOfWeek', ({ dayOfWeek }) => dayOfWeek),
  ...accessor('getDayOfYear', ({ dayOfYear }) => dayOfYear),
  ...accessor('getHours', ({ hours }) => hours),
  ...accessor('getMinutes', ({ minutes }) => minutes),
  ...accessor('getSeconds', ({ seconds }) => seconds),
  ...accessor('getMilliseconds', ({ milliseconds }) => milliseconds),
  durationAccessor('getHours', 3_600_000_000_000n),
  durationAccessor('getMinutes', 60_000_000_000n),
  durationAccessor('getSeconds', 1_000_000_000n),
  durationAccessor('getMilliseconds', 1_000_000n, 1000n),
]

export const standard: Library = [...sizes, ...text, ...matching, ...conversions, ...times]
