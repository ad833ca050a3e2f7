import type { ClientHttp2Session } from 'node:http2'

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: T
}

const patienceMs = 120_000

/**
 * What is there and what changes, as a watch tells it. Ends when the caller stops asking.
 * @param path of a collection, perhaps with a query
 * @throws when nothing happens for two minutes
 */
export async function* watchEvents<T>(session: ClientHttp2Session, path: string): AsyncGenerator<WatchEvent<T>> {
  const stream = session.request({ ':path': `${path}${path.includes('?') ? '&' : '?'}watch=true` })
  stream.setTimeout(patienceMs, () => stream.destroy(new Error(`${path}: nothing happened for ${patienceMs} ms`)))
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) yield JSON.parse(line) as WatchEvent<T>
  }
}

interface Node {
  metadata: { name: string }
  status?: { conditions?: { type: string; status: string }[] }
}

/** Resolves when so many nodes are ready. */
export async function nodesReady(session: ClientHttp2Session, count: number): Promise<void> {
  const ready = new Set<string>()
  for await (const { object } of watchEvents<Node>(session, '/api/v1/nodes')) {
    const isReady = object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
    if (isReady) ready.add(object.metadata.name)
    if (ready.size >= count) return
  }
}
