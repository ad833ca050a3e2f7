import { hostname } from 'node:os'
import { type Event, events } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import { type Client, type DeepReadonly, isNotFound } from '@keelson/client'
import { type Clock, formatTime, systemClock } from './clock.ts'
import type { EventRecorder } from './types.ts'

export interface EventRecorderOptions {
  clock?: Clock
  log?: Logger
  /** Events waiting to be sent; what comes when it is full is dropped. Default 1000. */
  limit?: number
}

/** Repeats within this time are counted on the Event that is there already. */
const repeatWindowMs = 60_000
const longestMessage = 1024

interface Repeated {
  name: string
  namespace: string
  count: number
  firstAt: number
  lastAt: number
}

/** Sends Events in the background, one after the other. Events about objects of cluster scope go to `default`. */
export function createEventRecorder(
  client: Client,
  component: string,
  options: EventRecorderOptions = {},
): EventRecorder {
  const { clock = systemClock, log, limit = 1000 } = options
  const queue: (() => Promise<void>)[] = []
  /** In order of last use, so that the first ones are the oldest. */
  const recent = new Map<string, Repeated>()
  let isSending = false
  let serial = 0

  function enqueue(send: () => Promise<void>): void {
    if (queue.length >= limit) {
      log?.warn('event dropped: too many are waiting', { component })
      return
    }
    queue.push(send)
    if (!isSending) void sendAll()
  }

  async function sendAll(): Promise<void> {
    isSending = true
    for (let send = queue.shift(); send; send = queue.shift()) {
      await send().catch((error) => log?.debug('event not recorded', { component, error }))
    }
    isSending = false
  }

  /** Unique without asking the server: the moment, and a number for those of the same moment. */
  function nameFor(object: DeepReadonly<KubeObject>): string {
    serial = (serial + 1) % 1_000_000
    const moment = BigInt(clock.now()) * 1_000_000n + BigInt(serial)
    return `${(object.metadata.name ?? '').slice(0, 230)}.${moment.toString(16)}`
  }

  function noteRepeat(key: string, object: DeepReadonly<KubeObject>): Repeated {
    const now = clock.now()
    for (const [oldest, { lastAt }] of recent) {
      if (now - lastAt <= repeatWindowMs) break
      recent.delete(oldest)
    }
    const namespace = object.metadata.namespace || 'default'
    const known = recent.get(key) ?? { name: nameFor(object), namespace, count: 0, firstAt: now, lastAt: now }
    const next = { ...known, count: known.count + 1, lastAt: now }
    recent.delete(key)
    recent.set(key, next)
    return next
  }

  return {
    event(object, type, reason, message) {
      const text = message.slice(0, longestMessage)
      const { uid, resourceVersion } = object.metadata
      const repeated = noteRepeat(
        JSON.stringify([uid ?? '', object.kind, object.metadata.name, type, reason, text]),
        object,
      )
      const whole = (): Event => ({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: repeated.name, namespace: repeated.namespace },
        involvedObject: {
          apiVersion: object.apiVersion,
          kind: object.kind,
          name: object.metadata.name,
          namespace: object.metadata.namespace,
          uid,
          resourceVersion,
        },
        type,
        reason,
        message: text,
        count: repeated.count,
        firstTimestamp: formatTime(repeated.firstAt),
        lastTimestamp: formatTime(repeated.lastAt),
        source: { component },
        reportingComponent: component,
        reportingInstance: hostname(),
      })
      enqueue(() => send(client, repeated, whole))
    },
  }
}

async function send(client: Client, { name, namespace, count, lastAt }: Repeated, whole: () => Event): Promise<void> {
  const resource = client.resource(events).in(namespace)
  try {
    if (count === 1) await resource.create(whole())
    else await resource.patch(name, { type: 'merge', body: { count, lastTimestamp: formatTime(lastAt) } })
  } catch (error) {
    if (count === 1 || !isNotFound(error)) throw error
    await resource.create(whole())
  }
}
