/** Something that may happen so many times at once, and so many times a second in the long run. */
export class TokenBucket {
  readonly #burst: number
  readonly #perSecond: number
  readonly #now: () => number
  #tokens: number
  #filled: number

  /** @param now milliseconds of a clock that only goes forward */
  constructor(burst: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#now = now
    this.#tokens = burst
    this.#filled = now()
  }

  /** @returns false when it has happened too often */
  take(): boolean {
    if (this.#tokens < 1) this.#fill()
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  #fill(): void {
    const now = this.#now()
    const earned = ((now - this.#filled) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + earned)
    this.#filled = now
  }
}
