/** Time, as a parameter: tests are exact with a clock they turn by hand. */
export interface Clock {
  /** Milliseconds; only differences mean something. */
  now(): number
  /** Calls once, `ms` from now, unless the returned function is called before. */
  after(ms: number, call: () => void): () => void
}

/** The machine's. Its timers keep no process alive. */
export const machineClock: Clock = {
  now: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
