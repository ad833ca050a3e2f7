import type { Subscriber } from './watch-view.ts'

/** How many subscribers are served before the event loop gets a turn. */
const groupSize = 256

interface Delivery {
  chunk: Buffer
  to: readonly Subscriber[]
}

/**
 * Hands chunks to subscribers in the order they were queued, and lets the event loop breathe between groups of them, so
 * that ten thousand watchers do not hold up a request.
 */
export class Dispatcher {
  #queue: Delivery[] = []
  #position = 0
  #scheduled = false

  /** @param to who gets it: those subscribed now, not those who come later */
  enqueue(chunk: Buffer, to: readonly Subscriber[]): void {
    this.#queue.push({ chunk, to })
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#serve())
  }

  #serve(): void {
    let budget = groupSize
    let served = 0
    for (const { chunk, to } of this.#queue) {
      const end = Math.min(to.length, this.#position + budget)
      for (let at = this.#position; at < end; at++) to[at]!.deliver(chunk)
      budget -= end - this.#position
      this.#position = end < to.length ? end : 0
      if (end < to.length) break
      served++
      if (budget <= 0) break
    }
    this.#queue.splice(0, served)
    this.#scheduled = this.#queue.length > 0
    if (this.#scheduled) setImmediate(() => this.#serve())
  }
}
