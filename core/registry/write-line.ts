/**
 * Lines up those who write the same key. A first try needs no place in the line; who met a conflict takes one, and so does
 * who comes while others stand there: a hundred writers of one object then cost a hundred tries, not ten thousand.
 */
export class WriteLine {
  /** The end of each line. */
  readonly #last = new Map<string, Promise<unknown>>()
  /** Writes handed to the store whose outcome is not known yet. */
  readonly #underway = new Map<string, Promise<unknown>>()

  isFormed(key: string): boolean {
    return this.#last.has(key)
  }

  /** Runs `action` once all who came before are done, whether they succeeded or not. */
  async take<T>(key: string, action: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const mine = settled(before).then(action)
    const end = settled(mine)
    this.#last.set(key, end)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === end) this.#last.delete(key)
    }
  }

  /** Hands a write to the store, and lets `whenWritten` know of it. */
  async write<T>(key: string, start: () => Promise<T>): Promise<T> {
    const written = start()
    // A write that conflicts is over at once: the one it conflicts with is still what others wait for.
    const end = settled(Promise.all([this.#underway.get(key), settled(written)]))
    this.#underway.set(key, end)
    void end.then(() => {
      if (this.#underway.get(key) === end) this.#underway.delete(key)
    })
    return written
  }

  /** Resolves when all writes of the key that were under way have succeeded or failed. */
  async whenWritten(key: string): Promise<void> {
    await this.#underway.get(key)
  }
}

function settled(promise: Promise<unknown> | undefined): Promise<void> {
  return Promise.resolve(promise).then(
    () => {},
    () => {},
  )
}
