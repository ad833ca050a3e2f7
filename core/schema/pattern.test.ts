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
  ['^\\p{Greek}+$', 'αβγ', true],
  ['^\\p{Greek}+$', 'p{Greek}', false],
  ['a(?i:b)c', 'aBc', true],
  ['\\Qa.b\\E', 'a.b', true],
  ['\\Qa.b\\E', 'axb', false],
])('%s on %j is %j', (pattern, value, want) => expect(matchesPattern(compilePattern(pattern)!, value)).toBe(want))

test.each([
  ['(', 'missing closing ): `(`'],
  ['[', 'missing closing ]: `[`'],
  ['a{2,1}', 'invalid repeat count: `{2,1}`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['(?<a>x)(?<a>y)', 'duplicate capture group name: `a`'],
  ['(?!x)a', 'invalid or unsupported Perl syntax: `(?!`'],
  ['(a)\\1', 'invalid escape sequence: `\\1`'],
])('%s is told to be no pattern', (pattern, fault) =>
  expect(patternFault(pattern)).toBe(`error parsing regexp: ${fault}`),
)

test('an input past the limit does not match', () => {
  const expression = compilePattern('^a*$')!
  expect(matchesPattern(expression, 'a'.repeat(maxPatternInput))).toBe(true)
  expect(matchesPattern(expression, 'a'.repeat(maxPatternInput + 1))).toBe(false)
})

test.each([
  '^(a+)+$',
  '^(a|aa)+$',
  '^(([a-z0-9]+)*)*\\.com$',
  '^([\\w-]+\\.?)+$',
  '^(a{1,30}){1,30}$',
  'a{0,100}a{0,100}a{0,100}b',
  '(?i)(a+)+$',
  '(?i)a*a*a*b',
  '(a+a+){20}b',
])('%s comes to an end on an input that a backtracking engine would not finish', (pattern) =>
  expect(matchesPattern(compilePattern(pattern)!, `${'a'.repeat(1000)}!`)).toBe(false),
)
