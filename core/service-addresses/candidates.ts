import { randomBytes } from 'node:crypto'

/** @returns a whole number from 0 up to, and without, `below`, which is positive */
export type Random = (below: bigint) => bigint

export const randomBelow: Random = (below) =>
  randomBytes(16).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) % below

/**
 * How many at the start of a range are left to those who ask for one by name, as long as there are others: a sixteenth of
 * addresses, a thirty-second of ports, within bounds.
 * @see https://kep.k8s.io/3070 and https://kep.k8s.io/3668
 */
export function staticBand(size: bigint, { part, most }: { part: bigint; most: bigint }): bigint {
  const least = 16n
  if (size <= least) return 0n
  const band = size / part
  return band < least ? least : band > most ? most : band
}

/**
 * Every offset of a range once, in the order in which they are tried: from a random one on those above the band, and
 * then those within.
 */
export function* candidates(size: bigint, band: bigint, random: Random): Generator<bigint> {
  yield* roundFrom(band, size, random)
  yield* roundFrom(0n, band, random)
}

function* roundFrom(low: bigint, high: bigint, random: Random): Generator<bigint> {
  const count = high - low
  if (count <= 0n) return
  const start = random(count)
  for (let at = 0n; at < count; at++) yield low + ((start + at) % count)
}
