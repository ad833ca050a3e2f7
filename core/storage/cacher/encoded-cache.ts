import type { CacheEntry } from './entry.ts'

/** Node cuts small buffers from pieces that those of passing requests share, and so would keep their memory too. */
const pieceBytes = 256 * 1024

interface Generation {
  bytes: number
  /** What is left of the memory taken last. */
  room: Buffer
  forms: Map<object, WeakMap<CacheEntry, Buffer>>
}

/**
 * Objects in an encoding other than the one they are stored in, for as long as they are asked for: of two generations the
 * older is dropped when the younger one is full. What is used again moves to the younger.
 */
export class EncodedCache {
  readonly #generationBytes: number
  #young: Generation = newGeneration()
  #old: Generation = newGeneration()

  constructor(limitBytes: number) {
    this.#generationBytes = limitBytes / 2
  }

  /** @param form which of an entry's encodings */
  get(form: object, entry: CacheEntry): Buffer | undefined {
    const young = this.#young.forms.get(form)?.get(entry)
    if (young) return young
    const old = this.#old.forms.get(form)?.get(entry)
    return old && this.add(form, entry, old)
  }

  /** @returns a copy that stays as it is */
  add(form: object, entry: CacheEntry, bytes: Buffer): Buffer {
    if (this.#young.bytes + bytes.length > this.#generationBytes) {
      this.#old = this.#young
      this.#young = newGeneration()
    }
    const generation = this.#young
    const copy = take(generation, bytes.length)
    copy.set(bytes)
    let entries = generation.forms.get(form)
    if (!entries) generation.forms.set(form, (entries = new WeakMap()))
    entries.set(entry, copy)
    generation.bytes += copy.length
    return copy
  }

  clear(): void {
    this.#young = newGeneration()
    this.#old = newGeneration()
  }
}

function newGeneration(): Generation {
  return { bytes: 0, room: Buffer.alloc(0), forms: new Map() }
}

function take(generation: Generation, length: number): Buffer {
  if (length > pieceBytes / 4) return Buffer.allocUnsafeSlow(length)
  if (length > generation.room.length) generation.room = Buffer.allocUnsafeSlow(pieceBytes)
  const taken = generation.room.subarray(0, length)
  generation.room = generation.room.subarray(length)
  return taken
}
