import { setImmediate } from 'node:timers/promises'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { ValueIndex } from './value-index.ts'

/** What an index keeps of each object. */
export interface Column<T> {
  /** Without repetitions. */
  valuesOf(object: T): string[]
}

/** So many objects are read before the event loop gets a turn. */
const sliceLength = 100

/**
 * Follows the cache of one resource and knows which objects have which values, in several columns. Many objects are read in
 * slices at the beginning, so that no request waits for all of them. `T` is what the columns need of an object.
 */
export class ResourceIndex<T> {
  /** Resolves once every object is known; from then on an object is known as soon as it is in the cache. */
  readonly ready: Promise<void>
  readonly #cache: ResourceCache
  readonly #columns: readonly { column: Column<T>; values: ValueIndex }[]
  readonly #read: (entry: CacheEntry) => T
  readonly #unfollow: () => void
  /** Objects that changed while the others were still being read. */
  #changed: Set<string> | undefined = new Set()
  #isStopped = false

  constructor(cache: ResourceCache, columns: readonly Column<T>[], read: (entry: CacheEntry) => T) {
    this.#cache = cache
    this.#columns = columns.map((column) => ({ column, values: new ValueIndex() }))
    this.#read = read
    this.#unfollow = cache.onChange(({ type, entry }) => {
      this.#changed?.add(entry.key)
      if (type === 'DELETED') this.#forget(entry.key)
      else this.#take(entry)
    })
    this.ready = this.#load()
  }

  get isReady(): boolean {
    return this.#changed === undefined
  }

  /** In order; not to be changed, and good for this turn only. @param column its place in the list */
  keysWith(column: number, value: string): readonly string[] {
    return this.#columns[column]!.values.keysWith(value)
  }

  stop(): void {
    this.#isStopped = true
    this.#unfollow()
  }

  async #load(): Promise<void> {
    const { entries } = this.#cache.list('')
    for (let at = 0; at < entries.length && !this.#isStopped; at++) {
      if (at > 0 && at % sliceLength === 0) await setImmediate()
      const entry = entries[at]!
      if (!this.#changed!.has(entry.key)) this.#take(entry)
    }
    this.#changed = undefined
  }

  #take(entry: CacheEntry): void {
    const object = this.#read(entry)
    for (const { column, values } of this.#columns) values.set(entry.key, column.valuesOf(object))
  }

  #forget(key: string): void {
    for (const { values } of this.#columns) values.set(key, [])
  }
}
