import { duplicateFields } from './duplicate-fields.ts'

/** Deeper values are refused: what walks them would run out of stack. */
export const maxDepth = 1_000

/** Bytes that are no UTF-8 become U+FFFD, as Go reads them. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Parses JSON that anyone may have sent.
 * @param onDuplicates told the paths of fields that come twice, of which the last counts
 * @throws Error for what is no JSON, is nested too deeply, or holds numbers that no 64 bits can
 */
export function parseJsonText(bytes: Buffer, onDuplicates?: (paths: string[]) => void): unknown {
  if (bytes.length > 2 * maxDepth) checkDepth(bytes)
  const text = utf8.decode(bytes)
  const value: unknown = JSON.parse(text)
  if (maybeHuge.test(text)) checkFinite(value)
  if (onDuplicates) {
    const duplicates = duplicateFields(text, value)
    if (duplicates.length > 0) onDuplicates(duplicates)
  }
  return value
}

const quote = 0x22
const backslash = 0x5c
const [openBracket, closeBracket] = [0x5b, 0x5d]
const [openBrace, closeBrace] = [0x7b, 0x7d]

function checkDepth(bytes: Buffer): void {
  let depth = 0
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote:
        at = stringEnd(bytes, at + 1)
        break
      case openBracket:
      case openBrace:
        if (++depth > maxDepth) throw new Error('exceeded max depth')
        break
      case closeBracket:
      case closeBrace:
        depth--
    }
  }
}

/** Most strings are shorter; the ends of longer ones are found faster by native code. */
const shortString = 24

/** Index of the quote that ends the string whose text begins at `from`; the length when none does. */
function stringEnd(bytes: Buffer, from: number): number {
  const near = Math.min(from + shortString, bytes.length)
  for (let at = from; at < near && bytes[at] !== backslash; at++) if (bytes[at] === quote) return at
  for (let end = bytes.indexOf(quote, from); end >= 0; end = bytes.indexOf(quote, end + 1)) {
    let slashes = 0
    while (bytes[end - 1 - slashes] === backslash && end - 1 - slashes >= from) slashes++
    if (slashes % 2 === 0) return end
  }
  return bytes.length
}

/** What a number too large for 64 bits looks like; also found in texts that hold none, which costs them a walk. */
const maybeHuge = /\d[eE]\+?\d{3}|\d{309}/

/** JSON has no infinity: it would be stored as null. */
function checkFinite(root: unknown): void {
  const waiting = [root]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('a number is out of range')
    if (typeof value !== 'object' || value === null) continue
    // Not spread into push: an array may have more items than a call takes arguments.
    for (const item of Object.values(value)) waiting.push(item)
  }
}

/** What is part of itself has no end, and no text in JSON. */
function checkCycles(root: unknown): void {
  const around = new Set<unknown>()
  const known = new Set<unknown>()
  const waiting = [{ value: root, isLeft: false }]
  while (waiting.length > 0) {
    const { value, isLeft } = waiting.pop()!
    if (isLeft) around.delete(value)
    else if (around.has(value)) throw new Error('an alias names what it is part of')
    else if (typeof value === 'object' && value !== null && !known.has(value)) {
      known.add(value)
      around.add(value)
      waiting.push({ value, isLeft: true })
      for (const item of Object.values(value)) waiting.push({ value: item, isLeft: false })
    }
  }
}

/** As `checkDepth` and `checkFinite`, of a value that another syntax gave, which may contain itself. @throws Error */
export function checkValue(root: unknown): void {
  checkCycles(root)
  checkFinite(root)
  let level = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) throw new Error('exceeded max depth')
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
  }
}
