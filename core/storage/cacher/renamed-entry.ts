import { CacheEntry } from './entry.ts'

const nothing = Buffer.alloc(0)

/**
 * An entry whose bytes begin in another way: an object of a version that differs from the stored one in nothing but its
 * name. It has no bytes of its own until somebody asks for them; lists do not.
 */
export class RenamedEntry extends CacheEntry {
  readonly #source: CacheEntry
  readonly #head: Buffer
  /** How much of the source's bytes the head stands for. */
  readonly #skip: number
  #bytes: Buffer | undefined

  constructor(source: CacheEntry, head: Buffer, skip: number) {
    super(source.key, nothing, source.revision, source.length - skip + head.length)
    this.#source = source
    this.#head = head
    this.#skip = skip
  }

  override get bytes(): Buffer {
    this.#bytes ??= Buffer.concat([this.#head, this.#source.bytes.subarray(this.#skip)])
    return this.#bytes
  }

  override copy(target: Buffer, targetStart: number, from: number, to: number): number {
    const { length } = this.#head
    const copied = from < length ? this.#head.copy(target, targetStart, from, Math.min(to, length)) : 0
    if (to <= length) return copied
    const shift = this.#skip - length
    return copied + this.#source.copy(target, targetStart + copied, Math.max(from, length) + shift, to + shift)
  }

  override startsWith(head: Buffer): boolean {
    return this.bytes.subarray(0, head.length).equals(head)
  }
}
