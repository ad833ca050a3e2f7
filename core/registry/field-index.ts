import { ResourceIndex } from '#core/constraints/resource-index.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'

/**
 * Has a cache find objects by fields that are extracted of them. An index is made when a field is first asked for: until all
 * objects are in it, whoever asks looks at all.
 */
export function indexFields(cache: ResourceCache, fields: readonly string[]): void {
  const indexes = new Map<string, ResourceIndex<CacheEntry>>()
  cache.lookup = (field, value) => {
    if (!fields.includes(field)) return undefined
    const index = indexes.get(field) ?? newIndex(cache, field)
    indexes.set(field, index)
    return index.isReady ? index.keysWith(0, value) : undefined
  }
}

function newIndex(cache: ResourceCache, field: string): ResourceIndex<CacheEntry> {
  const valuesOf = (entry: CacheEntry) => [entry.field(field, cache.extract)].flat()
  return new ResourceIndex(cache, [{ valuesOf }], (entry) => entry)
}
