import { setFlagsFromString } from 'node:v8'
import { RE2JS } from 're2js'

/**
 * Patterns of schemas are written for RE2, which takes linear time. RE2 itself (re2js) says what a pattern is; V8's engine,
 * ten times as fast, matches what it can match in bounded time: it backtracks, but goes over to a linear-time engine of its
 * own when it does so too much. That one knows no flags and no repetition in the dozens, so a pattern with such repetition
 * within or beside another is left to RE2. What is left is bounded by the length of inputs: one past `maxPatternInput`
 * counts as not matching.
 */
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

export const maxPatternInput = 10_000
/** V8 says of a longer one only when it first matches that it is too large. */
const maxBacktrackedPattern = 2_000

/** A pattern, ready for use. */
export interface Pattern {
  /** Whether it is found anywhere in `value`. */
  test(value: string): boolean
}

const cache = new Map<string, Pattern | undefined>()
const maxCached = 1_000

/** @returns undefined when the expression is none */
export function compilePattern(pattern: string): Pattern | undefined {
  if (cache.has(pattern)) return cache.get(pattern)
  const made = tryCompile(pattern)
  if (cache.size >= maxCached) cache.clear()
  cache.set(pattern, made)
  return made
}

const faults = new Map<string, string>()

/** Why a pattern cannot be used, in RE2's words; empty when it can. Definitions say the same ones over and over. */
export function patternFault(pattern: string): string {
  const known = faults.get(pattern)
  if (known !== undefined) return known
  const fault = judged(pattern)
  if (faults.size >= maxCached) faults.clear()
  faults.set(pattern, fault)
  return fault
}

function judged(pattern: string): string {
  try {
    RE2JS.compile(pattern)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

export function matchesPattern(expression: Pattern, value: string): boolean {
  return value.length <= maxPatternInput && expression.test(value)
}

function tryCompile(pattern: string): Pattern | undefined {
  const { source, flags } = translate(pattern)
  // Only what needs the Unicode mode gets it: the linear-time engine does not know it.
  const needsUnicode = /\\[pP]|[\ud800-\udfff]/.test(source)
  const isPlain = pattern.length <= maxBacktrackedPattern && !ownEscapes.test(pattern)
  if (isPlain && !isCostly(source, flags !== '' || needsUnicode)) {
    try {
      return new RegExp(source, needsUnicode ? `${flags}u` : flags)
    } catch {}
  }
  try {
    return RE2JS.compile(pattern)
  } catch {
    return undefined
  }
}

/** Escapes that mean something else, or nothing, to V8. */
const ownEscapes = /\\(?:x\{|[aceghijklmoquyCEGHIJKLMNOQRTUVXYZ_])/
/** What may match more or less of the text; `{8}` does not. */
const quantifier = /(?:[*+?]|\{\d+,\d*\})\??/g
/** So many repetitions of one thing V8's linear-time engine still takes. */
const fewRepetitions = 4

/**
 * Whether backtracking could take for ever where V8 has no other way: it repeats something many times, or has flags,
 * and repeats in other places, too.
 */
function isCostly(source: string, hasFlags: boolean): boolean {
  const plain = source.replace(/\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]/g, 'x').replace(/\(\?(?:[:=!]|<[^>]*>)/g, '(')
  const counts = [...plain.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, least, most]) => Number(most || least))
  if (!hasFlags && counts.every((count) => count <= fewRepetitions)) return false
  const loops = (plain.match(quantifier) ?? []).filter((one) => one !== '?' && one !== '??').length
  return loops > 1 || /\)(?:[*+]|\{)/.test(plain)
}

const posixClasses: ReadonlyMap<string, string> = new Map([
  ['alnum', '0-9A-Za-z'],
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['lower', 'a-z'],
  ['upper', 'A-Z'],
  ['space', '\\t\\n\\v\\f\\r '],
  ['word', '0-9A-Za-z_'],
  ['xdigit', '0-9A-Fa-f'],
])

/** RE2's spellings that differ here: leading flags, `\A`, `\z`, `(?P<name>`, POSIX classes. */
function translate(pattern: string): { source: string; flags: string } {
  const [lead = '', flags = ''] = /^\(\?([ims]+)\)/.exec(pattern) ?? []
  const source = pattern
    .slice(lead.length)
    .replace(/\\(?:A|z|[\s\S])|\(\?P</g, (found) => spellings.get(found) ?? found)
    .replace(/\\([pP])([A-Z])(?![a-z{])/g, '\\$1{$2}')
    .replace(/\[:(\w+):\]/g, (found, name: string) => posixClasses.get(name) ?? found)
  return { source, flags: [...new Set(flags)].join('') }
}

const spellings: ReadonlyMap<string, string> = new Map([
  ['\\A', '^'],
  ['\\z', '$'],
  ['(?P<', '(?<'],
])
