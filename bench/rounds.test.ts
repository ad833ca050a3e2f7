import { expect, test } from 'vitest'
import { alternate, median } from './rounds.ts'

test.each([
  { name: 'an odd number', items: [3, 1, 2], want: 2 },
  { name: 'an even number', items: [4, 1, 3, 2], want: 2 },
  { name: 'one', items: [7], want: 7 },
])('median of $name', ({ items, want }) => {
  expect(median(items, (item) => item)).toBe(want)
})

test('alternate takes both numbers from the round of the median ratio', async () => {
  const values = [1, 90, 10, 80]
  const yardsticks = [1_000, 100, 100, 200]
  const durations: number[] = []
  const round = await alternate(
    3_000,
    async (durationMs) => {
      durations.push(durationMs)
      return { perSecond: yardsticks.shift()! }
    },
    async () => ({ perSecond: values.shift()! }),
  )
  expect(round).toEqual({ value: { perSecond: 80 }, yardstick: { perSecond: 200 } })
  expect(durations).toEqual([1_000, 1_000, 1_000, 1_000])
})
