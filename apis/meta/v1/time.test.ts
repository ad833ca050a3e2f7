import { expect, test } from 'vitest'
import { rfc3339 } from './time.ts'

test.each([
  { ms: 0, want: '1970-01-01T00:00:00Z' },
  { ms: 1_999, want: '1970-01-01T00:00:01Z' },
  { ms: 1_000, want: '1970-01-01T00:00:01Z' },
  { ms: -1, want: '1969-12-31T23:59:59Z' },
  { ms: Date.UTC(2024, 1, 29, 23, 59, 59, 999), want: '2024-02-29T23:59:59Z' },
])('$ms is $want', ({ ms, want }) => {
  expect(rfc3339(ms)).toBe(want)
})

test('what is no time is refused, and does not stand for the next', () => {
  expect(() => rfc3339(Number.NaN)).toThrow(RangeError)
  expect(rfc3339(0)).toBe('1970-01-01T00:00:00Z')
})
