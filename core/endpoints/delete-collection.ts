import { isNotFound } from '#core/errors/status-error.ts'
import { nameOfKey } from '#core/registry/resource-store.ts'
import { readDeleteOptions } from './delete.ts'
import { type ResourceRequest, requireNamespace, writeContext } from './endpoint.ts'
import { replyList } from './list.ts'
import { selectionOf } from './selection.ts'

/** How many objects are deleted at the same time: enough to fill the store's group commits. */
const concurrency = 64

/** DELETE of a collection: every object selected, each as if deleted by itself. Answers with what was there. */
export async function deleteCollection(request: ResourceRequest): Promise<void> {
  requireNamespace(request)
  const { served, store } = request
  const selection = selectionOf(request)
  const { options, dryRun } = await readDeleteOptions(request)
  const context = { ...writeContext(request), dryRun }
  const { cache } = served.resource
  const { matches } = selection
  const { entries } = cache.list(selection.keyPrefix, matches && ((entry) => matches(entry, cache.extract)))
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
  await replyList(request, entries, {})
}
