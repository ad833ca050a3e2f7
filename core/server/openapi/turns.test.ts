import { expect, test } from 'vitest'
import { mapInTurns } from './turns.ts'

/** Keeps the thread busy. */
function work(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('results come in the order of the items, however long each takes', async () => {
  const later = [3, 1, 2, 0]
  const results = await mapInTurns(later, async (turns) => {
    for (let at = 0; at < turns; at++) await new Promise(setImmediate)
    return turns
  })
  expect(results).toEqual(later)
  expect(await mapInTurns([], async () => 1)).toEqual([])
})

test('others have their turn before all is done, and often', async () => {
  let turns = 0
  let isOver = false
  const others = (async () => {
    while (!isOver) {
      await new Promise(setImmediate)
      turns++
    }
  })()
  await mapInTurns(Array.from({ length: 30 }), async () => work(2))
  isOver = true
  await others
  expect(turns).toBeGreaterThanOrEqual(8)
})

test('a failure is told', async () => {
  const fail = async (item: number) => {
    if (item === 2) throw new Error('two')
    return item
  }
  await expect(mapInTurns([1, 2, 3], fail)).rejects.toThrow('two')
})
