import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { ContainerEvent } from '@keelson/apis/plugin/v1/cri.ts'
import type { Engine } from './engine.ts'
import { messageOf } from './engine.ts'
import { labels, selectorTerms } from './naming.ts'

const types = {
  create: 'CONTAINER_CREATED_EVENT',
  start: 'CONTAINER_STARTED_EVENT',
  die: 'CONTAINER_STOPPED_EVENT',
  destroy: 'CONTAINER_DELETED_EVENT',
} as const

const longestPauseMs = 5_000

/**
 * The engine's events about pods, for as long as `signal` lets; reconnects with growing pauses up to five seconds.
 * @param own labels without which a container is none of ours
 */
export async function* dockerEvents(
  engine: Engine,
  own: Readonly<Record<string, string>>,
  signal: AbortSignal,
): AsyncGenerator<ContainerEvent> {
  for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    let why = 'the event stream ended'
    try {
      const source = await openEvents(engine, own, signal)
      pauseMs = 100
      yield { type: 'RESYNC' }
      for await (const line of linesOf(source)) {
        const event = parseEvent(line)
        if (event) yield event
      }
    } catch (error) {
      why = messageOf(error)
    }
    if (signal.aborted) return
    yield { type: 'UNAVAILABLE', message: `docker: ${why}` }
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

function openEvents(engine: Engine, own: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Readable> {
  const filters = { type: ['container'], event: Object.keys(types), label: [labels.podUid, ...selectorTerms(own)] }
  return engine.stream('/events', { filters }, signal)
}

async function* linesOf(source: Readable): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of source.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter(Boolean)
  }
}

interface DockerEvent {
  Action: string
  timeNano: number
  Actor: { ID: string; Attributes: Record<string, string> }
}

export function parseEvent(line: string): ContainerEvent | undefined {
  const { Action, Actor, timeNano } = JSON.parse(line) as DockerEvent
  if (!Object.hasOwn(types, Action)) return undefined
  return {
    type: types[Action as keyof typeof types],
    containerId: Actor.ID,
    podUid: Actor.Attributes[labels.podUid] ?? '',
    createdAtMs: Math.floor(timeNano / 1e6),
  }
}
