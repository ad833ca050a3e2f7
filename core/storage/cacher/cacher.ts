import { setTimeout as sleep } from 'node:timers/promises'
import { spliceResourceVersion } from '#core/machinery/canonical.ts'
import {
  isShared,
  type Storage,
  StorageError,
  type StorageWatch,
  type StoredList,
  type StoreEvent,
} from '../storage.ts'
import { Dispatcher } from './dispatcher.ts'
import { CacheEntry, type Change, type ExtractFacts } from './entry.ts'
import { ResourceCache } from './resource-cache.ts'
import { Slabs } from './slab.ts'

const registryPrefix = '/registry/'
/** Larger pages leave holes in the malloc heap that nothing fills again: 40 MB more for 100,000 objects. */
const loadPageSize = 500

/**
 * So many revisions before its start a cache knows as well: watches go on behind a restart of the server. Every page that
 * is loaded looks at them all.
 */
const historyRevisions = 1_024

/** How long a request waits for the cache after the store has handed everything over. */
const catchUpMs = 5_000
const reloadEveryMs = 500

const noFacts: ExtractFacts = () => ({ labels: {}, fields: {} })

/**
 * Everything that is stored, in memory, as bytes: one watch of the store feeds a cache for each resource. Reads and
 * watches are served from here. A write that this server's store has acknowledged is in the cache; of what others have
 * written to a shared store one knows after `synced`.
 */
export class Cacher implements AsyncDisposable {
  readonly #storage: Storage
  readonly #resources = new Map<string, ResourceCache>()
  readonly #dispatcher = new Dispatcher()
  readonly #slabs = new Slabs()
  readonly #waiting = new Set<{ revision: number; resolve: () => void }>()
  #watch: StorageWatch | undefined
  #revision = 0
  #loadedAt = 0
  #failure: StorageError | undefined
  #isClosed = false

  /** Resolves once all that anybody was acknowledged before the call is here; absent when that is always so. */
  readonly synced: (() => Promise<void>) | undefined
  /** Rejects when the store is gone for good: what is here can be read, but nothing comes any more. */
  readonly lost: Promise<never>
  readonly #lose: (error: StorageError) => void

  private constructor(storage: Storage) {
    this.#storage = storage
    const { promise, reject } = Promise.withResolvers<never>()
    this.lost = promise
    this.#lose = reject
    // Nobody has to listen.
    promise.catch(() => {})
    if (isShared(storage)) this.synced = async () => this.#catchUp(await storage.synced())
  }

  /** Loads the store's state and follows it from there. */
  static async start(storage: Storage): Promise<Cacher> {
    const cacher = new Cacher(storage)
    await cacher.#load()
    return cacher
  }

  /** Loads an earlier state, and what has happened since as it happened. */
  async #load(): Promise<void> {
    const storage = this.#storage
    // Of a shared store, one that its watches have come to: they need not hear of the latest.
    const latest = await (isShared(storage) ? storage.synced() : storage.currentRevision())
    const earlier = Math.max(1, latest - historyRevisions)
    const take = (resource: string, entry: CacheEntry) => this.resource(resource).load(entry)
    this.#revision = await this.#read(take, earlier < latest ? earlier : undefined)
    this.#follow()
    await Promise.race([this.reached(latest), this.lost])
  }

  /**
   * Hands over everything that is stored at one revision, in pages.
   * @param wanted the revision, unless it is forgotten; absent: the latest
   * @returns the revision
   */
  async #read(take: (resource: string, entry: CacheEntry) => void, wanted?: number): Promise<number> {
    let page = await this.#firstPage(wanted)
    const { revision } = page
    this.#loadedAt = revision
    for (;;) {
      for (const { key, value, modRevision } of page.items) {
        const at = splitKey(key)
        if (at) take(at.resource, this.#entryOf(at.key, value, modRevision))
      }
      if (!page.more) return revision
      const after = page.items[page.items.length - 1]!.key
      page = await this.#storage.list(registryPrefix, { limit: loadPageSize, after, revision })
    }
  }

  async #firstPage(revision: number | undefined): Promise<StoredList> {
    try {
      return await this.#storage.list(registryPrefix, {
        limit: loadPageSize,
        ...(revision !== undefined && { revision }),
      })
    } catch (error) {
      if (revision === undefined || !(error instanceof StorageError) || error.code !== 'Compacted') throw error
      return this.#firstPage(undefined)
    }
  }

  #follow(): void {
    this.#watch = this.#storage.watch(registryPrefix, this.#revision, {
      onEvents: (events) => this.#apply(events),
      onProgress: (revision) => this.#advance(revision),
      onEnd: (error) => {
        this.#failure = error
        if (error.code === 'Compacted') void this.#reload()
        else if (!this.#isClosed) this.#lose(error)
      },
    })
  }

  /** What happened meanwhile is not known any more: reads everything anew, and so does whoever watches. */
  async #reload(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const stored = new Map<string, CacheEntry[]>()
        const revision = await this.#read((resource, entry) => {
          const entries = stored.get(resource)
          if (entries) entries.push(entry)
          else stored.set(resource, [entry])
        })
        this.#replace(stored, revision)
        return
      } catch {
        await sleep(reloadEveryMs, undefined, { ref: false })
      }
    }
  }

  #replace(stored: ReadonlyMap<string, CacheEntry[]>, revision: number): void {
    if (this.#isClosed) return
    for (const name of new Set([...this.#resources.keys(), ...stored.keys()])) {
      this.resource(name).replace(stored.get(name) ?? [], revision)
    }
    this.#failure = undefined
    this.#revision = 0
    this.#advance(revision)
    this.#follow()
  }

  async #catchUp(revision: number): Promise<void> {
    if (this.#revision >= revision) return
    try {
      await this.reached(revision, AbortSignal.timeout(catchUpMs))
    } catch (cause) {
      const message = `revision ${revision} has not come, the cache is at ${this.#revision}`
      throw new StorageError('Unreachable', message, { cause })
    }
  }

  /** The revision everything here is at. */
  get revision(): number {
    return this.#revision
  }

  /** Why the cache no longer follows the store, when it does not. */
  get failure(): StorageError | undefined {
    return this.#failure
  }

  /** @param resource `group/resource`, `core` for the core group; made on first use */
  resource(resource: string): ResourceCache {
    let cache = this.#resources.get(resource)
    if (!cache) {
      cache = new ResourceCache(this.#loadedAt, this.#dispatcher, noFacts)
      this.#resources.set(resource, cache)
    }
    return cache
  }

  resources(): Iterable<[string, ResourceCache]> {
    return this.#resources
  }

  /** Queues a chunk for one subscriber behind everything that is already on its way to it. */
  deliverInOrder(chunk: Buffer, to: { deliver(chunk: Buffer): void }): void {
    this.#dispatcher.enqueueLast(chunk, to)
  }

  /** Resolves when the cache has reached `revision`, or rejects when `signal` aborts. */
  async reached(revision: number, signal?: AbortSignal): Promise<void> {
    if (this.#revision >= revision) return
    signal?.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const waiting = { revision, resolve }
      this.#waiting.add(waiting)
      signal?.addEventListener(
        'abort',
        () => {
          this.#waiting.delete(waiting)
          reject(signal.reason)
        },
        { once: true },
      )
    })
  }

  #apply(events: readonly StoreEvent[]): void {
    const touched = new Map<ResourceCache, Change[]>()
    for (const event of events) {
      const at = splitKey(event.key)
      if (!at) continue
      const cache = this.resource(at.resource)
      const entry = this.#entryOf(at.key, event.value, event.revision)
      const change =
        event.type === 'put' ? cache.put(entry, event.createRevision === event.revision) : cache.remove(entry)
      if (!change) continue
      const changes = touched.get(cache)
      if (changes) changes.push(change)
      else touched.set(cache, [change])
    }
    const last = events[events.length - 1]
    for (const [cache, changes] of touched) cache.publish(changes)
    if (last) this.#advance(last.revision)
  }

  #entryOf(key: string, value: Buffer, revision: number): CacheEntry {
    const bytes = spliceResourceVersion(value, revision, (length) => this.#slabs.take(length))
    return this.#slabs.house(new CacheEntry(key, bytes, revision))
  }

  #advance(revision: number): void {
    if (revision > this.#revision) this.#revision = revision
    for (const waiting of this.#waiting) {
      if (waiting.revision > this.#revision) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#watch?.stop()
  }
}

const tilde = 0x7e

/** `/registry/apps/deployments/default/web` -> `apps/deployments`, `default/web`; undefined for what is no object. */
function splitKey(key: string): { resource: string; key: string } | undefined {
  if (key.charCodeAt(registryPrefix.length) === tilde) return undefined
  const group = key.indexOf('/', registryPrefix.length)
  const resource = key.indexOf('/', group + 1)
  if (group < 0 || resource < 0) return undefined
  return { resource: key.slice(registryPrefix.length, resource), key: key.slice(resource + 1) }
}

/** The store's key of an object. @param group empty for the core group @param key `namespace/name` or `name` */
export function storageKey(group: string, resource: string, key: string): string {
  return `${registryPrefix}${group || 'core'}/${resource}/${key}`
}

export { StorageError }
