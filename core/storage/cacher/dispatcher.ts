import type { Subscriber } from './watch-view.ts'

/** How many subscribers are served before the event loop gets a turn. */
const groupSize = 256
/** Chunks are joined up to about this size: beyond it, larger ones are no cheaper. */
const joinedBytes = 64 * 1024

interface Delivery {
  chunks: Buffer[]
  bytes: number
  to: readonly Subscriber[]
}

/**
 * Hands chunks to subscribers in the order they were queued, and lets the event loop breathe between groups of them, so
 * that ten thousand watchers do not hold up a request. Chunks that wait for the same subscribers are joined: the more there
 * is to say, the less often each is written to.
 */
export class Dispatcher {
  #queue: Delivery[] = []
  #position = 0
  #scheduled = false
  /** Deliveries not yet begun that may take more, by whom they are for. */
  readonly #open = new Map<readonly Subscriber[], Delivery>()

  /**
   * @param to who gets it: those subscribed now, not those who come later. The same array means the same subscribers; once
   * a subscriber has been given something through another array, this one is not used again
   */
  enqueue(chunk: Buffer, to: readonly Subscriber[]): void {
    const open = this.#open.get(to)
    if (open && open.bytes < joinedBytes) {
      open.chunks.push(chunk)
      open.bytes += chunk.length
      return
    }
    this.#append(chunk, to)
  }

  /** As `enqueue` for a single one: behind all that is on its way to it, and before all that comes later. */
  enqueueLast(chunk: Buffer, to: Subscriber): void {
    // What comes now must not join what stands before this.
    this.#open.clear()
    this.#append(chunk, [to])
  }

  #append(chunk: Buffer, to: readonly Subscriber[]): void {
    const delivery = { chunks: [chunk], bytes: chunk.length, to }
    this.#queue.push(delivery)
    this.#open.set(to, delivery)
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => this.#serve())
  }

  #serve(): void {
    let budget = groupSize
    let served = 0
    for (const delivery of this.#queue) {
      const { to } = delivery
      const chunk = this.#close(delivery)
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

  /** Begins a delivery: from here on it takes no more. */
  #close(delivery: Delivery): Buffer {
    if (this.#open.get(delivery.to) === delivery) this.#open.delete(delivery.to)
    const { chunks } = delivery
    if (chunks.length > 1) delivery.chunks = [Buffer.concat(chunks)]
    return delivery.chunks[0]!
  }
}
