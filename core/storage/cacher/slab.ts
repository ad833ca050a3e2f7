import type { CacheEntry } from './entry.ts'

const slabBytes = 1024 * 1024

/** A piece of memory that many entries share. */
export class Slab {
  readonly memory: Buffer
  /** Everyone who was ever given a place here, until the slab is cleared. */
  tenants: CacheEntry[] = []
  #heldBytes = 0
  readonly #onSparse: (slab: Slab) => void

  constructor(memory: Buffer, onSparse: (slab: Slab) => void) {
    this.memory = memory
    this.#onSparse = onSparse
  }

  get isSparse(): boolean {
    return this.#heldBytes < this.memory.length / 2
  }

  occupy(length: number): void {
    this.#heldBytes += length
  }

  vacate(length: number): void {
    this.#heldBytes -= length
    if (this.isSparse) this.#onSparse(this)
  }
}

/**
 * Memory for the bytes of entries. Node cuts small buffers from pieces that all share: one that stays among those of a passing
 * request would keep their memory, too, which makes a cache three times as large as what is in it. And as an object that
 * stays shares its slab with states of others that do not, a slab of which less than half is still held is cleared: who
 * is held there moves. So the slabs are never much more than twice what is held.
 */
export class Slabs {
  #current = this.#newSlab(0)
  #used = 0

  /** @returns so many bytes with anything in them, to be filled and handed to `house` before the next are taken */
  take(length: number): Buffer {
    if (length > slabBytes / 4) return Buffer.allocUnsafeSlow(length)
    if (this.#used + length > this.#current.memory.length) this.#begin()
    return this.#current.memory.subarray(this.#used, (this.#used += length))
  }

  /** Gives an entry its place: the bytes it was made of are those taken last. */
  house(entry: CacheEntry): CacheEntry {
    const start = this.#used - entry.length
    if (entry.length > slabBytes / 4) return entry
    entry.moveTo(this.#current, start)
    this.#current.tenants.push(entry)
    return entry
  }

  #begin(): void {
    const full = this.#current
    this.#current = this.#newSlab(slabBytes)
    this.#used = 0
    if (full.isSparse) this.#clear(full)
  }

  #newSlab(length: number): Slab {
    return new Slab(Buffer.allocUnsafeSlow(length), (slab) => this.#clear(slab))
  }

  #clear(slab: Slab): void {
    // It may yet fill.
    if (slab === this.#current) return
    const { tenants } = slab
    slab.tenants = []
    for (const entry of tenants) {
      if (!entry.isHeld) continue
      entry.bytes.copy(this.take(entry.length))
      this.house(entry)
    }
  }
}
