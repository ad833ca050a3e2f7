import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiAccess } from '@keelson/apis/plugin/v1/host.ts'
import { type Connection, type ConnectionOptions, dial } from './connection.ts'
import { ConnectionError } from './errors.ts'

/**
 * The connections of one client: one, unless the server limits the streams of a connection and the limit is reached.
 * Broken ones are replaced when somebody asks next; dials that fail are spaced by exponential backoff with jitter.
 */
export interface ConnectionPool {
  /** Sends over a connection with room for one more request. @throws ConnectionError also when the dial it waited for failed */
  send: Connection['send']
  close(): void
}

const firstBackoffMs = 50
const lastBackoffMs = 5_000

export function createPool(access: ApiAccess, options: ConnectionOptions): ConnectionPool {
  let connections: Connection[] = []
  let dialing: Promise<void> | undefined
  let failures = 0
  let lastFailureAt = 0
  const closing = new AbortController()

  async function dialNext(): Promise<void> {
    const waitMs = lastFailureAt + backoffMs(failures) - performance.now()
    if (failures > 0 && waitMs > 0) await sleep(waitMs, undefined, { signal: closing.signal })
    try {
      const connection = await dial(access, options)
      if (closing.signal.aborted) return connection.close()
      connections.push(connection)
      failures = 0
    } catch (error) {
      failures++
      lastFailureAt = performance.now()
      throw error
    }
  }

  function dialOnce(): Promise<void> {
    dialing ??= dialNext().finally(() => {
      dialing = undefined
    })
    return dialing
  }

  return {
    async send(headers, body, signal) {
      for (;;) {
        if (closing.signal.aborted) throw new ConnectionError('the client is closed', { isUnsent: true })
        connections = connections.filter((connection) => connection.usable)
        const free = connections.find((connection) => connection.hasRoom)
        if (free) return free.send(headers, body, signal)
        await abortable(dialOnce(), signal)
      }
    },
    close() {
      closing.abort(new ConnectionError('the client is closed', { isUnsent: true }))
      for (const connection of connections) connection.close()
    },
  }
}

const backoffMs = (failures: number) =>
  Math.min(lastBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 16)) * (0.5 + Math.random() / 2)

/** Waits for `work`, which goes on without the caller when `signal` aborts first. */
export function abortable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
