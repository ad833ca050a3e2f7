import { expect, test } from 'vitest'
import { formatDelay, nextBackoff, restartAtMs } from './restart-backoff.ts'

const limits = { initialMs: 10_000, maxMs: 300_000 }

test('restarts wait twice as long each time, up to the limit, and start over after a long run', () => {
  let backoff: ReturnType<typeof nextBackoff> | undefined
  let nowMs = 0
  const waits = Array.from({ length: 8 }, () => {
    const atMs = restartAtMs(backoff, nowMs, limits)
    const wait = atMs - nowMs
    backoff = nextBackoff(backoff, nowMs, atMs, limits)
    nowMs = atMs + 1
    return wait
  })
  expect(waits).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  const muchLater = nowMs + 2 * limits.maxMs
  expect(restartAtMs(backoff, muchLater, limits)).toBe(muchLater)
  expect(nextBackoff(backoff, muchLater, muchLater, limits).delayMs).toBe(10_000)
})

test.each([
  [20, '20ms'],
  [10_000, '10s'],
  [80_000, '1m20s'],
  [300_000, '5m0s'],
])('%d ms is written %s', (ms, want) => expect(formatDelay(ms)).toBe(want))
