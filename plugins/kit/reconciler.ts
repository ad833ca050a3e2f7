import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import { isConflict } from '@keelson/client'
import type { Clock } from './clock.ts'
import type { Reconcile, WorkQueue } from './types.ts'
import { createWorkQueue, type QueueMetrics } from './work-queue.ts'

const brand = Symbol.for('keelson.dev/TerminalError')

/** Thrown by a reconciler when only an edit of the object can help: the key is not retried. */
export class TerminalError extends Error {
  readonly [brand] = true

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TerminalError'
  }
}

export function isTerminal(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (brand in at) return true
  return false
}

export interface ReconcilerOptions {
  /** Names it in logs. */
  name: string
  log: Logger
  reconcile: Reconcile
  /** Keys worked on at once; default 5. */
  concurrency?: number
  /** No key is started once it aborts. */
  signal: AbortSignal
  clock?: Clock
  random?: () => number
  metrics?: QueueMetrics
}

export interface Reconciler extends WorkQueue {
  /** Resolves once `signal` has aborted and no reconcile is under way. */
  readonly stopped: Promise<void>
}

/**
 * Calls `reconcile` for each key added, retrying with backoff what throws. A key is never worked on twice at the same
 * time; a key added while it is worked on is worked on again afterwards.
 */
export function runReconciler(options: ReconcilerOptions): Reconciler {
  const { name, log, reconcile, concurrency = 5, signal, clock, random, metrics } = options
  const queue = createWorkQueue({ clock, random, metrics, onReady: schedulePump })
  const stopped = Promise.withResolvers<void>()
  let running = 0
  let isPumpScheduled = false

  /** Keys added in one turn of the loop start together, after the handlers that added them. */
  function schedulePump(): void {
    if (isPumpScheduled) return
    isPumpScheduled = true
    queueMicrotask(() => {
      isPumpScheduled = false
      pump()
    })
  }

  function pump(): void {
    while (running < concurrency && !signal.aborted) {
      const key = queue.take()
      if (key === undefined) return
      running++
      void work(key).finally(() => {
        running--
        queue.done(key)
        if (signal.aborted && running === 0) stopped.resolve()
        schedulePump()
      })
    }
  }

  async function work(key: string): Promise<void> {
    try {
      const result = await reconcile(key, signal)
      queue.forget(key)
      if (result) queue.addAfter(key, result.requeueAfterMs)
    } catch (error) {
      if (!signal.aborted) fail(key, error)
    }
  }

  function fail(key: string, error: unknown): void {
    const keys = { reconciler: name, key, retries: queue.retries(key), error }
    if (isTerminal(error)) {
      log.error('reconcile gave up', keys)
      queue.forget(key)
      return
    }
    if (isConflict(error)) log.debug('reconcile met a newer object', keys)
    else log.warn('reconcile failed', keys)
    queue.retry(key)
  }

  function stop(): void {
    queue.close()
    if (running === 0) stopped.resolve()
  }
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })

  return { add: queue.add, addAfter: queue.addAfter, stopped: stopped.promise }
}
