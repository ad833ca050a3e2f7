/** Strings of formats that stand for times, as values of CEL. What is no such string fails, as a rule that divides by zero does. */
import { type Duration, fail, type Value } from '#core/cel/cel.ts'
import { checkedDuration, parseDuration, parseTimestamp } from '#core/cel/time.ts'

/** Reads a string; all else is of the type already, or null. */
const reader = (parse: (text: string) => Value) => (value: Value) => (typeof value === 'string' ? parse(value) : value)

export const readDate = reader((text) => parseTimestamp(`${text}T00:00:00Z`))
export const readDateTime = reader((text) => parseTimestamp(text.toUpperCase()))
export const readDuration = reader(durationOf)

const nanosecond = 1n
const microsecond = 1_000n
const millisecond = 1_000_000n
const second = 1_000_000_000n
const minute = 60n * second
const hour = 60n * minute
const day = 24n * hour

/** What a unit may be called; it may also begin with the last name, as `minutes` does with `min`. */
const units: readonly [size: bigint, ...names: string[]][] = [
  [nanosecond, 'ns', 'nano'],
  [microsecond, 'us', 'µs', 'micro'],
  [millisecond, 'ms', 'milli'],
  [second, 's', 'sec'],
  [minute, 'm', 'min'],
  [hour, 'h', 'hr', 'hour'],
  [day, 'd', 'day'],
  [7n * day, 'w', 'wk', 'week'],
]

/** As CEL has it (`1h30m`), or amounts with further units: `2 days`. */
function durationOf(text: string): Duration {
  try {
    return parseDuration(text)
  } catch {
    const amounts = [...text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)].map(([, count, unit]) => amountOf(count!, unit!))
    const known = amounts.filter((one) => one !== undefined)
    if (known.length === 0) return fail(`Invalid duration ${text}: unable to parse ${text} as duration`)
    return checkedDuration(known.reduce((a, b) => a + b))
  }
}

function amountOf(count: string, written: string): bigint | undefined {
  const unit = written.toLowerCase()
  const found = units.find(([, ...names]) => names.includes(unit) || unit.startsWith(names.at(-1)!))
  return found && BigInt(count) * found[0]
}
