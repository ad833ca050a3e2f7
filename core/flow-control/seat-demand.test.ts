import { expect, test } from 'vitest'
import { SeatDemand } from './seat-demand.ts'

test('demand is weighed by time', () => {
  const demand = new SeatDemand(0)
  demand.set(10, 5)
  demand.set(0, 10)
  const { high, average, deviation } = demand.take(10)
  expect([high, average, deviation]).toEqual([10, 5, 5])
})

test('a period begins with what is still wanted', () => {
  const demand = new SeatDemand(0)
  demand.set(7, 1)
  demand.take(10)
  expect(demand.take(20)).toEqual({ high: 7, average: 7, deviation: 0 })
})
