import { expect, test } from 'vitest'
import { listWork, plainWork, widestRequest, writeWork } from './work-estimate.ts'

test.each([
  { name: 'of nothing', args: [0, 0, false, 10], want: 1 },
  { name: 'of few', args: [100, 0, false, 10], want: 1 },
  { name: 'of many', args: [450, 0, false, 10], want: 5 },
  { name: 'of very many', args: [150_000, 0, false, 10], want: 10 },
  { name: 'in pages', args: [150_000, 200, false, 10], want: 2 },
  { name: 'of one by name', args: [150_000, 0, true, 10], want: 1 },
  { name: 'in a small level', args: [150_000, 0, false, 2], want: 2 },
] as const)('a list $name takes its seats', ({ args: [stored, limit, isSingle, widest], want }) => {
  expect(listWork(stored, limit, isSingle, widest)).toEqual({ seats: want, finalSeats: 0, finalMs: 0 })
})

test.each([
  { watchers: 0, want: plainWork },
  { watchers: 499, want: plainWork },
  { watchers: 1_000, want: { seats: 1, finalSeats: 2, finalMs: 5 } },
  { watchers: 10_000, want: { seats: 1, finalSeats: 10, finalMs: 10 } },
])('a write that $watchers watch keeps seats for them', ({ watchers, want }) => {
  expect(writeWork(watchers, 10)).toEqual(want)
})

test.each([
  { nominal: 0, want: 1 },
  { nominal: 13, want: 2 },
  { nominal: 245, want: 10 },
])('no request takes more than $want of $nominal seats', ({ nominal, want }) => {
  expect(widestRequest(nominal)).toBe(want)
})
