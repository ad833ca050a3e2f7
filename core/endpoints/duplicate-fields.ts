/**
 * Fields that come twice in one object: JSON.parse keeps the last of them and says nothing.
 *
 * Every write asks, and hardly any has some. So keys are counted first, in the text and in what was parsed of it; only
 * where the two differ is the text read again with care.
 */

/** No more are told; as in Kubernetes. */
export const maxDuplicates = 100

/**
 * @param value what JSON.parse made of `text`
 * @returns the path of each field that comes again, once: `spec.containers[0].name`
 */
export function duplicateFields(text: string, value: unknown): string[] {
  return countKeySigns(text) === countKeys(value) ? [] : findDuplicates(text)
}

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a

/**
 * Quotes that end or begin a string, and have a colon behind: as many as the text has keys, and one more for each value
 * that begins with a colon.
 */
function countKeySigns(text: string): number {
  let count = 0
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) {
    let before = at - 1
    while (isSpace(text.charCodeAt(before))) before--
    if (text.charCodeAt(before) === quote && !isEscaped(text, before)) count++
  }
  return count
}

const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++
  return slashes % 2 === 1
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item)
    return count
  }
  for (const key in value) {
    count++
    const inner = (value as Record<string, unknown>)[key]
    if (typeof inner === 'object') count += countKeys(inner)
  }
  return count
}

/** An object or list whose end is still to come. */
interface Open {
  /** Absent in a list. */
  keys?: Set<string>
  /** The key or the index of the value at hand. */
  step: string | number
}

/** @param text valid JSON */
function findDuplicates(text: string): string[] {
  const found = new Set<string>()
  const open: Open[] = []
  for (let at = 0; at < text.length && found.size < maxDuplicates; at++) {
    const inner = open.at(-1)
    switch (text[at]) {
      case '{':
        open.push({ keys: new Set(), step: '' })
        break
      case '[':
        open.push({ step: 0 })
        break
      case '}':
      case ']':
        open.pop()
        break
      case ',':
        if (typeof inner?.step === 'number') inner.step++
        break
      case '"': {
        const end = stringEnd(text, at + 1)
        if (inner?.keys && isKey(text, end)) {
          inner.step = JSON.parse(text.slice(at, end + 1)) as string
          if (inner.keys.has(inner.step)) found.add(pathTo(open))
          inner.keys.add(inner.step)
        }
        at = end
      }
    }
  }
  return [...found]
}

/** Index of the quote that ends the string whose text begins at `from`. */
function stringEnd(text: string, from: number): number {
  let end = text.indexOf('"', from)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isKey(text: string, end: number): boolean {
  let next = end + 1
  while (isSpace(text.charCodeAt(next))) next++
  return text.charCodeAt(next) === colon
}

function pathTo(open: readonly Open[]): string {
  return open
    .map(({ step }) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '')
}
