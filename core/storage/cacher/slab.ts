const slabBytes = 64 * 1024

/**
 * Memory for buffers that stay. Node cuts small buffers from pieces that all share: one that stays among those of a passing
 * request keeps their memory too, which makes a cache three times as large as what is in it.
 */
export class Slab {
  #slab = Buffer.alloc(0)
  #used = 0

  /** @returns so many bytes with anything in them */
  take(length: number): Buffer {
    if (length > slabBytes / 4) return Buffer.allocUnsafeSlow(length)
    if (this.#used + length > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes)
      this.#used = 0
    }
    return this.#slab.subarray(this.#used, (this.#used += length))
  }
}
