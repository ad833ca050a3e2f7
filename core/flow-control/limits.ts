/**
 * How the server's seats are divided among priority levels: by shares first, then by what each level lends while it has
 * no use for it and borrows while it has. Pure.
 * @see https://kep.k8s.io/1040
 */
export interface LevelShares {
  isExempt: boolean
  nominalConcurrencyShares: number
  lendablePercent: number
  /** Absent: it may borrow all that others lend. */
  borrowingLimitPercent?: number
}

export interface SeatBounds {
  /** By its shares alone. */
  nominal: number
  /** What it never lends. */
  min: number
  /** What it can have with all it may borrow. */
  max: number
}

/** @param serverLimit seats of the whole server @returns in the order of `levels` */
export function seatBounds(levels: readonly LevelShares[], serverLimit: number): SeatBounds[] {
  const shares = levels.reduce((sum, level) => sum + level.nominalConcurrencyShares, 0)
  return levels.map(({ nominalConcurrencyShares, lendablePercent, borrowingLimitPercent }) => {
    const nominal = shares > 0 ? Math.ceil((serverLimit * nominalConcurrencyShares) / shares) : 0
    const borrowable =
      borrowingLimitPercent === undefined ? serverLimit : Math.round((nominal * borrowingLimitPercent) / 100)
    return { nominal, min: nominal - Math.round((nominal * lendablePercent) / 100), max: nominal + borrowable }
  })
}

export interface LevelDemand extends SeatBounds {
  isExempt: boolean
  /** The most seats wanted in the last period. */
  high: number
  /** What it is expected to want. */
  smooth: number
}

/** How much of the last expectation stays when demand falls: half of it is gone after five minutes of ten-second periods. */
const smoothing = 0.977

/** Demand as it is expected from now on: rises at once, falls slowly. @param envelope average and deviation of the last period, added */
export function smoothDemand(before: number, envelope: number): number {
  return Math.max(envelope, smoothing * before + (1 - smoothing) * envelope)
}

/**
 * The seats each level has until the next adjustment. A level keeps what it does not lend and what it used of its own;
 * the rest goes to all in proportion to their demand, up to what each may have.
 * @returns whole numbers, in the order of `levels`; their sum exceeds `serverLimit` only when what is not lent does
 */
export function currentLimits(levels: readonly LevelDemand[], serverLimit: number): number[] {
  const floors = levels.map(({ min, nominal, high }) => Math.max(min, Math.min(nominal, high)))
  const targets = levels.map(({ isExempt, smooth }, at) => (isExempt ? 0 : Math.max(floors[at]!, smooth)))
  const ceilings = levels.map(({ isExempt, max }, at) => (isExempt ? floors[at]! : Math.max(floors[at]!, max)))
  const at = (factor: number) =>
    targets.map((target, index) => Math.min(ceilings[index]!, Math.max(floors[index]!, factor * target)))
  return wholeNumbers(at(factorFor(at, serverLimit)), ceilings, serverLimit)
}

const largestFactor = 2 ** 20

/** The greatest factor whose allocation fits. */
function factorFor(at: (factor: number) => number[], limit: number): number {
  const fits = (factor: number) => sum(at(factor)) <= limit
  if (fits(largestFactor)) return largestFactor
  let low = 0
  let high = largestFactor
  for (let step = 0; step < 64; step++) {
    const middle = (low + high) / 2
    if (fits(middle)) low = middle
    else high = middle
  }
  return low
}

/** Rounds down, then gives the seats that are left to those who lost most by it. */
function wholeNumbers(exact: readonly number[], ceilings: readonly number[], limit: number): number[] {
  const whole = exact.map((seats) => Math.floor(seats + 1e-6))
  const lost = exact.map((seats, index) => ({ index, seats: seats - whole[index]! }))
  let left = Math.floor(limit - sum(whole))
  for (const { index, seats } of lost.sort((a, b) => b.seats - a.seats)) {
    if (left <= 0 || seats <= 1e-6) break
    if (whole[index]! + 1 > ceilings[index]!) continue
    whole[index]!++
    left--
  }
  return whole
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
