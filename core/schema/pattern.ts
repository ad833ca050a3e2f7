/**
 * Patterns of schemas are written for RE2; here they run on the engine at hand, which backtracks. This file is the one
 * place to put a linear-time engine into. Until then an input past `maxPatternInput` counts as not matching.
 */
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
  // The Unicode mode is closer to RE2, but it refuses escapes such as `\-`, which RE2 allows.
  for (const mode of [`${flags}u`, flags]) {
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
    .replace(/\[:(\w+):\]/g, (found, name: string) => posixClasses.get(name) ?? found)
  return { source, flags: [...new Set(flags)].join('') }
}

const spellings: ReadonlyMap<string, string> = new Map([
  ['\\A', '^'],
  ['\\z', '$'],
  ['(?P<', '(?<'],
])
