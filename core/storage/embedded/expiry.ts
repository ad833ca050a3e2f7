/** Deletes keys whose time to live is over: one timer, set for the key that expires next. */
import type { Clock } from '#core/clock.ts'
import type { KeyIndex, KeyVersion } from './key-index.ts'

/** So that a jump of the clock is noticed within a minute. */
const longestSleepMs = 60_000
/** After a deletion that failed, or is still on its way. */
const retryMs = 1_000
const deletionsAtOnce = 500

export class Expiry implements Disposable {
  readonly #index: KeyIndex
  readonly #clock: Clock
  readonly #expire: (version: KeyVersion) => void
  #cancel: (() => void) | undefined
  #wakesAt = Number.POSITIVE_INFINITY

  /** @param expire deletes a key; it is called again after a while if the key then still exists */
  constructor(index: KeyIndex, clock: Clock, expire: (version: KeyVersion) => void) {
    this.#index = index
    this.#clock = clock
    this.#expire = expire
  }

  /** To be called when the index has changed. */
  reschedule(): void {
    const next = this.#index.nextExpiry()
    if (next !== undefined && next < this.#wakesAt) this.#sleepUntil(next)
  }

  [Symbol.dispose](): void {
    this.#cancel?.()
  }

  #sleepUntil(time: number): void {
    this.#cancel?.()
    const now = this.#clock.now()
    const delayMs = Math.min(Math.max(time - now, 0), longestSleepMs)
    this.#wakesAt = now + delayMs
    this.#cancel = this.#clock.after(delayMs, () => this.#wake())
  }

  #wake(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    const due = this.#index.expired(now, deletionsAtOnce)
    for (const version of due) {
      if (this.#index.latest(version.key)?.revision === version.revision) this.#expire(version)
    }
    const next = this.#index.nextExpiry()
    if (next !== undefined) this.#sleepUntil(due.length > 0 ? now + retryMs : next)
  }
}
