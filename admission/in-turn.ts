/** Runs for one after another; without leaving this turn as long as none of them has to wait for anything. */
export function inTurn<T>(items: readonly T[], run: (item: T) => Promise<void> | void, from = 0): Promise<void> | void {
  for (let at = from; at < items.length; at++) {
    const waiting = run(items[at]!)
    if (waiting) return waiting.then(() => inTurn(items, run, at + 1))
  }
}

/** What comes after something that may have to be waited for. */
export function after<T>(waiting: Promise<void> | void, then: () => T): Promise<Awaited<T>> | T {
  return waiting ? (waiting.then(then) as Promise<Awaited<T>>) : then()
}
