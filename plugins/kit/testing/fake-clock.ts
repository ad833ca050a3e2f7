import type { Clock } from '../clock.ts'

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Runs what falls due, in order, letting promises settle after each. */
  advance(ms: number): Promise<void>
  /** Timers that wait. */
  readonly pending: number
}

export function createFakeClock(start = Date.parse('2026-01-01T00:00:00Z')): FakeClock {
  const timers = new Set<{ dueAt: number; run: () => void }>()
  let now = start

  function nextDue(until: number) {
    let next: { dueAt: number; run: () => void } | undefined
    for (const timer of timers) {
      if (timer.dueAt <= until && (!next || timer.dueAt < next.dueAt)) next = timer
    }
    return next
  }

  return {
    now: () => now,
    elapsed: () => now,
    schedule(delayMs, run) {
      const timer = { dueAt: now + Math.max(delayMs, 0), run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    async advance(ms) {
      const until = now + ms
      await settle()
      for (let timer = nextDue(until); timer; timer = nextDue(until)) {
        timers.delete(timer)
        now = Math.max(now, timer.dueAt)
        timer.run()
        await settle()
      }
      now = until
    },
    get pending() {
      return timers.size
    },
  }
}

/** Lets everything that waits on promises alone run until it waits for something else. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}
