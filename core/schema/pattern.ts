import { setFlagsFromString } from 'node:v8'

/**
 * Patterns of schemas are written for RE2, which takes linear time; here they run on V8's engine, which backtracks. Its
 * switch below makes it go over to a linear-time one when it does so too much; that one knows neither lookaround, which
 * RE2 lacks as well, nor flags and repetition in the dozens. What is left is bounded by the length of inputs alone: one
 * past `maxPatternInput` counts as not matching. This file is the one place to put another engine into.
 */
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')

export const maxPatternInput = 10_000

const cache = new Map<string, RegExp | undefined>()
const maxCached = 10_000

/** @returns undefined when the expression has no equivalent here */
export function compilePattern(pattern: string): RegExp | undefined {
  if (cache.has(pattern)) return cache.get(pattern)
  const made = tryCompile(pattern)
  if (cache.size >= maxCached) cache.clear()
  cache.set(pattern, made)
  return made
}

/** Why a pattern cannot be used; empty when it can. */
export function patternFault(pattern: string): string {
  if (compilePattern(pattern)) return ''
  return `error parsing regexp: ${JSON.stringify(pattern)} is not supported`
}

export function matchesPattern(expression: RegExp, value: string): boolean {
  return value.length <= maxPatternInput && expression.test(value)
}

function tryCompile(pattern: string): RegExp | undefined {
  const { source, flags } = translate(pattern)
  // Only what needs the Unicode mode gets it: the linear-time engine does not know it.
  const needsUnicode = /\\[pP]|[\ud800-\udfff]/.test(source)
  for (const mode of needsUnicode ? [`${flags}u`, flags] : [flags]) {
    try {
      return new RegExp(source, mode)
    } catch {}
  }
  return undefined
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
