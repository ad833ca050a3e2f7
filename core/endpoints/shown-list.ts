import type { ServedVersion } from '#core/registry/registry.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { ListedEntries } from '#core/storage/cacher/resource-cache.ts'
import type { ResourceRequest } from './endpoint.ts'
import type { Representation } from './negotiate.ts'
import type { Selection } from './selection.ts'

/** How to find objects as they are stored, in key order. @param matches absent for all @param limit 0 for all */
export type StoredList = (
  matches: ((entry: CacheEntry) => boolean) | undefined,
  limit: number,
) => ListedEntries | Promise<ListedEntries>

/** So many objects are shown at a time to find those that a selector selects. */
const portion = 500

/**
 * The selected objects as a version shows them. Where selectors find in stored objects what they would in shown ones, only
 * what is selected has to be converted.
 * @throws StatusError when an object cannot be converted
 */
export async function listShown(
  served: ServedVersion,
  { matches, readsFields }: Pick<Selection, 'matches' | 'readsFields'>,
  limit: number,
  list: StoredList,
): Promise<{ entries: readonly CacheEntry[]; more: boolean }> {
  const { resource } = served
  if (matches && !resource.selectsStored(served, readsFields)) {
    const { entries } = await list(undefined, 0)
    return selectShown(served, matches, limit, entries)
  }
  const { extract } = resource.cache
  const found = await list(matches && ((entry) => matches(entry, extract)), limit)
  return { entries: await served.showAll(found.entries), more: found.more }
}

/** Relations between objects are the same in every version: who asks for them, and selects nothing, is shown what is stored. */
export function forRelations(
  request: ResourceRequest,
  { matches }: Selection,
  { isPlain }: Representation,
): ResourceRequest {
  return isPlain && !matches ? { ...request, served: request.served.asStored } : request
}

async function selectShown(
  served: ServedVersion,
  matches: NonNullable<Selection['matches']>,
  limit: number,
  stored: readonly CacheEntry[],
): Promise<{ entries: CacheEntry[]; more: boolean }> {
  const { extract } = served
  const entries: CacheEntry[] = []
  for (let from = 0; from < stored.length; from += portion) {
    for (const entry of await served.showAll(stored.slice(from, from + portion))) {
      if (!matches(entry, extract)) continue
      if (limit && entries.length === limit) return { entries, more: true }
      entries.push(entry)
    }
  }
  return { entries, more: false }
}
