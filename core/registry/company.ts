import { type Clock, monotonicClock } from '#core/clock.ts'

/** So many together cost each hardly more than more of them would: they wait no longer, and hold nobody up. */
const enough = 32

/**
 * Lets writes that can wait be done together, while many of them come: code and data are warm for all but the first, and
 * they share one way to the disk. One that comes alone does not wait.
 */
export class Company {
  readonly #waitMs: number
  readonly #clock: Clock
  /** When the last one came. */
  #last = Number.NEGATIVE_INFINITY
  #waiting = 0
  #round: Promise<void> | undefined
  #leave = () => {}

  /** @param waitMs how long any of them may wait */
  constructor(waitMs: number, clock: Clock = monotonicClock) {
    this.#waitMs = waitMs
    this.#clock = clock
  }

  /** @returns undefined when a write is to go on at once */
  join(): Promise<void> | undefined {
    const now = this.#clock.now()
    const isAlone = now - this.#last >= this.#waitMs
    this.#last = now
    if (isAlone) return undefined
    this.#round ??= this.#begin()
    const round = this.#round
    if (++this.#waiting === enough) this.#leave()
    return round
  }

  #begin(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(this.#waitMs, () => this.#leave())
    this.#leave = () => {
      cancel()
      this.#round = undefined
      this.#waiting = 0
      resolve()
    }
    return promise
  }
}
