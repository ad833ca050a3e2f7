import fc from 'fast-check'
import { expect, test } from 'vitest'
import { datePartsOf, formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './time.ts'
import { Duration, Failure, Timestamp } from './values.ts'

test('timestamps are read as they are written, to the nanosecond', () => {
  const nanoseconds = fc.bigInt({ min: -62_135_596_800n * 10n ** 9n, max: 253_402_300_800n * 10n ** 9n - 1n })
  fc.assert(
    fc.property(nanoseconds, (at) => {
      expect(parseTimestamp(formatTimestamp(new Timestamp(at))).nanoseconds).toBe(at)
    }),
  )
})

test('durations are read as they are written', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (length) => {
      expect(parseDuration(formatDuration(new Duration(length))).nanoseconds).toBe(length)
    }),
  )
})

test.each([
  ['1h30m', 5_400_000_000_000n],
  ['-1.5s', -1_500_000_000n],
  ['1us2ns', 1002n],
  ['0', 0n],
  ['+.5ms', 500_000n],
])('the duration %s', (text, want) => expect(parseDuration(text).nanoseconds).toBe(want))

test.each(['', '1', '1d', 's', '.s', '1 s', '99999999h', '--1s'])('refuses the duration %j', (text) => {
  expect(() => parseDuration(text)).toThrow(expect.toSatisfy((error) => error instanceof Failure))
})

test.each([
  '2024-02-30T00:00:00Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-01:00',
])('refuses the timestamp %s', (text) =>
  expect(() => parseTimestamp(text)).toThrow(expect.toSatisfy((error) => error instanceof Failure)),
)

test.each([
  ['2024-03-10T07:30:00Z', 'America/New_York', { hours: 3, dayOfMonth: 9, month: 2 }],
  ['2024-01-01T00:00:00Z', '-01:30', { year: 2023, hours: 22, minutes: 30, dayOfYear: 364 }],
  ['2024-12-31T23:00:00Z', 'Asia/Kolkata', { year: 2025, dayOfYear: 0, dayOfWeek: 3 }],
  ['0001-01-01T00:00:00Z', 'UTC', { year: 1, dayOfYear: 0 }],
])('%s in %s', (text, zone, want) => expect(datePartsOf(parseTimestamp(text), zone)).toMatchObject(want))
