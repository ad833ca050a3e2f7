import { setImmediate as nextTurn } from 'node:timers/promises'

/** Work goes on for so long before others have a turn. */
const sliceMs = 5

/** Long work in slices: requests are answered in between. */
export class Turns {
  #since = performance.now()

  /** Resolves at once, or, when a slice is over, in a later turn of the event loop. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < sliceMs) return
    await nextTurn()
    this.#since = performance.now()
  }
}

/** How many results are waited for at a time. */
const atOnce = 8

/** The results in the order of the items. What `make` does at once is done in slices. */
export async function mapInTurns<T, R>(items: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const turns = new Turns()
  const results: R[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [at, item] of waiting) {
      await turns.breathe()
      results[at] = await make(item)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return results
}
