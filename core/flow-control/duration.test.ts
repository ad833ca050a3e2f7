import { expect, test } from 'vitest'
import { parseDuration } from './duration.ts'

test.each([
  ['0', 0],
  ['+0', 0],
  ['10s', 10_000],
  ['1h2m3s', 3_723_000],
  ['1.5s', 1_500],
  ['.5s', 500],
  ['1.s', 1_000],
  ['-2ms', -2],
  ['3us', 0.003],
  ['3µs', 0.003],
])('%s is %d ms', (text, want) => {
  expect(parseDuration(text)).toBeCloseTo(want, 9)
})

test.each([
  ['', 'time: invalid duration ""'],
  ['x', 'time: invalid duration "x"'],
  ['-', 'time: invalid duration "-"'],
  ['.s', 'time: invalid duration ".s"'],
  ['10', 'time: missing unit in duration "10"'],
  ['1s5', 'time: missing unit in duration "1s5"'],
  ['10days', 'time: unknown unit "days" in duration "10days"'],
  ['1.2.3s', 'time: missing unit in duration "1.2.3s"'],
])('%s is refused in the words of Go', (text, want) => {
  expect(() => parseDuration(text)).toThrow(want)
})
