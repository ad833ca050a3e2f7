import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createFakeClock } from './testing/fake-clock.ts'
import { createWorkQueue } from './work-queue.ts'

const steps = fc.array(
  fc.record({
    do: fc.constantFrom('add', 'addAfter', 'take', 'finish', 'retry', 'advance'),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    ms: fc.integer({ min: 0, max: 50 }),
  }),
  { maxLength: 200, size: 'max' },
)

test('no key is out twice at once, and every key added is taken afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const clock = createFakeClock()
      const queue = createWorkQueue({ clock, random: () => 0.5 })
      const out = new Set<string>()
      const owed = new Set<string>()
      const take = () => {
        const key = queue.take()
        if (key === undefined) return undefined
        expect(out.has(key)).toBe(false)
        out.add(key)
        owed.delete(key)
        return key
      }
      const finish = (key: string, isFailure: boolean) => {
        if (!out.delete(key)) return
        if (isFailure) {
          queue.retry(key)
          owed.add(key)
        }
        queue.done(key)
      }
      for (const { do: action, key, ms } of list) {
        if (action === 'add') queue.add(key)
        if (action === 'addAfter') queue.addAfter(key, ms)
        if (action === 'add' || action === 'addAfter') owed.add(key)
        if (action === 'take') take()
        if (action === 'finish' || action === 'retry') finish(key, action === 'retry')
        if (action === 'advance') await clock.advance(ms)
      }
      for (const key of [...out]) finish(key, false)
      await clock.advance(2_000_000)
      for (let key = take(); key !== undefined; key = take()) finish(key, false)
      expect([...owed]).toEqual([])
      expect(queue.depth).toBe(0)
      expect(clock.pending).toBe(0)
    }),
    { numRuns: 60 },
  )
})

test('keys leave in the order they came, each once', () => {
  const queue = createWorkQueue()
  const keys = Array.from({ length: 5000 }, (_, at) => `k${at}`)
  for (const key of [...keys, ...keys]) queue.add(key)
  expect(Array.from({ length: 5001 }, () => queue.take())).toEqual([...keys, undefined])
})

test('retries wait twice as long each time, up to 1000 s, and start anew after forget', async () => {
  const clock = createFakeClock()
  const queue = createWorkQueue({ clock, random: () => 1 })
  for (const wait of [5, 10, 20, 40]) {
    queue.retry('a')
    await clock.advance(wait - 1)
    expect(queue.take()).toBeUndefined()
    await clock.advance(1)
    expect(queue.take()).toBe('a')
    queue.done('a')
  }
  queue.forget('a')
  expect(queue.retries('a')).toBe(0)
  for (let count = 0; count < 40; count++) queue.retry('b')
  queue.retry('c')
  await clock.advance(1_000_000)
  expect([queue.take(), queue.take()].sort()).toEqual(['b', 'c'])
})

test('the earliest of several delays counts', async () => {
  const clock = createFakeClock()
  const queue = createWorkQueue({ clock })
  queue.addAfter('a', 100)
  queue.addAfter('a', 10)
  queue.addAfter('a', 50)
  await clock.advance(10)
  expect(queue.take()).toBe('a')
  queue.done('a')
  await clock.advance(1000)
  expect(queue.take()).toBeUndefined()
})

test('a closed queue keeps and takes nothing', async () => {
  const clock = createFakeClock()
  const queue = createWorkQueue({ clock })
  queue.add('a')
  queue.addAfter('b', 10)
  queue.close()
  queue.add('c')
  await clock.advance(100)
  expect(queue.take()).toBeUndefined()
  expect(clock.pending).toBe(0)
})

test('metrics hear of depth, waiting and work', async () => {
  const clock = createFakeClock()
  const seen: string[] = []
  const queue = createWorkQueue({
    clock,
    metrics: {
      added: (depth) => seen.push(`added ${depth}`),
      started: (ms) => seen.push(`started ${ms}`),
      finished: (ms) => seen.push(`finished ${ms}`),
    },
  })
  queue.add('a')
  await clock.advance(3)
  queue.take()
  await clock.advance(4)
  queue.done('a')
  expect(seen).toEqual(['added 1', 'started 3', 'finished 4'])
})
