import { setImmediate } from 'node:timers/promises'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { encodeObject, headOf, ownersText, reviveObject, spliceResourceVersion } from '#core/machinery/canonical.ts'
import type { CompiledSchema } from '#core/schema/compile.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import { RenamedEntry } from '#core/storage/cacher/renamed-entry.ts'
import { converted } from './converted-cache.ts'
import type { Converter } from './converter.ts'

/** What one version of a resource needs to know to show objects that are stored in others. */
export interface VersionParts {
  kind: string
  apiVersion: string
  converter: Converter
  /** Whether an entry is as today's schema of its own version would have it: pruned, with all defaults. */
  isCurrent(entry: CacheEntry): boolean
  /** An entry turned out to be so. */
  noteCurrent(entry: CacheEntry): void
  /** True for an entry whose bytes are what the version shows. */
  showsAsStored(entry: CacheEntry): boolean
  /** The schema of a version of the resource; undefined where objects are not judged by one, or there is no such version. */
  schemaOf(apiVersion: string): Pick<CompiledSchema, 'prune' | 'applyDefaults'> | undefined
  /** The versions of which stored objects are objects of this one as soon as they are called so. */
  renamedFrom(): readonly string[]
}

/** How many batches are under way at a time with a converter that others have to answer for. */
const concurrency = 4
/** Larger batches than this are divided, whatever the number of their objects. */
const batchBytes = 2 * 1024 * 1024
/** Others get their turn after so long. */
const turnMs = 4

/**
 * Shows stored objects in one version. What had to be converted is kept for a while, so that an object is converted once
 * for all who read it; those that are asked for together are converted in batches.
 */
export class VersionConversion {
  readonly #parts: VersionParts
  /** How objects of this version begin, and those that need no more than to begin so. */
  readonly #head: Buffer
  #renamedHeads: readonly Buffer[] | undefined
  /** What others are converting now. */
  readonly #running = new Map<CacheEntry, Promise<CacheEntry>>()

  constructor(parts: VersionParts) {
    this.#parts = parts
    this.#head = this.#headOf(parts.apiVersion)
  }

  /** An entry as the version shows it: itself where it is stored so. @throws StatusError when it cannot be converted */
  show(entry: CacheEntry): CacheEntry | Promise<CacheEntry> {
    const known = this.#known(entry) ?? this.#running.get(entry)
    if (known) return known
    const made = this.#convert([entry])
    return made instanceof Promise ? made.then(([one]) => one!) : made[0]!
  }

  /** The same for many, in their order. */
  showAll(entries: readonly CacheEntry[]): readonly CacheEntry[] | Promise<readonly CacheEntry[]> {
    const shown = entries.map((entry) => this.#known(entry))
    const missing = entries.filter((_, at) => shown[at] === undefined)
    if (missing.length === 0) return shown as CacheEntry[]
    const made = missing.length > this.#parts.converter.batchSize ? this.#convertAll(missing) : this.#convert(missing)
    return made instanceof Promise ? made.then((list) => filled(shown, list)) : filled(shown, made)
  }

  /** Objects of other versions in this one. They may be changed in place. */
  convert(
    objects: readonly UnstructuredObject[],
  ): readonly UnstructuredObject[] | Promise<readonly UnstructuredObject[]> {
    const { apiVersion, converter, schemaOf } = this.#parts
    const others = objects.filter((object) => object.apiVersion !== apiVersion)
    if (others.length === 0) return objects
    const schema = schemaOf(apiVersion)
    // An object may be changed in place, and is then no longer known by its version.
    const isOther = new Set(others)
    const merge = (list: readonly UnstructuredObject[]) => {
      for (const object of list) schema?.prune(object)
      const remaining = list.values()
      return objects.map((object) => (isOther.has(object) ? remaining.next().value! : object))
    }
    const made = converter.convert(others, apiVersion)
    return made instanceof Promise ? made.then(merge) : merge(made)
  }

  #known(entry: CacheEntry): CacheEntry | undefined {
    if (this.#parts.showsAsStored(entry)) return entry
    return this.#renamed(entry) ?? converted.get(this, entry)
  }

  /** Costs less than to remember it. */
  #renamed(entry: CacheEntry): CacheEntry | undefined {
    if (!this.#parts.isCurrent(entry)) return undefined
    if (entry.startsWith(this.#head)) return entry
    this.#renamedHeads ??= this.#parts.renamedFrom().map((apiVersion) => this.#headOf(apiVersion))
    const head = this.#renamedHeads.find((one) => entry.startsWith(one))
    return head && new RenamedEntry(entry, this.#head, head.length)
  }

  #headOf(apiVersion: string): Buffer {
    return headOf({ kind: this.#parts.kind, apiVersion })
  }

  async #convertAll(entries: readonly CacheEntry[]): Promise<CacheEntry[]> {
    const made: CacheEntry[] = []
    const batches = this.#batches(entries)
    let turnEnds = performance.now() + turnMs
    const worker = async () => {
      for (const { from, batch } of batches) {
        const list = await this.#convert(batch)
        for (let at = 0; at < list.length; at++) made[from + at] = list[at]!
        if (performance.now() < turnEnds) continue
        await setImmediate()
        turnEnds = performance.now() + turnMs
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    return made
  }

  *#batches(entries: readonly CacheEntry[]): Generator<{ from: number; batch: CacheEntry[] }> {
    const { batchSize } = this.#parts.converter
    let batch: CacheEntry[] = []
    let size = 0
    let from = 0
    for (const entry of entries) {
      if (batch.length > 0 && (batch.length === batchSize || size + entry.length > batchBytes)) {
        yield { from, batch }
        from += batch.length
        batch = []
        size = 0
      }
      batch.push(entry)
      size += entry.length
    }
    yield { from, batch }
  }

  /** Converts entries, but for those that somebody else is about to. */
  #convert(entries: readonly CacheEntry[]): readonly CacheEntry[] | Promise<readonly CacheEntry[]> {
    const running = this.#running
    const fresh = running.size === 0 ? entries : entries.filter((entry) => !running.has(entry))
    const made = this.#make(fresh)
    if (made instanceof Promise) this.#announce(fresh, made)
    else if (fresh.length === entries.length) return made
    const remaining = made instanceof Promise ? [].values() : made.values()
    return Promise.all(entries.map((entry) => running.get(entry) ?? remaining.next().value!))
  }

  /** Lets others wait for what is being converted. */
  #announce(entries: readonly CacheEntry[], made: Promise<readonly CacheEntry[]>): void {
    const one = async (at: number) => (await made)[at]!
    for (const [at, entry] of entries.entries()) this.#running.set(entry, one(at))
    const forget = () => {
      for (const entry of entries) this.#running.delete(entry)
    }
    made.then(forget, forget)
  }

  #make(entries: readonly CacheEntry[]): CacheEntry[] | Promise<CacheEntry[]> {
    const objects = entries.map((entry) => this.#revive(entry))
    const revisions = objects.map(({ metadata }) => metadata.resourceVersion)
    const finish = (list: readonly UnstructuredObject[]) =>
      entries.map((entry, at) => {
        // What was brought up to date may have been so before.
        if (this.#parts.showsAsStored(entry)) return entry
        return converted.add(this, entry, encode(list[at]!, ownersText(entry.bytes), revisions[at]))
      })
    const made = this.convert(objects)
    return made instanceof Promise ? made.then(finish) : finish(made)
  }

  /** What was stored under an older schema is brought up to today's of its own version first. */
  #revive(entry: CacheEntry): UnstructuredObject {
    const { isCurrent, noteCurrent, schemaOf } = this.#parts
    const { bytes } = entry
    const object = reviveObject(bytes)
    if (isCurrent(entry)) return object
    const schema = schemaOf(object.apiVersion)
    schema?.prune(object)
    schema?.applyDefaults(object)
    if (encode(object, ownersText(bytes), object.metadata.resourceVersion).equals(bytes)) noteCurrent(entry)
    return object
  }
}

function encode(object: UnstructuredObject, owners: string, resourceVersion: string | undefined): Buffer {
  const bytes = encodeObject(object, object, owners)
  return resourceVersion ? spliceResourceVersion(bytes, Number(resourceVersion)) : bytes
}

function filled(shown: readonly (CacheEntry | undefined)[], made: readonly CacheEntry[]): CacheEntry[] {
  const remaining = made.values()
  return shown.map((entry) => entry ?? remaining.next().value!)
}
