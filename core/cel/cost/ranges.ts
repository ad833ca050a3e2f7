/** Ranges of sizes and of costs, which end at 2^64: what is beyond is unbounded. Pure. */

export interface Range {
  readonly min: number
  readonly max: number
}

/** Where ranges end. Whole numbers beyond 2^53 are the nearest that a double holds. */
export const unbounded = 2 ** 64

export const exactly = (amount: number): Range => ({ min: amount, max: amount })
export const free = exactly(0)
export const unknown: Range = { min: 0, max: unbounded }

const capped = (amount: number) => Math.min(amount, unbounded)

/** What a formula that grows with its arguments gives for the least and for the greatest of them. */
export function ranged(formula: (...amounts: number[]) => number, ranges: readonly Range[]): Range {
  return {
    min: capped(formula(...ranges.map(({ min }) => min))),
    max: capped(formula(...ranges.map(({ max }) => max))),
  }
}

export function sum(...ranges: readonly Range[]): Range {
  return ranges.reduce((a, b) => ({ min: capped(a.min + b.min), max: capped(a.max + b.max) }), free)
}

export const product = (a: Range, b: Range): Range => ({ min: capped(a.min * b.min), max: capped(a.max * b.max) })

/** Rounded up. */
export const scaled = (range: Range, factor: number): Range => ranged((amount) => Math.ceil(amount * factor), [range])

export const union = (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })
