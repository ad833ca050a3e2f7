import { newBadRequest, newModified } from '#core/errors/status-error.ts'
import { readBody } from './body.ts'
import { type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { replyObject } from './reply.ts'

/** PUT: replaces an object, or one half of it through its status subresource. */
export async function update(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { info, served, store, exchange } = request
  const context = writeContext(request)
  const body = await readBody(exchange, context)
  if (body === undefined) throw newBadRequest('the body of the request is empty: send the whole object')
  const isConditional = hasResourceVersion(body)
  // What is stored is made of the body in place, so another try needs the body as it came.
  const original = isConditional ? undefined : structuredClone(body)
  let tries = 0
  const change = () => {
    if (tries++ === 0) return body
    if (isConditional) throw newModified(served.resource.definition, info.name)
    return structuredClone(original)
  }
  await replyObject(request, 200, await store.update(served, info, info.subresource, change, context))
}

/** With one, the first conflict is final. */
function hasResourceVersion(body: unknown): boolean {
  return Boolean((body as { metadata?: { resourceVersion?: unknown } } | null)?.metadata?.resourceVersion)
}
