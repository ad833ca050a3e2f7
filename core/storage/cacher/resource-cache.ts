import { createRequire } from 'node:module'
import type { Dispatcher } from './dispatcher.ts'
import { CacheEntry, Change, type ExtractFacts } from './entry.ts'
import type { Subscriber, ViewSpec, WatchView } from './watch-view.ts'
import { WatchViews } from './watch-views.ts'

// The package is CommonJS, and what its default is differs between node and the test runner.
const { default: BTree } = createRequire(import.meta.url)('sorted-btree') as typeof import('sorted-btree')

const compareKeys = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Changes kept for watches that resume; the older half goes when either bound is passed. */
const historyLimit = { changes: 8_192, bytes: 16 * 1024 * 1024 }

/** Who else hears of every batch of changes, and shows them to watchers of its own. */
export interface Relay {
  /** How many watch through it. */
  readonly watchers: number
  publish(changes: readonly Change[]): void
  end(): void
}

export interface ListedEntries {
  entries: CacheEntry[]
  more: boolean
}

/** The newest state of one resource's objects in key order, its recent changes, and who watches them. */
export class ResourceCache {
  readonly #entries = new BTree<string, CacheEntry>(undefined, compareKeys)
  /** On which everything that is said to watchers goes, in order. */
  readonly dispatcher: Dispatcher
  readonly #views: WatchViews
  readonly #relays = new Set<Relay>()
  readonly #onChange = new Set<(change: Change) => void>()
  /** The keys of the objects that have a value in a field, in order; undefined where nobody keeps an index of it. */
  lookup: ((field: string, value: string) => readonly string[] | undefined) | undefined
  #history: Change[] = []
  #historyBytes = 0
  /** Changes with greater revisions are all in the history. */
  #historyFrom: number
  #lastRevision: number
  #extract: ExtractFacts

  constructor(loadedAt: number, dispatcher: Dispatcher, extract: ExtractFacts) {
    this.#historyFrom = loadedAt
    this.#lastRevision = loadedAt
    this.#extract = extract
    this.dispatcher = dispatcher
    this.#views = new WatchViews(dispatcher, () => this.#extract)
  }

  get size(): number {
    return this.#entries.size
  }

  /** How many watch it, in whatever way. */
  get watchers(): number {
    let { watchers } = this.#views
    for (const relay of this.#relays) watchers += relay.watchers
    return watchers
  }

  /** Revision of the last change, or the one the cache was loaded at. */
  get lastRevision(): number {
    return this.#lastRevision
  }

  get extract(): ExtractFacts {
    return this.#extract
  }

  /** Set when the resource's definition is known; entries that come before it are extracted by it too. */
  set extract(extract: ExtractFacts) {
    this.#extract = extract
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key)
  }

  /** Loads one object without telling anyone: the initial state. */
  load(entry: CacheEntry): void {
    entry.hold()
    this.#entries.set(entry.key, entry)
  }

  /**
   * In key order, those that match.
   * @param keyPrefix `namespace/` or empty
   * @param after keys up to this one are left out
   * @param limit at most so many; 0 for all
   * @param equals what matches has this value in this field: where there is an index of it, no others are looked at
   */
  list(
    keyPrefix: string,
    matches?: (entry: CacheEntry) => boolean,
    limit = 0,
    after = '',
    equals?: { field: string; value: string },
  ): ListedEntries {
    const keys = matches && equals && this.lookup?.(equals.field, equals.value)
    if (keys) return this.#listAmong(keys, keyPrefix, matches, limit, after)
    const entries: CacheEntry[] = []
    let more = false
    const low = after ? `${after}\u0000` : keyPrefix
    this.#entries.forRange(low, keyPrefix ? endOf(keyPrefix) : '\uffff', false, ((_key: string, entry: CacheEntry) => {
      if (matches && !matches(entry)) return undefined
      if (limit && entries.length === limit) {
        more = true
        return { break: true }
      }
      entries.push(entry)
      return undefined
    }) as (key: string, entry: CacheEntry, counter: number) => void)
    return { entries, more }
  }

  #listAmong(
    keys: readonly string[],
    keyPrefix: string,
    matches: (entry: CacheEntry) => boolean,
    limit: number,
    after: string,
  ): ListedEntries {
    const entries: CacheEntry[] = []
    for (const key of keys) {
      if (key <= after || !key.startsWith(keyPrefix)) continue
      const entry = this.#entries.get(key)
      if (!entry || !matches(entry)) continue
      if (limit && entries.length === limit) return { entries, more: true }
      entries.push(entry)
    }
    return { entries, more: false }
  }

  /** How many objects lie behind `after`. */
  countAfter(keyPrefix: string, after: string): number {
    return this.#entries.forRange(`${after}\u0000`, keyPrefix ? endOf(keyPrefix) : '\uffff', false)
  }

  /** @param isNew the entry is the first of its key: nobody needs to look for an earlier one */
  put(entry: CacheEntry, isNew = false): Change {
    const previous = isNew ? undefined : this.#entries.get(entry.key)
    entry.hold()
    this.#entries.set(entry.key, entry)
    return this.#record(new Change(previous ? 'MODIFIED' : 'ADDED', entry, previous))
  }

  /** @param last the last state, under the revision of the deletion */
  remove(last: CacheEntry): Change | undefined {
    const previous = this.#entries.get(last.key)
    if (!previous) return undefined
    this.#entries.delete(last.key)
    return this.#record(new Change('DELETED', last, previous))
  }

  /**
   * Brings the state up to a revision of which only the state is known, not how it came about. Listeners hear of the
   * differences; watches end, and cannot be resumed from before.
   */
  replace(entries: readonly CacheEntry[], revision: number): void {
    const gone = new Map(this.#entries.entries())
    for (const entry of entries) {
      const previous = gone.get(entry.key)
      gone.delete(entry.key)
      if (previous?.revision !== entry.revision) this.put(entry)
    }
    for (const { key, bytes } of gone.values()) this.remove(new CacheEntry(key, bytes, revision))
    this.#forget(this.#history.length)
    this.#historyFrom = revision
    this.#lastRevision = revision
    this.endWatches()
  }

  /** Of the two holds the change needs, the state before brings one along: it was held as the state now. */
  #record(change: Change): Change {
    this.#lastRevision = change.revision
    change.entry.hold()
    this.#history.push(change)
    this.#historyBytes += change.entry.length
    if (this.#history.length > historyLimit.changes || this.#historyBytes > historyLimit.bytes) {
      this.#forget(Math.ceil(this.#history.length / 2))
    }
    for (const listener of this.#onChange) listener(change)
    return change
  }

  /** Lets go of the oldest changes. */
  #forget(count: number): void {
    const gone = this.#history.splice(0, count)
    this.#historyFrom = gone.at(-1)?.revision ?? this.#historyFrom
    for (const { entry, previous } of gone) {
      this.#historyBytes -= entry.length
      entry.letGo()
      previous?.letGo()
    }
  }

  /** Calls `listener` for every change from now on, in order, before any watcher hears of it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#onChange.add(listener)
    return () => this.#onChange.delete(listener)
  }

  /** The changes after `revision`, or undefined when they are no longer all known. */
  changesAfter(revision: number): Change[] | undefined {
    if (revision < this.#historyFrom) return undefined
    let start = this.#history.length
    while (start > 0 && this.#history[start - 1]!.revision > revision) start--
    return this.#history.slice(start)
  }

  /** Adds a subscriber to what comes from now on. Call `changesAfter` or `list` in the same turn for what came before. */
  subscribe(spec: ViewSpec, subscriber: Subscriber): () => void {
    return this.#views.subscribe(spec, subscriber)
  }

  /** Tells `relay` of every batch of changes from now on, behind this cache's own watchers. */
  addRelay(relay: Relay): () => void {
    this.#relays.add(relay)
    return () => this.#relays.delete(relay)
  }

  /** Ends every watch, behind what is already on its way to it: the resource is gone or is served in another way. */
  endWatches(): void {
    this.#views.end()
    for (const relay of this.#relays) relay.end()
  }

  viewOf(spec: ViewSpec): WatchView {
    return this.#views.viewOf(spec)
  }

  /** As the cacher's `deliverInOrder`. */
  deliverInOrder(chunk: Buffer, to: Pick<Subscriber, 'deliver'>): void {
    this.#views.deliverInOrder(chunk, to)
  }

  /** Sends a batch of this resource's changes to everyone whom they concern. */
  publish(changes: readonly Change[]): void {
    this.#views.publish(changes)
    for (const relay of this.#relays) relay.publish(changes)
  }
}

/** The first key behind all keys that start with `prefix`. */
function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
