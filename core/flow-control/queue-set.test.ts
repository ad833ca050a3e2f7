import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '#core/testing/manual-clock.ts'
import { QueueSet, type Queuing, Seat } from './queue-set.ts'
import { type Asked, ask, flowIn, seats, settled } from './testing/fake-flow.ts'

const waitLimitMs = 15_000
const queuing = { queues: 64, handSize: 6, queueLengthLimit: 50 }

function open(limit: number, options: { queuing?: Queuing } = { queuing }) {
  const clock = new ManualClock(0)
  return { clock, set: new QueueSet({ clock, waitLimitMs, limit, ...options }) }
}

const runs = ({ result }: Asked) => result instanceof Seat
const leave = ({ result }: Asked) => (result as Seat).leave()

test('requests enter at once while there are seats', () => {
  const { set } = open(3)
  const asked = Array.from({ length: 3 }, () => ask(set, flowIn(set, 'a'), seats(1)))
  expect(asked.every(runs)).toBe(true)
  expect([set.seatsInUse, set.executing, set.waiting]).toEqual([3, 3, 0])
})

test('a request that finds no seat waits for one, first come, first served', async () => {
  const { set } = open(1)
  const flow = flowIn(set, 'a')
  const [first, second, third] = [ask(set, flow, seats(1)), ask(set, flow, seats(1)), ask(set, flow, seats(1))]
  expect([second.result, third.result, set.waiting]).toEqual([undefined, undefined, 2])
  leave(first)
  await settled()
  expect([runs(second), third.result]).toEqual([true, undefined])
})

test('a queue that is full refuses', () => {
  const { set } = open(1, { queuing: { queues: 1, handSize: 1, queueLengthLimit: 2 } })
  const flow = flowIn(set, 'a')
  const results = Array.from({ length: 4 }, () => ask(set, flow, seats(1)).result)
  expect(results.slice(1)).toEqual([undefined, undefined, 'queue-full'])
})

test('without queues what does not fit is refused', () => {
  const { set } = open(1, {})
  ask(set, flowIn(set, 'a'), seats(1))
  expect(ask(set, flowIn(set, 'b'), seats(1)).result).toBe('concurrency-limit')
})

test('who waits too long is refused, and holds nobody up any more', async () => {
  const { set, clock } = open(2)
  const running = ask(set, flowIn(set, 'a'), seats(1))
  const wide = ask(set, flowIn(set, 'a'), seats(2))
  clock.advance(1_000)
  const behind = ask(set, flowIn(set, 'a'), seats(1))
  expect(behind.result).toBeUndefined()
  clock.advance(waitLimitMs - 1_000)
  await settled()
  expect([wide.result, runs(behind), runs(running)]).toEqual(['time-out', true, true])
  expect(clock.pending).toBe(0)
})

test('who goes away leaves the queue', async () => {
  const { set, clock } = open(1)
  ask(set, flowIn(set, 'a'), seats(1))
  const waiting = ask(set, flowIn(set, 'b'), seats(1))
  waiting.goAway()
  await settled()
  expect([waiting.result, set.waiting, clock.pending]).toEqual(['cancelled', 0, 0])
})

test('who is gone already does not wait', async () => {
  const { set } = open(1)
  ask(set, flowIn(set, 'a'), seats(1))
  expect(await set.enter(flowIn(set, 'b'), seats(1), (leave) => leave())).toBe('cancelled')
  expect(set.waiting).toBe(0)
})

test('a request wider than the level runs alone', async () => {
  const { set } = open(2)
  const small = ask(set, flowIn(set, 'a'), seats(1))
  const wide = ask(set, flowIn(set, 'b'), seats(5))
  expect(wide.result).toBeUndefined()
  leave(small)
  await settled()
  expect([runs(wide), set.seatsInUse]).toEqual([true, 5])
  expect(ask(set, flowIn(set, 'a'), seats(1)).result).toBeUndefined()
})

test('seats for what comes after a request are given back after it', () => {
  const { set, clock } = open(10)
  leave(ask(set, flowIn(set, 'a'), { seats: 1, finalSeats: 4, finalMs: 20 }))
  expect([set.executing, set.seatsInUse]).toEqual([0, 4])
  clock.advance(20)
  expect([set.seatsInUse, set.isIdle]).toEqual([0, true])
})

test('a higher limit lets those run who wait', async () => {
  const { set } = open(1)
  const asked = Array.from({ length: 4 }, () => ask(set, flowIn(set, 'a'), seats(1)))
  set.limit = 3
  await settled()
  expect(asked.map(runs)).toEqual([true, true, true, false])
})

test('who waits in a queue that is configured away still gets his turn', async () => {
  const { set } = open(1)
  const asked = ['a', 'b', 'c'].map((name) => ask(set, flowIn(set, name), seats(1)))
  set.configure(undefined)
  expect(ask(set, flowIn(set, 'd'), seats(1)).result).toBe('concurrency-limit')
  for (const one of asked) {
    leave(one)
    await settled()
  }
  expect(set.isIdle).toBe(true)
})

/** Runs one request after another for `turns` turns, and says whose they were. */
async function turnsOf(clock: ManualClock, asked: Asked[], turns: number, ms = 10): Promise<string[]> {
  const order: string[] = []
  while (order.length < turns) {
    const running = asked.filter(runs)
    clock.advance(ms)
    for (const one of running) {
      asked.splice(asked.indexOf(one), 1)
      order.push(one.flow.distinguisher)
      leave(one)
    }
    await settled()
    if (running.length === 0) break
  }
  return order
}

test('a flow of few requests goes before the crowd of another', async () => {
  const { set, clock } = open(2)
  const noisy = flowIn(set, 'noisy')
  const asked = Array.from({ length: 200 }, () => ask(set, noisy, seats(1)))
  asked.push(ask(set, flowIn(set, 'quiet'), seats(1)))
  const order = await turnsOf(clock, asked, 10)
  expect(order).toContain('quiet')
  // Behind those that run, and at most one from each queue of the crowd.
  expect(order.indexOf('quiet')).toBeLessThan(2 + queuing.handSize)
})

test('flows that always want more get the same work done, however wide their requests are', async () => {
  const { set, clock } = open(4, { queuing: { ...queuing, handSize: 1 } })
  const wide = flowIn(set, 'wide')
  const narrow = flowIn(set, 'narrow')
  const asked: Asked[] = []
  for (let turn = 0; turn < 40; turn++) asked.push(ask(set, wide, seats(4)), ask(set, narrow, seats(1)))
  const order = await turnsOf(clock, asked, 40)
  const count = (name: string) => order.filter((one) => one === name).length
  // Four seats against one: a wide request for four narrow ones.
  expect(count('narrow') / count('wide')).toBeGreaterThan(3)
  expect(count('narrow') / count('wide')).toBeLessThan(5)
})

test('a flow that was idle has saved nothing up', async () => {
  const { set, clock } = open(1)
  const busy = flowIn(set, 'busy')
  const asked = Array.from({ length: 30 }, () => ask(set, busy, seats(1)))
  await turnsOf(clock, asked, 15)
  const late = flowIn(set, 'late')
  for (let count = 0; count < 15; count++) asked.push(ask(set, late, seats(1)))
  const order = await turnsOf(clock, asked, 10)
  expect(order.filter((one) => one === 'busy').length).toBeGreaterThanOrEqual(4)
})

type Step =
  | { do: 'ask'; flow: number; seats: number; finalSeats: number }
  | { do: 'leave'; which: number }
  | { do: 'go away'; which: number }
  | { do: 'wait'; ms: number }
  | { do: 'limit'; seats: number }
  | { do: 'configure'; queues: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      flow: fc.nat(4),
      seats: fc.integer({ min: 1, max: 4 }),
      finalSeats: fc.nat(2),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(20) }) },
  fc.record({ do: fc.constant('go away' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.nat(6_000) }),
  fc.record({ do: fc.constant('limit' as const), seats: fc.integer({ min: 0, max: 8 }) }),
  fc.record({ do: fc.constant('configure' as const), queues: fc.integer({ min: 1, max: 8 }) }),
)

test('whatever happens: no more seats than there are, nobody lost, first come first served within a queue', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const { set, clock } = open(4, { queuing: { queues: 4, handSize: 2, queueLengthLimit: 3 } })
      const asked: Asked[] = []
      const left = new Set<Asked>()
      let enteredAboveLimit = 0
      const perform = (one: Step) => {
        switch (one.do) {
          case 'ask': {
            const { limit, seatsInUse } = set
            const width = Math.max(one.seats, one.finalSeats)
            const entry = ask(set, flowIn(set, `${one.flow}`), {
              seats: one.seats,
              finalSeats: one.finalSeats,
              finalMs: 5,
            })
            if (runs(entry) && seatsInUse + width > Math.max(limit, width)) enteredAboveLimit++
            return asked.push(entry)
          }
          case 'leave': {
            const running = asked.filter((entry) => runs(entry) && !left.has(entry))
            const leaving = running[one.which % Math.max(1, running.length)]
            if (!leaving) return
            left.add(leaving)
            return leave(leaving)
          }
          case 'go away': {
            const waiting = asked.filter(({ result }) => result === undefined)
            return waiting[one.which % Math.max(1, waiting.length)]?.goAway()
          }
          case 'wait':
            return clock.advance(one.ms)
          case 'limit':
            set.limit = one.seats
            return
          case 'configure':
            return set.configure({ queues: one.queues, handSize: 2, queueLengthLimit: 3 })
        }
      }
      for (const one of steps) {
        perform(one)
        await settled()
        expect(set.executing).toBe(asked.filter((entry) => runs(entry) && !left.has(entry)).length)
        expect(set.waiting).toBe(asked.filter(({ result }) => result === undefined).length)
        for (const { waiting } of set.inspect()) {
          const arrivals = waiting.map(({ arrivedAt }) => arrivedAt)
          expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b))
        }
      }
      expect(enteredAboveLimit).toBe(0)
      set.limit = 4
      for (let guard = 0; guard < 200 && !set.isIdle; guard++) {
        for (const entry of asked) {
          if (!runs(entry) || left.has(entry)) continue
          left.add(entry)
          leave(entry)
        }
        clock.advance(5)
        await settled()
      }
      expect(set.isIdle).toBe(true)
      expect(asked.every(({ result }) => result !== undefined)).toBe(true)
      expect(clock.pending).toBe(0)
    }),
    { numRuns: 150 },
  )
})
