/** Decides how much history the store keeps by itself. */
import type { Clock } from '#core/clock.ts'

export interface RetentionOptions {
  /** History younger than this is kept, and up to twice as much. */
  historyMinutes: number
  /** More revisions than this are not kept, however young, so that a busy store does not fill the disk. */
  historyRevisions: number
}

export class Retention implements Disposable {
  readonly #options: RetentionOptions
  readonly #clock: Clock
  readonly #compact: (revision: number) => void
  #cancel: () => void
  #revision: number
  /** The revision that was the last one when the timer last fired. */
  #mark: number
  #compacted: number

  constructor(
    options: RetentionOptions,
    clock: Clock,
    start: { revision: number; compacted: number },
    compact: (revision: number) => void,
  ) {
    this.#options = options
    this.#clock = clock
    this.#compact = compact
    this.#revision = this.#mark = start.revision
    this.#compacted = start.compacted
    this.#cancel = this.#sleep()
  }

  /** To be called with each revision that has become durable. */
  observe(revision: number): void {
    this.#revision = revision
    const { historyRevisions } = this.#options
    // An eighth more than asked for, so that the floor moves seldom.
    if (revision - this.#compacted > historyRevisions * 1.125) this.#compactTo(revision - historyRevisions)
  }

  [Symbol.dispose](): void {
    this.#cancel()
  }

  #sleep(): () => void {
    return this.#clock.after(this.#options.historyMinutes * 60_000, () => {
      if (this.#mark > this.#compacted) this.#compactTo(this.#mark)
      this.#mark = this.#revision
      this.#cancel = this.#sleep()
    })
  }

  #compactTo(revision: number): void {
    this.#compacted = revision
    this.#compact(revision)
  }
}
