import type { ResourceRequest } from './endpoint.ts'
import { replyObject } from './reply.ts'

/** GET of one object: its bytes as they stand in the cache. */
export function get(request: ResourceRequest): void | Promise<void> {
  const { store, served, info } = request
  const entry = store.get(served.resource, info)
  return replyObject(request, 200, served.encode(entry))
}
