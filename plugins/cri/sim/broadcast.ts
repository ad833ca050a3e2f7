/** Sends what is published to everyone who listens at that time. A listener that falls behind keeps its own backlog. */
export class Broadcast<T> {
  readonly #listeners = new Set<(value: T) => void>()

  publish(value: T): void {
    for (const listener of this.#listeners) listener(value)
  }

  /** What is published from this call on, until `signal` aborts. */
  listen(signal: AbortSignal, first: readonly T[] = []): AsyncGenerator<T> {
    const backlog: T[] = [...first]
    let wake = () => {}
    const listener = (value: T) => {
      backlog.push(value)
      wake()
    }
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => {
      this.#listeners.delete(listener)
      wake()
    })
    return (async function* () {
      while (!signal.aborted) {
        yield* backlog.splice(0)
        if (backlog.length === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve))
      }
    })()
  }
}
