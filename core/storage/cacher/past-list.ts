import type { CacheEntry } from './entry.ts'
import type { ListedEntries, ResourceCache } from './resource-cache.ts'

export interface PastList extends ListedEntries {
  /** How many objects lay behind the listed ones; absent where `matches` would have to look at them all. */
  remaining?: number
}

export interface PastListOptions {
  /** `namespace/` or empty. */
  keyPrefix: string
  matches?: (entry: CacheEntry) => boolean
  /** 0 for all. */
  limit: number
  /** Keys up to this one are left out; empty for none. */
  after: string
}

/**
 * A resource's objects as they were at a revision, in key order: what is there now, with the changes since taken back.
 * @returns undefined when not all changes since are known any more
 */
export function listPast(cache: ResourceCache, revision: number, options: PastListOptions): PastList | undefined {
  const changes = cache.changesAfter(revision)
  if (!changes) return undefined
  const { keyPrefix, matches, limit, after } = options
  const changed = new Map<string, CacheEntry | undefined>()
  for (const { entry, previous } of changes.toReversed()) {
    if (entry.key.startsWith(keyPrefix) && entry.key > after) changed.set(entry.key, previous)
  }
  const fits = (entry: CacheEntry) => matches?.(entry) ?? true
  const unchanged = cache.list(keyPrefix, (entry) => !changed.has(entry.key) && fits(entry), limit, after)
  const restored = [...changed.values()].filter((entry) => entry !== undefined && fits(entry)) as CacheEntry[]
  const all = [...unchanged.entries, ...restored].sort((a, b) => (a.key < b.key ? -1 : 1))
  const entries = limit ? all.slice(0, limit) : all
  if (entries.length === all.length && !unchanged.more) return { entries, more: false }
  return {
    entries,
    more: true,
    ...(!matches && { remaining: countPast(cache, changed, keyPrefix, entries.at(-1)!.key) }),
  }
}

function countPast(
  cache: ResourceCache,
  changed: ReadonlyMap<string, CacheEntry | undefined>,
  keyPrefix: string,
  after: string,
): number {
  let count = cache.countAfter(keyPrefix, after)
  for (const [key, past] of changed) {
    if (key <= after) continue
    if (past) count++
    if (cache.get(key)) count--
  }
  return count
}
