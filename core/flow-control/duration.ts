/** Go's durations, such as `1h30m` or `1.5s`, which the API takes in queries. */
const unitMs = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['µs', 1e-3],
  ['μs', 1e-3],
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
])

/** @returns milliseconds @throws Error in the words of Go's parser */
export function parseDuration(text: string): number {
  const [, sign = '', magnitude = ''] = /^([-+]?)(.*)$/s.exec(text)!
  if (magnitude === '0') return 0
  let ms = 0
  let rest = magnitude
  do {
    const [part = '', number = ''] = /^(\d+\.?\d*|\.\d+)[^\d.]*/.exec(rest) ?? []
    if (part === '') throw new Error(`time: invalid duration ${JSON.stringify(text)}`)
    ms += Number(number) * unitOf(part.slice(number.length), text)
    rest = rest.slice(part.length)
  } while (rest !== '')
  return sign === '-' ? -ms : ms
}

function unitOf(unit: string, text: string): number {
  if (unit === '') throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`)
  const ms = unitMs.get(unit)
  if (ms === undefined)
    throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`)
  return ms
}
