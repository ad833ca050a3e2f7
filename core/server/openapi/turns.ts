import { setImmediate as nextTurn } from 'node:timers/promises'

/** Work goes on for so long before others have a turn. */
const sliceMs = 5

/** Long work in slices: requests are answered in between. */
export class Turns {
  #since = performance.now()
  #pause: Promise<void> | undefined

  /** Ask right before each piece of work, and wait for the next turn while it is. */
  get isOver(): boolean {
    return performance.now() - this.#since >= sliceMs
  }

  /** Resolves for all who wait in the same later turn of the event loop: each looks again whether there is time for it. */
  next(): Promise<void> {
    this.#pause ??= nextTurn().then(() => {
      this.#pause = undefined
      this.#since = performance.now()
    })
    return this.#pause
  }
}

/** How many results are waited for at a time. */
const atOnce = 8

/** The results in the order of the items. What `make` does at once is done in slices; of what takes longer, it asks for turns itself. */
export async function mapInTurns<T, R>(items: readonly T[], make: (item: T, turns: Turns) => Promise<R>): Promise<R[]> {
  const turns = new Turns()
  const results: R[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [at, item] of waiting) {
      while (turns.isOver) await turns.next()
      results[at] = await make(item, turns)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
