/**
 * How much of its level a request takes, in seats. Most take one; a list takes more the more objects it returns, a write
 * keeps some for a while when many watch what it changed. Pure.
 */
export interface WorkEstimate {
  /** Held while the request runs. */
  seats: number
  /** Held after it, for its events to be delivered. */
  finalSeats: number
  finalMs: number
}

/** One seat and nothing after: what is not a list and has few watchers. */
export const plainWork: WorkEstimate = { seats: 1, finalSeats: 0, finalMs: 0 }

const mostSeats = 10
const objectsPerSeat = 100

/**
 * The widest a request of a level may be: no single one takes more than about a seventh of it.
 * @param nominal the level's nominal seats
 */
export function widestRequest(nominal: number): number {
  return Math.min(mostSeats, Math.max(1, Math.ceil(nominal * 0.15)))
}

/**
 * A list, or a watch that begins with one.
 * @param stored objects of the resource, in all namespaces @param limit 0 for none @param isSingle it selects one name
 */
export function listWork(stored: number, limit: number, isSingle: boolean, widest: number): WorkEstimate {
  const returned = isSingle ? 1 : limit > 0 ? Math.min(limit, stored) : stored
  const seats = Math.min(widest, Math.max(1, Math.ceil(returned / objectsPerSeat)))
  return seats === 1 ? plainWork : { seats, finalSeats: 0, finalMs: 0 }
}

/** An event costs about 10 us a watcher here: a fiftieth of what Kubernetes reckons with, so a seat serves fifty times its 10. */
const watchersPerSeat = 500
const finalMs = 5

/** @param watchers of the resource that is written */
export function writeWork(watchers: number, widest: number): WorkEstimate {
  if (watchers < watchersPerSeat) return plainWork
  const wanted = Math.ceil(watchers / watchersPerSeat)
  const finalSeats = Math.min(widest, wanted)
  return { seats: 1, finalSeats, finalMs: (finalMs * wanted) / finalSeats }
}
