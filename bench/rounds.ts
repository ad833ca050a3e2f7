import { cpuSeconds, processTree } from './process-tree.ts'

/** How fast something went. */
export interface Rate {
  perSecond: number
  /** Processor time of the server for each; more telling than the rate where others use the machine. Absent: nobody looked. */
  cpuMicroseconds?: number
}

/** A rate beside its yardstick's, of the same moment. */
export interface Round {
  value: Rate
  yardstick: Rate
}

/** Begins to observe a server. The function returned says at which rate it did so much meanwhile. */
export function observe(pid: number): (done: number) => Rate {
  const cpu = () => cpuSeconds(processTree(pid))
  const started = performance.now()
  const cpuBefore = cpu()
  return (done) => ({
    perSecond: (done / (performance.now() - started)) * 1_000,
    cpuMicroseconds: ((cpu() - cpuBefore) / done) * 1e6,
  })
}

const roundCount = 3

/**
 * Measures the yardstick and the value in turns, so that both see the same machine, and takes the round whose ratio is the
 * median: one disturbed round does not count. Before that, both run unmeasured: a server runs for weeks, and the
 * compiler needs seconds to know its code.
 * @param durationMs for all rounds of one side together
 */
export async function alternate(
  durationMs: number,
  measureYardstick: (durationMs: number) => Promise<Rate>,
  measureValue: (durationMs: number) => Promise<Rate>,
): Promise<Round> {
  await measureYardstick(durationMs / roundCount)
  await measureValue(durationMs)
  const rounds: Round[] = []
  for (let at = 0; at < roundCount; at++) {
    const yardstick = await measureYardstick(durationMs / roundCount)
    rounds.push({ yardstick, value: await measureValue(durationMs / roundCount) })
  }
  return median(rounds, (round) => round.value.perSecond / round.yardstick.perSecond)
}

/** The middle one by `by`; of an even number, the lower of the two. */
export function median<T>(items: readonly T[], by: (item: T) => number): T {
  return items.toSorted((a, b) => by(a) - by(b))[(items.length - 1) >> 1]!
}
