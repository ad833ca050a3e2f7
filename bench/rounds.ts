/** A value beside its yardstick's, of the same moment. */
export interface Round {
  value: number
  yardstick: number
}

const roundCount = 3

/**
 * Measures the yardstick and the value in turns, so that both see the same machine, and takes the round whose ratio is the
 * median: one disturbed round does not count.
 * @param durationMs for all rounds of one side together
 */
export async function alternate(
  durationMs: number,
  measureYardstick: (durationMs: number) => Promise<number>,
  measureValue: (durationMs: number) => Promise<number>,
): Promise<Round> {
  const rounds: Round[] = []
  for (let at = 0; at < roundCount; at++) {
    const yardstick = await measureYardstick(durationMs / roundCount)
    rounds.push({ yardstick, value: await measureValue(durationMs / roundCount) })
  }
  return median(rounds, (round) => round.value / round.yardstick)
}

/** The middle one by `by`; of an even number, the lower of the two. */
export function median<T>(items: readonly T[], by: (item: T) => number): T {
  return items.toSorted((a, b) => by(a) - by(b))[(items.length - 1) >> 1]!
}
