import { expect, test } from 'vitest'
import { inSlowStartBatches } from './batches.ts'

test('batches double until all is done', async () => {
  const inFlight: number[] = []
  let open = 0
  const outcome = await inSlowStartBatches(10, async () => {
    open++
    await Promise.resolve()
    inFlight.push(open)
    open--
  })
  expect(outcome).toEqual({ succeeded: 10 })
  expect(Math.max(...inFlight)).toBe(4)
})

test('the first failure ends it with the batch it is in', async () => {
  const started: number[] = []
  const outcome = await inSlowStartBatches(100, async (index) => {
    started.push(index)
    if (index === 1) throw new Error('quota')
  })
  expect(outcome).toMatchObject({ succeeded: 2, error: new Error('quota') })
  expect(started).toEqual([0, 1, 2])
})
