import { EncodedCache } from '#core/storage/cacher/encoded-cache.ts'
import { CacheEntry } from '#core/storage/cacher/entry.ts'

/** What objects look like in versions they are not stored in, for as long as they are asked for. */
export class ConvertedCache {
  readonly #encoded: EncodedCache
  /** The entry of the bytes that are kept. */
  readonly #entries = new WeakMap<Buffer, CacheEntry>()

  constructor(limitBytes: number) {
    this.#encoded = new EncodedCache(limitBytes)
  }

  /** @param version by which entries are known: one for each way to show them */
  get(version: object, entry: CacheEntry): CacheEntry | undefined {
    const bytes = this.#encoded.get(version, entry)
    return bytes && this.#entryOf(entry, bytes)
  }

  /** @param bytes the object in that version, canonical */
  add(version: object, entry: CacheEntry, bytes: Buffer): CacheEntry {
    return this.#entryOf(entry, this.#encoded.add(version, entry, bytes))
  }

  clear(): void {
    this.#encoded.clear()
  }

  #entryOf({ key, revision }: CacheEntry, bytes: Buffer): CacheEntry {
    let entry = this.#entries.get(bytes)
    if (!entry) this.#entries.set(bytes, (entry = new CacheEntry(key, bytes, revision)))
    return entry
  }
}

/** Enough for what a few lists of thousands of objects are made of. */
const limitBytes = 32 * 1024 * 1024
export const converted = new ConvertedCache(limitBytes)

/** Forgets what was converted; it is converted anew when it is asked for. */
export function releaseConverted(): void {
  converted.clear()
}
