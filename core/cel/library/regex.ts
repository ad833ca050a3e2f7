/** Searching by regular expressions, beyond whether one matches. */
import { defineMethod, type Library } from '../environment.ts'
import type { Int } from '../integers.ts'
import { patternOf } from '../patterns.ts'
import { int, list, string } from '../types.ts'

export const regex: Library = [
  defineMethod('find', [string, string], string, (text: string, source: string) => findAll(text, source, 1)[0] ?? ''),
  defineMethod('findAll', [string, string], list(string), (text: string, source: string) => findAll(text, source, -1)),
  defineMethod('findAll', [string, string, int], list(string), findAll),
]

/** @param limit how many at most; all when negative */
function findAll(text: string, source: string, limit: Int): string[] {
  const matcher = patternOf(source).matcher(text)
  const found: string[] = []
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '')
  return found
}
