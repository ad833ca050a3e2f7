/** What a priority level wanted in one period, in seats. */
export interface DemandSummary {
  /** The most at any moment. */
  high: number
  /** Over time. */
  average: number
  /** Standard deviation over time. */
  deviation: number
}

/** Follows how many seats a level's requests hold or wait for. */
export class SeatDemand {
  #seats = 0
  #high = 0
  /** Seats, and their squares, integrated over the milliseconds of this period. */
  #sum = 0
  #squares = 0
  #began: number
  #at: number

  constructor(now: number) {
    this.#began = now
    this.#at = now
  }

  set(seats: number, now: number): void {
    const ms = now - this.#at
    this.#sum += this.#seats * ms
    this.#squares += this.#seats * this.#seats * ms
    this.#at = now
    this.#seats = seats
    if (seats > this.#high) this.#high = seats
  }

  /** Ends the period and begins the next. */
  take(now: number): DemandSummary {
    this.set(this.#seats, now)
    const ms = now - this.#began
    const average = ms > 0 ? this.#sum / ms : this.#seats
    const variance = ms > 0 ? this.#squares / ms - average * average : 0
    const summary = { high: this.#high, average, deviation: Math.sqrt(Math.max(0, variance)) }
    this.#high = this.#seats
    this.#sum = 0
    this.#squares = 0
    this.#began = now
    return summary
  }
}
