/** How long ago, in the two most significant units, as `kubectl get` prints ages. */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const year = 365 * day

/**
 * Renders a duration: `5s`, `2m3s`, `5h`, `3d4h`, `2y3d`.
 * @param ms milliseconds; up to two seconds of negative time count as now, because clocks differ
 * @returns `<invalid>` for time further in the future and for NaN
 */
export function humanDuration(ms: number): string {
  if (!(ms > -2 * second)) return '<invalid>'
  if (ms < 0) return '0s'
  if (ms < 2 * minute) return `${Math.floor(ms / second)}s`
  if (ms < 10 * minute) return pair(ms, minute, 'm', second, 's')
  if (ms < 3 * hour) return `${Math.floor(ms / minute)}m`
  if (ms < 8 * hour) return pair(ms, hour, 'h', minute, 'm')
  if (ms < 2 * day) return `${Math.floor(ms / hour)}h`
  if (ms < 8 * day) return pair(ms, day, 'd', hour, 'h')
  if (ms < 2 * year) return `${Math.floor(ms / day)}d`
  if (ms < 8 * year) return pair(ms, year, 'y', day, 'd')
  return `${Math.floor(ms / year)}y`
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small)
  const head = `${Math.floor(ms / large)}${largeName}`
  return rest === 0 ? head : `${head}${rest}${smallName}`
}

/**
 * The age of something that began at `timestamp`.
 * @param timestamp RFC 3339; absent gives `<unknown>`, unreadable `<invalid>`
 * @param now milliseconds since 1970
 */
export function age(timestamp: string | undefined, now: number): string {
  if (!timestamp) return '<unknown>'
  return humanDuration(now - Date.parse(timestamp))
}
