/** @param ms milliseconds since the epoch @returns RFC 3339 in whole seconds, as Kubernetes writes times */
export function rfc3339(ms: number): string {
  const second = Math.floor(ms / 1000)
  // Thousands of objects are made within one second.
  if (second !== lastSecond.at) {
    lastSecond = { at: second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` }
  }
  return lastSecond.text
}

let lastSecond = { at: Number.NaN, text: '' }
