import type { KubeObject, Status } from '@keelson/apis/meta/v1/types.ts'
import type { Client } from '@keelson/client'

export interface RawEvent {
  type: string
  object: KubeObject & Partial<Status> & Record<string, unknown>
}

/** One watch connection, event by event. */
export interface WatchReader extends AsyncDisposable {
  /** The next event; undefined once the server has ended the watch. */
  next(): Promise<RawEvent | undefined>
  /** Skips to the first event that `accepts`. @throws when the watch ends before */
  find(accepts: (event: RawEvent) => boolean): Promise<RawEvent>
}

/** Opens a watch at an escaped path with query. The server has accepted it when this resolves. */
export async function openWatch(client: Client, path: string, signal: AbortSignal): Promise<WatchReader> {
  const closing = new AbortController()
  const chunks = await client.stream({ method: 'GET', path, signal: AbortSignal.any([signal, closing.signal]) })
  const events = parseEvents(chunks)
  const next = async () => {
    const { done, value } = await events.next()
    return done ? undefined : value
  }
  return {
    next,
    async find(accepts) {
      for (let event = await next(); event; event = await next()) if (accepts(event)) return event
      throw new Error('the watch ended before the event came')
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await events.return(undefined).catch(() => {})
    },
  }
}

async function* parseEvents(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawEvent> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as RawEvent
  }
}
