import { ApiError } from '@keelson/client'
import { expect, test } from 'vitest'
import { runReconciler, TerminalError } from './reconciler.ts'
import { createFakeClock, settle } from './testing/fake-clock.ts'
import { createMemoryLog } from './testing/fake-host.ts'
import type { Reconcile } from './types.ts'

function start(reconcile: Reconcile, concurrency = 2) {
  const stopping = new AbortController()
  const clock = createFakeClock()
  const log = createMemoryLog()
  const { signal } = stopping
  const reconciler = runReconciler({ name: 'test', log, reconcile, concurrency, signal, clock, random: () => 1 })
  return { ...reconciler, clock, log, stop: () => stopping.abort() }
}

test('keys run side by side up to the limit, one key never beside itself', async () => {
  const running: string[] = []
  let most = 0
  const gates = new Map<string, () => void>()
  const { add } = start(async (key) => {
    expect(running).not.toContain(key)
    running.push(key)
    most = Math.max(most, running.length)
    await new Promise<void>((resolve) => gates.set(key, resolve))
    running.splice(running.indexOf(key), 1)
    return undefined
  })
  for (const key of ['a', 'b', 'c', 'a']) add(key)
  await settle()
  expect(running).toEqual(['a', 'b'])
  add('a')
  gates.get('a')!()
  await settle()
  expect(running).toEqual(['b', 'c'])
  gates.get('b')!()
  await settle()
  expect(running).toEqual(['c', 'a'])
  expect(most).toBe(2)
})

const conflict = new ApiError({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  code: 409,
  reason: 'Conflict',
})
const outcomes = [
  { name: 'is retried with backoff when it throws', error: new Error('no'), calls: 3, level: 'warn' },
  {
    name: 'is retried quietly after a conflict',
    error: new Error('update', { cause: conflict }),
    calls: 3,
    level: 'debug',
  },
  {
    name: 'is given up after a TerminalError',
    error: new Error('outer', { cause: new TerminalError('no') }),
    calls: 1,
    level: 'error',
  },
]
test.each(outcomes)('a key $name', async ({ error, calls, level }) => {
  let count = 0
  const { add, clock, log } = start(async () => {
    count++
    throw error
  })
  add('a')
  await clock.advance(5 + 10)
  expect(count).toBe(calls)
  expect(log.lines[0]!.level).toBe(level)
})

test('a key comes again when its reconciler asks for it', async () => {
  let count = 0
  const { add, clock } = start(async () => (++count < 3 ? { requeueAfterMs: 1000 } : undefined))
  add('a')
  await clock.advance(999)
  expect(count).toBe(1)
  await clock.advance(10_000)
  expect(count).toBe(3)
})

test('stopped resolves when the last reconcile has ended', async () => {
  let finish = () => {}
  let hasStopped = false
  const { add, stop, stopped } = start(() => new Promise((resolve) => (finish = () => resolve(undefined))))
  void stopped.then(() => (hasStopped = true))
  add('a')
  await settle()
  stop()
  add('b')
  await settle()
  expect(hasStopped).toBe(false)
  finish()
  await stopped
})
