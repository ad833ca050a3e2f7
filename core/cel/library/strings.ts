/** Functions on strings beyond the standard ones. Indices count code points. */

import { maxTextLength } from '../arithmetic.ts'
import { define, defineMethod, givenBudget, type Library } from '../environment.ts'
import { codePointsOf, isFlat, size, slice, toIndex, toOffset } from '../text.ts'
import { dyn, int, list, string } from '../types.ts'
import { fail, noSuchOverload, type Value } from '../values.ts'
import { formatText } from './format-text.ts'

export const strings: Library = [
  defineMethod('charAt', [string, int], string, charAt),
  defineMethod('indexOf', [string, string], int, (text: string, part: string) => indexOf(text, part, 0)),
  defineMethod('indexOf', [string, string, int], int, indexOf),
  defineMethod('lastIndexOf', [string, string], int, (text: string, part: string) =>
    lastIndexOf(text, part, size(text)),
  ),
  defineMethod('lastIndexOf', [string, string, int], int, (text: string, part: string, from: number) =>
    lastIndexOf(text, part, inRange(from, size(text))),
  ),
  defineMethod('join', [list(string)], string, (parts: readonly Value[]) => join(parts, '')),
  defineMethod('join', [list(string), string], string, join),
  defineMethod('lowerAscii', [string], string, (text: string) =>
    text.replaceAll(/[A-Z]+/g, (run) => run.toLowerCase()),
  ),
  defineMethod('upperAscii', [string], string, (text: string) =>
    text.replaceAll(/[a-z]+/g, (run) => run.toUpperCase()),
  ),
  defineMethod('replace', [string, string, string], string, (text: string, old: string, by: string) =>
    replace(text, old, by, -1),
  ),
  defineMethod('replace', [string, string, string, int], string, replace),
  defineMethod('split', [string, string], list(string), (text: string, separator: string) =>
    split(text, separator, -1),
  ),
  defineMethod('split', [string, string, int], list(string), split),
  defineMethod('substring', [string, int], string, (text: string, start: number) => substring(text, start, size(text))),
  defineMethod('substring', [string, int, int], string, substring),
  defineMethod('trim', [string], string, (text: string) => text.replace(leadingSpace, '').replace(trailingSpace, '')),
  defineMethod('reverse', [string], string, (text: string) => codePointsOf(text).reverse().join('')),
  define('strings.quote', [string], string, quote),
  givenBudget(defineMethod('format', [string, list(dyn)], string, formatText)),
]

/** What Unicode calls white space, which is not quite what JavaScript trims. */
const space = '\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const leadingSpace = new RegExp(`^[${space}]+`)
const trailingSpace = new RegExp(`(?<![${space}])[${space}]+$`)

function inRange(index: number, limit: number): number {
  return index >= 0 && index <= limit ? Number(index) : fail(`index out of range: ${index}`)
}

function charAt(text: string, at: number): string {
  const index = inRange(at, size(text))
  return slice(text, index, index + 1)
}

function indexOf(text: string, part: string, from: number): number {
  const start = part === '' && from > size(text) ? size(text) : inRange(from, size(text))
  const offset = text.indexOf(part, toOffset(text, start))
  return offset < 0 ? -1 : toIndex(text, offset)
}

function lastIndexOf(text: string, part: string, from: number): number {
  const offset = text.lastIndexOf(part, toOffset(text, from))
  return offset < 0 ? -1 : toIndex(text, offset)
}

function join(parts: readonly Value[], separator: string): string {
  let length = Math.max(0, parts.length - 1) * separator.length
  for (const part of parts) length += typeof part === 'string' ? part.length : noSuchOverload()
  refuseLong(length)
  return parts.join(separator)
}

function refuseLong(length: number): void {
  if (length > maxTextLength) fail(`string of ${length} characters is too long`)
}

/** @param limit how many are replaced at most; all when negative */
function replace(text: string, old: string, by: string, limit: number): string {
  if (old === '') refuseLong(text.length + (text.length + 1) * by.length)
  const parts = splitAt(text, old)
  refuseLong(text.length + (parts.length - 1) * (by.length - old.length))
  if (limit < 0) return parts.join(by)
  const count = Math.min(Number(limit), parts.length - 1)
  let result = parts[0]!
  for (let i = 1; i < parts.length; i++) result += (i <= count ? by : old) + parts[i]
  return result
}

function splitAt(text: string, separator: string): string[] {
  if (separator !== '') return text.split(separator)
  return ['', ...codePointsOf(text), '']
}

/** @param limit how many parts at most, the last with the rest; any number when negative */
function split(text: string, separator: string, limit: number): string[] {
  if (limit === 0) return []
  const parts = separator === '' ? codePointsOf(text) : text.split(separator)
  if (limit < 0 || parts.length <= limit) return parts
  return [...parts.slice(0, Number(limit) - 1), parts.slice(Number(limit) - 1).join(separator)]
}

function substring(text: string, start: number, end: number): string {
  const length = isFlat(text) ? text.length : size(text)
  inRange(start, length)
  inRange(end, length)
  return start <= end ? slice(text, start, end) : fail(`invalid substring range. start: ${start}, end: ${end}`)
}

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

function quote(text: string): string {
  return `"${text.toWellFormed().replaceAll(/[\x07-\r\\"]/g, (character) => escapes[character]!)}"`
}
