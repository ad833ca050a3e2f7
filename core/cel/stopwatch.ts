/** What counts of a pause between two looks at the clock: that the process had to wait is no fault of what is timed. */
const maxPauseMs = 5

/** Counts the milliseconds that something takes which looks at it often: a clock for the deadline of a `Budget`. */
export class Stopwatch {
  readonly #clock: () => number
  #last: number
  #elapsed = 0

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
    this.#last = clock()
  }

  readonly now = (): number => {
    const now = this.#clock()
    this.#elapsed += Math.min(now - this.#last, maxPauseMs)
    this.#last = now
    return this.#elapsed
  }
}
