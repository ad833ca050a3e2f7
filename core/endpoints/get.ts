import type { ResourceRequest } from './endpoint.ts'
import { replyObject } from './reply.ts'

/** GET of one object: its bytes as they stand in the cache. */
export async function get(request: ResourceRequest): Promise<void> {
  const { store, served, info } = request
  const entry = store.get(served.resource, info)
  await replyObject(request, 200, served.encode(entry))
}
