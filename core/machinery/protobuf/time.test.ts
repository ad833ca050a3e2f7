import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatTime, parseTime } from './time.ts'

const parse = (text: string) => parseTime(Buffer.from(`"${text}"`), 1, text.length + 1)

test.each([
  { text: '1970-01-01T00:00:00Z', want: { seconds: 0, nanos: 0 } },
  { text: '2024-02-29T23:59:59Z', want: { seconds: 1_709_251_199, nanos: 0 } },
  { text: '1900-03-01T00:00:00Z', want: { seconds: -2_203_891_200, nanos: 0 } },
  { text: '2024-05-06T07:08:09.5Z', want: { seconds: 1_714_979_289, nanos: 500_000_000 } },
  { text: '2024-05-06T09:08:09.000001+02:00', want: { seconds: 1_714_979_289, nanos: 1000 } },
  { text: '2024-05-06T0x:08:09Z', want: undefined },
  { text: 'yesterday', want: undefined },
  { text: '', want: undefined },
])('$text is $want', ({ text, want }) => expect(parse(text)).toEqual(want))

test.each([-62_167_219_201, 253_402_300_800, Number.NaN, 2 ** 60])(
  '%d seconds are in no year of four digits',
  (seconds) => expect(formatTime({ seconds, nanos: 0 }, 0)).toBeUndefined(),
)

test('any time reads as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), fc.nat(999_999), (seconds, micros) => {
      const text = formatTime({ seconds, nanos: 0 }, 0)!
      expect(text).toBe(`${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`)
      expect(parse(text)).toEqual({ seconds, nanos: 0 })
      const nanos = micros * 1000
      expect(parse(formatTime({ seconds, nanos }, 6)!)).toEqual({ seconds, nanos })
    }),
  )
})
