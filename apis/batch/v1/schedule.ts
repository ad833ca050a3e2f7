/**
 * Schedules as cron writes them: five fields, or a word such as `@daily`.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */

interface Bounds {
  least: number
  most: number
  names: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields: readonly Bounds[] = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: months },
  { least: 0, most: 6, names: days },
]

const words = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])

/** Why a schedule cannot be read; undefined when it can. */
export function scheduleFault(schedule: string): string | undefined {
  const text = schedule.trim()
  if (text === '') return 'empty spec string'
  if (text.startsWith('@')) return wordFault(text)
  const parts = text.split(/\s+/)
  if (parts.length !== fields.length) {
    return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  }
  for (const [at, bounds] of fields.entries()) {
    for (const range of parts[at]!.split(',')) {
      const fault = rangeFault(range, bounds)
      if (fault) return fault
    }
  }
  return undefined
}

function wordFault(word: string): string | undefined {
  if (words.has(word)) return undefined
  const [, duration] = /^@every (.*)$/.exec(word) ?? []
  if (duration === undefined) return `unrecognized descriptor: ${word}`
  return /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(duration)
    ? undefined
    : `failed to parse duration ${word}: time: invalid duration "${duration}"`
}

/** One of `*`, `n`, `n-m`, each perhaps with `/step`. */
function rangeFault(range: string, bounds: Bounds): string | undefined {
  const [span = '', step, ...more] = range.split('/')
  const ends = span.split('-')
  if (more.length > 0) return `too many slashes: ${range}`
  if (ends.length > 2) return `too many hyphens: ${range}`
  const isAny = span === '*' || span === '?'
  const numbers = isAny ? [bounds.least, bounds.most] : ends.map((text) => numberOf(text, bounds))
  const unreadable = numbers.findIndex(Number.isNaN)
  if (unreadable !== -1) return numberFault(ends[unreadable]!)
  const [first = bounds.least, last = step === undefined ? first : bounds.most] = numbers
  if (step !== undefined && !/^\d+$/.test(step)) return numberFault(step)
  if (first < bounds.least) return `beginning of range (${first}) below minimum (${bounds.least}): ${range}`
  if (last > bounds.most) return `end of range (${last}) above maximum (${bounds.most}): ${range}`
  if (first > last) return `beginning of range (${first}) beyond end of range (${last}): ${range}`
  return Number(step) === 0 ? `step of range should be a positive number: ${range}` : undefined
}

function numberOf(text: string, { least, names }: Bounds): number {
  const named = names.indexOf(text.toLowerCase())
  if (named !== -1) return named + least
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}

function numberFault(text: string): string {
  if (/^-\d+$/.test(text)) return `negative number (${text}) not allowed: ${text}`
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
}
