/**
 * Runs `act` `count` times in batches of 1, 2, 4, ... and stops after the first batch in which one failed, so that a quota
 * or a bad template costs a few refused calls, not one for every replica.
 * @returns how many succeeded, and the first failure
 */
export async function inSlowStartBatches(
  count: number,
  act: (index: number) => Promise<void>,
): Promise<{ succeeded: number; error?: unknown }> {
  let succeeded = 0
  for (let start = 0, size = 1; start < count; start += size, size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - start) }, (_, at) => act(start + at))
    const outcomes = await Promise.allSettled(batch)
    succeeded += outcomes.filter((outcome) => outcome.status === 'fulfilled').length
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) return { succeeded, error: failed.reason }
  }
  return { succeeded }
}
