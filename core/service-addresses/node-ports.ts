import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { encodeObject, reviveObject } from '#core/machinery/canonical.ts'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { type Storage, StorageError } from '#core/storage/storage.ts'
import { candidates, type Random, staticBand } from './candidates.ts'
import { type Holder, isSameHolder, Unavailable } from './holder.ts'

/** Both ends included. */
export interface PortRange {
  first: number
  last: number
}

/** A port that is taken. */
export interface PortRecord extends UnstructuredObject {
  holder: Holder
}

const group = 'ranges'
const resource = 'servicenodeports'
const band = { part: 32n, most: 128n }

/**
 * The ports that services have on every node. Kubernetes serves no object for them; each that is taken is a key of the
 * store beside those of the resources, and creating it is what takes it: of several servers over one store, one succeeds.
 */
export class NodePorts {
  readonly #storage: Storage
  readonly #cache: ResourceCache
  readonly #range: PortRange
  readonly #random: Random
  readonly #now: () => number

  constructor(options: {
    storage: Storage
    caches: { resource(name: string): ResourceCache }
    range: PortRange
    random: Random
    now: () => number
  }) {
    this.#storage = options.storage
    this.#cache = options.caches.resource(`${group}/${resource}`)
    this.#range = options.range
    this.#random = options.random
    this.#now = options.now
  }

  /** Takes one port. @throws Unavailable when somebody has it, or it is out of range */
  async take(port: number, holder: Holder, dryRun: boolean): Promise<number> {
    const { first, last } = this.#range
    if (port < first || port > last) {
      const range = `The range of valid ports is ${first}-${last}`
      throw new Unavailable(`provided port is not in the valid range. ${range}`)
    }
    const isFree = dryRun ? !this.#isTaken(port) : await this.record(port, holder)
    if (!isFree) throw new Unavailable('provided port is already allocated')
    return port
  }

  /**
   * Takes any port.
   * @param except those that a dry run has chosen already
   * @throws Unavailable when none is left
   */
  async takeAny(holder: Holder, dryRun: boolean, except: ReadonlySet<number>): Promise<number> {
    const size = BigInt(this.#range.last - this.#range.first + 1)
    for (const offset of candidates(size, staticBand(size, band), this.#random)) {
      const port = this.#range.first + Number(offset)
      if (this.#isTaken(port) || except.has(port)) continue
      if (dryRun || (await this.record(port, holder))) return port
    }
    throw new Unavailable('range is full')
  }

  #isTaken(port: number): boolean {
    return this.#cache.get(String(port)) !== undefined
  }

  /** @returns false when somebody has it already */
  async record(port: number, { namespace, name }: Holder): Promise<boolean> {
    const record: PortRecord = {
      apiVersion: 'keelson.dev/v1',
      kind: 'NodePort',
      metadata: { name: String(port), creationTimestamp: new Date(this.#now()).toISOString() },
      holder: { namespace, name },
    }
    try {
      await this.#storage.create(storageKey(group, resource, String(port)), encodeObject(record, record, ''))
      return true
    } catch (error) {
      if (error instanceof StorageError && error.code === 'KeyExists') return false
      throw error
    }
  }

  /** Lets go of a port that this holder has. */
  async release(port: number, holder: Holder): Promise<void> {
    const entry = this.#cache.get(String(port))
    if (entry && isSameHolder(parse(entry).holder, holder)) await this.remove(entry)
  }

  /** Removes exactly this record. */
  async remove({ key, revision }: CacheEntry): Promise<void> {
    try {
      await this.#storage.delete(storageKey(group, resource, key), revision)
    } catch (error) {
      const isGone = error instanceof StorageError && (error.code === 'KeyNotFound' || error.code === 'Conflict')
      if (!isGone) throw error
    }
  }

  /** Every port that is taken. */
  records(): { entry: CacheEntry; record: PortRecord }[] {
    return this.#cache.list('').entries.map((entry) => ({ entry, record: parse(entry) }))
  }
}

function parse(entry: CacheEntry): PortRecord {
  return reviveObject(entry.bytes) as PortRecord
}
