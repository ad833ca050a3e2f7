/** Strings as sequences of code points. Pure. */

const surrogate = /[\ud800-\udfff]/

/** Whether UTF-16 units and code points are the same, so that JavaScript's own functions count right. */
export const isFlat = (text: string) => !surrogate.test(text)

/** Up to this length a loop is faster than a regular expression, which beyond it knows at once of most strings. */
const short = 6

export function size(text: string): number {
  if (text.length > short) return isFlat(text) ? text.length : count(text)
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xf800) === 0xd800) return count(text)
  return text.length
}

/** Whether a unit is the second half of a code point. */
const isSecondHalf = (text: string, at: number) =>
  (text.charCodeAt(at) & 0xfc00) === 0xdc00 && at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800

function count(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if (!isSecondHalf(text, i)) count++
  return count
}

export const codePointsOf = (text: string): string[] => (isFlat(text) ? text.split('') : Array.from(text))

/** The part from one code point up to another. */
export function slice(text: string, start: number, end: number): string {
  return isFlat(text) ? text.slice(start, end) : text.slice(walk(text, start), walk(text, end))
}

/** The index of a code point as an offset of UTF-16, and back. */
export const toOffset = (text: string, index: number) => (isFlat(text) ? index : walk(text, index))
function walk(text: string, index: number): number {
  let offset = 0
  for (let seen = 0; offset < text.length; offset++) if (!isSecondHalf(text, offset) && seen++ === index) return offset
  return offset
}

export const toIndex = (text: string, offset: number) => size(text.slice(0, offset))
