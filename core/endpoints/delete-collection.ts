import { isNotFound } from '#core/errors/status-error.ts'
import { nameOfKey } from '#core/registry/resource-store.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import { readDeleteOptions } from './delete.ts'
import { type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { replyList, selectCurrent } from './list.ts'
import { parseListOptions } from './list-options.ts'
import { selectionOf } from './selection.ts'

/** How many objects are deleted at the same time: enough to fill the store's group commits. */
const concurrency = 64

/**
 * DELETE of a collection: every object selected, each as if deleted by itself; with a limit, no more than that at once.
 * Answers with what was there.
 */
export async function deleteCollection(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { served, store } = request
  const selection = selectionOf(request)
  const { limit, continue: token } = parseListOptions(request.exchange.query)
  const after = token ? decodeContinue(token, selection.keyPrefix).after : ''
  const { options, dryRun } = await readDeleteOptions(request)
  const context = { ...writeContext(request), dryRun, options: () => ({ ...options }) }
  const { revision } = request.cacher
  const { entries, more } = await selectCurrent(served, selection, limit, after)
  const waiting = entries.map((entry) => entry.key)
  const worker = async () => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      try {
        await store.delete(served, nameOfKey(key), options, context)
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, worker))
  const last = entries.at(-1)?.key ?? ''
  await replyList(request, entries, more ? { revision, continue: encodeContinue({ revision, after: last }) } : {})
}
