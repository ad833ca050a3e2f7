import { expect, test } from 'vitest'
import { compilePattern, matchesPattern, maxPatternInput, patternFault } from './pattern.ts'

test.each([
  ['^[a-z]([-a-z0-9]*[a-z0-9])?$', 'a-b', true],
  ['^[a-z]([-a-z0-9]*[a-z0-9])?$', 'a-', false],
  ['^[\\w\\-]+$', 'a-b', true],
  ['\\Aab\\z', 'ab', true],
  ['\\Aab\\z', 'xab', false],
  ['\\\\z', '\\z', true],
  ['(?i)^AB$', 'ab', true],
  ['(?P<name>a)b', 'ab', true],
  ['^[[:alpha:]_]+$', 'aZ_', true],
  ['^\\p{L}+$', 'é', true],
  ['^\\pL+$', 'é', true],
  ['^😀{2}$', '😀😀', true],
])('%s on %j is %j', (pattern, value, want) => expect(matchesPattern(compilePattern(pattern)!, value)).toBe(want))

test.each(['(', '[', 'a{2,1}', '(?<a>x)(?<a>y)', '(?x)a'])('%s is told to be no pattern', (pattern) =>
  expect(patternFault(pattern)).toContain('is not supported'),
)

test('an input past the limit does not match', () => {
  const expression = compilePattern('^a*$')!
  expect(matchesPattern(expression, 'a'.repeat(maxPatternInput))).toBe(true)
  expect(matchesPattern(expression, 'a'.repeat(maxPatternInput + 1))).toBe(false)
})

test.each(['^(a+)+$', '^(a|aa)+$', '^(([a-z0-9]+)*)*\\.com$', '^([\\w-]+\\.?)+$'])(
  '%s comes to an end on an input that a backtracking engine would not finish',
  (pattern) => expect(matchesPattern(compilePattern(pattern)!, `${'a'.repeat(1000)}!`)).toBe(false),
)
