/** Searching by regular expressions, beyond whether one matches. */
import type { Budget } from '../activation.ts'
import { defineMethod, type Library, long } from '../environment.ts'
import type { Int } from '../integers.ts'
import { matches, patternOf } from '../patterns.ts'
import { int, list, string } from '../types.ts'

export const regex: Library = long([
  defineMethod(
    'find',
    [string, string],
    string,
    (text: string, source: string, budget?: Budget) => findAll(text, source, 1, budget)[0] ?? '',
  ),
  defineMethod('findAll', [string, string], list(string), (text: string, source: string, budget?: Budget) =>
    findAll(text, source, -1, budget),
  ),
  defineMethod('findAll', [string, string, int], list(string), findAll),
])

/** @param limit how many at most; all when negative */
function findAll(text: string, source: string, limit: Int, budget?: Budget): string[] {
  const pattern = patternOf(source)
  const found: string[] = []
  if (limit === 0 || !matches(pattern, text, budget)) return found
  const matcher = pattern.matcher(text)
  const strain = text.length
  while ((limit < 0 || found.length < limit) && matcher.find()) {
    found.push(matcher.group() ?? '')
    // Each search may walk what is left of the text.
    budget?.strain(strain)
  }
  return found
}
