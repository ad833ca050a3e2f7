/** Time as the kit takes it, so that tests can own it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds on a clock that nobody sets: for measuring how long something lasted. */
  elapsed(): number
  /** Calls `run` once, at least `delayMs` later. Returns what cancels it. */
  schedule(delayMs: number, run: () => void): () => void
}

/** The longest delay a Node timer keeps. */
const longestDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, Math.min(delayMs, longestDelayMs))
    return () => clearTimeout(timer)
  },
}

/** Resolves `delayMs` later, or at once when `signal` aborts; it never rejects. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = () => {
      cancel()
      signal?.removeEventListener('abort', finish)
      resolve()
    }
    const cancel = clock.schedule(delayMs, finish)
    signal?.addEventListener('abort', finish, { once: true })
  })
}

/** Resolves when `signal` aborts: the last line of most components. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** RFC 3339 with whole seconds, as `metav1.Time` is written. */
export { rfc3339 as formatTime } from '@keelson/apis/meta/v1/time.ts'

/** RFC 3339 with microseconds, as `metav1.MicroTime` is written. */
export const formatMicroTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')
