import { newBadRequest } from '#core/errors/status-error.ts'
import { readBody } from './body.ts'
import { type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { replyObject } from './reply.ts'

/** POST to a collection: stores a new object. */
export async function create(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const context = writeContext(request)
  const body = await readBody(request.exchange, context)
  if (body === undefined) throw newBadRequest('the body of the request is empty: send the object to create')
  const bytes = await request.store.create(request.served, request.info.namespace, body, context)
  await replyObject(request, 201, bytes)
}
