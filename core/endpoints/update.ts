import { newBadRequest } from '#core/errors/status-error.ts'
import { readBody } from './body.ts'
import { type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { replyObject } from './reply.ts'

/** PUT: replaces an object, or one half of it through its status subresource. */
export async function update(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { info, served, store, exchange } = request
  const context = writeContext(request)
  const body = await readBody(exchange)
  if (body === undefined) throw newBadRequest('the body of the request is empty: send the whole object')
  let first = true
  // What is stored is made of the body in place, so another try needs the body as it came.
  const change = () => {
    const value = first ? body : structuredClone(original)
    first = false
    return value
  }
  const original = hasResourceVersion(body) ? body : structuredClone(body)
  await replyObject(request, 200, await store.update(served, info, info.subresource, change, context))
}

/** With one, the first conflict is final and no copy for another try is needed. */
function hasResourceVersion(body: unknown): boolean {
  return Boolean((body as { metadata?: { resourceVersion?: unknown } } | null)?.metadata?.resourceVersion)
}
