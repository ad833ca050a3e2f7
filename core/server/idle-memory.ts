import { performance } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const lookEveryMs = 3_000
/** A share of the loop's time below which nobody notices a pause. */
const idleShare = 0.02
/** Work worth a collection; a quiet cluster's heartbeats need many minutes for so much. */
const busyEnoughMs = 1_000

/** Says when a busy time is over. Told how much of each span of time the event loop worked. */
export class BusyTimes {
  /** A process begins with the work of starting. */
  #busyMs = busyEnoughMs

  /** @returns true at the first quiet span after enough work */
  endsWith(span: { activeMs: number; totalMs: number }): boolean {
    this.#busyMs += span.activeMs
    if (this.#busyMs < busyEnoughMs || span.activeMs > span.totalMs * idleShare) return false
    this.#busyMs = 0
    return true
  }
}

/**
 * Gives memory back to the system when a busy time is over. V8 does so by itself only where it is told that its page is in
 * the background, which node never says: the young generation would keep the 64 MB that loading many objects made of it.
 * @param release called before: lets go of what is kept only to be quick
 */
export function releaseMemoryWhenIdle(release: () => void = () => {}): Disposable {
  const busyTimes = new BusyTimes()
  let last = performance.eventLoopUtilization()
  const timer = setInterval(() => {
    const { active, idle } = performance.eventLoopUtilization(performance.eventLoopUtilization(), last)
    if (busyTimes.endsWith({ activeMs: active, totalMs: active + idle })) {
      release()
      collectGarbage()
    }
    // After the collection, which is no work that leaves garbage.
    last = performance.eventLoopUtilization()
  }, lookEveryMs).unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** A full collection that also shrinks every space of the heap. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options: object) => void
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
