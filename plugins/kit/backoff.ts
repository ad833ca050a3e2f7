export interface BackoffOptions {
  firstMs: number
  lastMs: number
  random?: () => number
}

/**
 * The delay before attempt `failures + 1`: doubles from `firstMs` to `lastMs`; the upper half of it is random, so that
 * those who failed together do not come back together.
 */
export function backoffMs(failures: number, { firstMs, lastMs, random = Math.random }: BackoffOptions): number {
  const full = Math.min(lastMs, firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 40))
  return full * (0.5 + random() / 2)
}
