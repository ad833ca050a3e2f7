import type { BackoffLimits, RestartBackoff } from './model.ts'

/**
 * When a container that ended may start again. The first restart is immediate; each further one waits twice as long as the
 * one before, from `initialMs` to `maxMs`; a container that ran for twice `maxMs` starts over. All pure.
 */

/** Milliseconds since 1970; in the past or now when it may start at once. */
export function restartAtMs(backoff: RestartBackoff | undefined, finishedAtMs: number, limits: BackoffLimits): number {
  return backoff && !isForgotten(backoff, finishedAtMs, limits) ? finishedAtMs + backoff.delayMs : finishedAtMs
}

/** The state to remember when a container that ended at `finishedAtMs` is started again at `nowMs`. */
export function nextBackoff(
  backoff: RestartBackoff | undefined,
  finishedAtMs: number,
  nowMs: number,
  limits: BackoffLimits,
): RestartBackoff {
  if (!backoff || isForgotten(backoff, finishedAtMs, limits)) return { delayMs: limits.initialMs, updatedAtMs: nowMs }
  return { delayMs: Math.min(limits.maxMs, backoff.delayMs * 2), updatedAtMs: nowMs }
}

const isForgotten = (backoff: RestartBackoff, finishedAtMs: number, { maxMs }: BackoffLimits) =>
  finishedAtMs - backoff.updatedAtMs > 2 * maxMs

/** As Go prints durations: `10s`, `1m20s`, `5m0s`. */
export function formatDelay(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
