/** Time, as a parameter: tests are exact with a clock they turn by hand. */
export interface Clock {
  /** Milliseconds. */
  now(): number
  /** Calls back once after `delayMs`; does not keep the process alive. @returns a function that cancels it */
  after(delayMs: number, callback: () => void): () => void
}

function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs).unref()
  return () => clearTimeout(timer)
}

/** Since the epoch: for times that outlive the process. */
export const systemClock: Clock = { now: () => Date.now(), after }

/** Since the process began, whatever happens to the machine's date: only differences mean something. */
export const monotonicClock: Clock = { now: () => performance.now(), after }
