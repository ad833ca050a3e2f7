import type { ResourceRequest } from './endpoint.ts'
import { parseRevision } from './list-options.ts'
import { reach } from './reach.ts'
import { replyObject } from './reply.ts'

/** GET of one object: its bytes as they stand in the cache. */
export function get(request: ResourceRequest): void | Promise<void> {
  const revision = wantedRevision(request)
  return revision > request.cacher.revision ? getAt(request, revision) : getNow(request)
}

async function getAt(request: ResourceRequest, revision: number): Promise<void> {
  await reach(request.cacher, revision)
  await getNow(request)
}

function getNow(request: ResourceRequest): void | Promise<void> {
  const { store, served, info } = request
  const shown = served.show(store.get(served.resource, info))
  if (shown instanceof Promise) return shown.then(({ bytes }) => replyObject(request, 200, bytes))
  return replyObject(request, 200, shown.bytes)
}

/** The state asked for may be newer than this revision, not older. The query is parsed only where it may say so. */
function wantedRevision({ exchange }: ResourceRequest): number {
  if (!exchange.target.includes('resourceVersion=')) return 0
  return parseRevision(exchange.query.get('resourceVersion') ?? '')
}
