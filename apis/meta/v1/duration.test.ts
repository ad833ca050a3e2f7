import { expect, test } from 'vitest'
import { age, humanDuration } from './duration.ts'

const s = 1000
const m = 60 * s
const h = 60 * m
const d = 24 * h
const y = 365 * d

test.each([
  [-1999, '0s'],
  [-2000, '<invalid>'],
  [Number.NaN, '<invalid>'],
  [0, '0s'],
  [999, '0s'],
  [5 * s, '5s'],
  [119 * s, '119s'],
  [2 * m, '2m'],
  [2 * m + 3 * s, '2m3s'],
  [10 * m + 3 * s, '10m'],
  [179 * m, '179m'],
  [3 * h, '3h'],
  [7 * h + 59 * m, '7h59m'],
  [8 * h + 59 * m, '8h'],
  [47 * h, '47h'],
  [2 * d, '2d'],
  [3 * d + 4 * h, '3d4h'],
  [8 * d + 4 * h, '8d'],
  [729 * d, '729d'],
  [2 * y, '2y'],
  [2 * y + 3 * d, '2y3d'],
  [8 * y + 3 * d, '8y'],
])('%d ms reads %s', (ms, want) => expect(humanDuration(ms)).toBe(want))

test.each([
  [undefined, '<unknown>'],
  ['2026-01-01T00:00:00Z', '5m'],
  ['soon', '<invalid>'],
])('the age of %s reads %s', (timestamp, want) => expect(age(timestamp, Date.parse('2026-01-01T00:05:00Z'))).toBe(want))
