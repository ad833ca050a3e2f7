import { backoffMs } from './backoff.ts'
import { type Clock, systemClock } from './clock.ts'
import type { WorkQueue } from './types.ts'

/** What a queue tells whoever measures it. */
export interface QueueMetrics {
  /** A key came in; `depth` keys are waiting now. */
  added?(depth: number): void
  /** A key was taken after waiting. */
  started?(waitedMs: number): void
  finished?(workedMs: number): void
  retried?(): void
}

export interface WorkQueueOptions {
  clock?: Clock
  random?: () => number
  metrics?: QueueMetrics
  /** Called when a key can be taken. */
  onReady?: () => void
}

/** A WorkQueue from the side of who works on it. Between `take` and `done` a key is not given out again. */
export interface KeyQueue extends WorkQueue {
  /** The key that waited longest, or undefined when none waits. */
  take(): string | undefined
  /** Ends the work on a key; added meanwhile, it waits again. */
  done(key: string): void
  /** Adds the key after a delay that doubles each time until `forget`: 5 ms to 1000 s, as client-go's. */
  retry(key: string): void
  forget(key: string): void
  /** How often `retry` was called since `forget`. */
  retries(key: string): number
  /** Drops what waits and takes nothing more. */
  close(): void
  readonly depth: number
}

const retryBackoff = { firstMs: 5, lastMs: 1_000_000 }

export function createWorkQueue(options: WorkQueueOptions = {}): KeyQueue {
  const { clock = systemClock, random = Math.random, metrics = {}, onReady } = options
  const waiting = createFifo()
  const waitingSince = new Map<string, number>()
  const workingSince = new Map<string, number>()
  const addedMeanwhile = new Set<string>()
  const failures = new Map<string, number>()
  const delayed = new Map<string, { dueAt: number; cancel: () => void }>()
  let isClosed = false

  function enqueue(key: string): void {
    if (waitingSince.has(key)) return
    waitingSince.set(key, clock.elapsed())
    waiting.push(key)
    metrics.added?.(waitingSince.size)
    onReady?.()
  }

  function add(key: string): void {
    if (isClosed) return
    if (workingSince.has(key)) addedMeanwhile.add(key)
    else enqueue(key)
  }

  function addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) add(key)
    else if (!isClosed) delay(key, delayMs)
  }

  /** The earliest of several delays counts. */
  function delay(key: string, delayMs: number): void {
    const dueAt = clock.elapsed() + delayMs
    const pending = delayed.get(key)
    if (pending && pending.dueAt <= dueAt) return
    pending?.cancel()
    const cancel = clock.schedule(delayMs, () => {
      delayed.delete(key)
      add(key)
    })
    delayed.set(key, { dueAt, cancel })
  }

  return {
    add,
    addAfter,
    take() {
      const key = waiting.shift()
      if (key === undefined) return undefined
      const now = clock.elapsed()
      metrics.started?.(now - waitingSince.get(key)!)
      waitingSince.delete(key)
      workingSince.set(key, now)
      return key
    },
    done(key) {
      const since = workingSince.get(key)
      if (since === undefined) return
      metrics.finished?.(clock.elapsed() - since)
      workingSince.delete(key)
      if (addedMeanwhile.delete(key) && !isClosed) enqueue(key)
    },
    retry(key) {
      const count = (failures.get(key) ?? 0) + 1
      failures.set(key, count)
      metrics.retried?.()
      addAfter(key, backoffMs(count, { ...retryBackoff, random }))
    },
    forget: (key) => void failures.delete(key),
    retries: (key) => failures.get(key) ?? 0,
    close() {
      isClosed = true
      for (const { cancel } of delayed.values()) cancel()
      delayed.clear()
      waiting.clear()
      waitingSince.clear()
    },
    get depth() {
      return waitingSince.size
    },
  }
}

/** First in, first out in constant time, which Array.shift is not when the array is long. */
function createFifo() {
  let items: string[] = []
  let head = 0
  return {
    push: (item: string) => void items.push(item),
    shift(): string | undefined {
      const item = items[head]
      if (item === undefined) return undefined
      head++
      if (head > 1024 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
    clear() {
      items = []
      head = 0
    },
  }
}
