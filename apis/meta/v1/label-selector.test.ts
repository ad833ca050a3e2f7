import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  formatLabelSelector,
  type LabelRequirement,
  LabelSelectorError,
  matchesLabels,
  parseLabelSelector,
  requirementsOf,
  validateLabelSelector,
} from './label-selector.ts'

const one = (key: string, operator: LabelRequirement['operator'], ...values: string[]) => ({ key, operator, values })

test.each<[string, LabelRequirement[]]>([
  ['', []],
  ['  ', []],
  ['a', [one('a', 'exists')]],
  ['!a', [one('a', '!')]],
  ['a=b', [one('a', '=', 'b')]],
  ['a = b , c != d', [one('a', '=', 'b'), one('c', '!=', 'd')]],
  ['a==b', [one('a', '==', 'b')]],
  ['a=', [one('a', '=', '')]],
  ['b=x,a=y', [one('a', '=', 'y'), one('b', '=', 'x')]],
  ['a in (c,b,b)', [one('a', 'in', 'b', 'c')]],
  ['a notin(b)', [one('a', 'notin', 'b')]],
  ['a in ()', [one('a', 'in', '')]],
  ['a in (b,)', [one('a', 'in', '', 'b')]],
  ['a in (,,b)', [one('a', 'in', '', 'b')]],
  ['a in (in,notin)', [one('a', 'in', 'in', 'notin')]],
  ['in', [one('in', 'exists')]],
  ['in in (in)', [one('in', 'in', 'in')]],
  ['a>1,b<2', [one('a', 'gt', '1'), one('b', 'lt', '2')]],
  ['example.com/a', [one('example.com/a', 'exists')]],
])('%j parses', (text, want) => expect(parseLabelSelector(text)).toEqual(want))

test.each([
  [',', "found ',', expected: !, identifier, or 'end of string'"],
  ['a,', "found '', expected: identifier after ','"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['a=b c', "found 'c', expected: ',' or 'end of string'"],
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a in (=)', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
  ['a=(', "unable to parse requirement: found '(', expected: identifier"],
  ['!', "unable to parse requirement: found '', expected: identifier"],
  ['!a=b', "found '=', expected: ',' or 'end of string'"],
  [
    'a>x',
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
  ],
  [
    'a=b/c',
    expect.stringContaining('unable to parse requirement: values[0][a]: Invalid value: "b/c": a valid label must be'),
  ],
  [
    '/=b',
    expect.stringContaining(
      'unable to parse requirement: <nil>: Invalid value: "/": prefix part must be non-empty; name part',
    ),
  ],
])('%j is refused', (text, want) => {
  let refused: unknown
  try {
    parseLabelSelector(text)
  } catch (error) {
    refused = error
  }
  expect(refused).toBeInstanceOf(LabelSelectorError)
  expect((refused as Error).message).toEqual(want)
})

test.each<[string, Record<string, string>, boolean]>([
  ['', {}, true],
  ['a=b', { a: 'b' }, true],
  ['a=b', { a: 'c' }, false],
  ['a=b', {}, false],
  ['a=', {}, false],
  ['a!=b', {}, true],
  ['a!=b', { a: 'b' }, false],
  ['a in (b,c)', { a: 'c' }, true],
  ['a notin (b,c)', { a: 'c' }, false],
  ['a notin (b,c)', {}, true],
  ['a', { a: '' }, true],
  ['!a', { a: '' }, false],
  ['a>5', { a: '6' }, true],
  ['a>5', { a: '5' }, false],
  ['a>5', { a: 'x' }, false],
  ['a>9007199254740992', { a: '9007199254740993' }, true],
  ['a<5', { a: '-1' }, true],
  ['a<5', { a: '99999999999999999999' }, false],
  ['a=b,c=d', { a: 'b' }, false],
  ['constructor', {}, false],
  ['!toString', {}, true],
])('%j of %j is %j', (text, labels, want) => expect(matchesLabels(parseLabelSelector(text), labels)).toBe(want))

test('a LabelSelector demands what its parts demand', () => {
  const requirements = requirementsOf({
    matchLabels: { b: 'x' },
    matchExpressions: [
      { key: 'a', operator: 'In', values: ['2', '1'] },
      { key: 'c', operator: 'DoesNotExist' },
    ],
  })
  expect(requirements).toEqual([one('a', 'in', '1', '2'), one('b', '=', 'x'), one('c', '!')])
})

test('an empty LabelSelector matches everything, an absent one nothing', () => {
  expect(requirementsOf({})).toEqual([])
  expect(requirementsOf(undefined)).toBeUndefined()
})

test('an operator that is none is refused', () => {
  const selector = { matchExpressions: [{ key: 'a', operator: 'constructor' as 'In' }] }
  expect(() => requirementsOf(selector)).toThrow('"constructor" is not a valid label selector operator')
})

test('validateLabelSelector names every bad field', () => {
  const errors = validateLabelSelector(
    {
      matchLabels: { ok: ' ' },
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: 'b', operator: 'Exists', values: ['x'] },
        { key: '', operator: 'Like' as 'In' },
      ],
    },
    'spec.selector',
  )
  expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
    expect.stringContaining('spec.selector.matchLabels: Invalid value: " "'),
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    'spec.selector.matchExpressions[2].operator: Invalid value: "Like": not a valid selector operator',
    'spec.selector.matchExpressions[2].key: Invalid value: "": name part must be non-empty',
    expect.stringContaining('spec.selector.matchExpressions[2].key: Invalid value: "": name part must consist of'),
  ])
})

const word = fc.stringMatching(/^[A-Za-z0-9]([-_.A-Za-z0-9]{0,8}[A-Za-z0-9])?$/)
const key = fc.oneof(
  word,
  fc.tuple(fc.constantFrom('example.com', 'a'), word).map(([prefix, name]) => `${prefix}/${name}`),
)
const values = fc
  .uniqueArray(fc.oneof(word, fc.constant('')), { minLength: 1, maxLength: 4 })
  .map((list) => list.sort())
const integer = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String)
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('exists' as const, '!' as const), values: fc.constant([]) }),
  fc.record({ key, operator: fc.constantFrom('=' as const, '==' as const, '!=' as const), values: fc.tuple(word) }),
  fc.record({ key, operator: fc.constantFrom('in' as const, 'notin' as const), values }),
  fc.record({ key, operator: fc.constantFrom('gt' as const, 'lt' as const), values: fc.tuple(integer) }),
)

test('parsing what was formatted gives the same requirements', () => {
  const selector = fc.uniqueArray(requirement, { selector: (one) => one.key, maxLength: 5 })
  fc.assert(
    fc.property(selector, (requirements) => {
      const inOrder = requirements.toSorted((a, b) => (a.key < b.key ? -1 : 1))
      expect(parseLabelSelector(formatLabelSelector(requirements))).toEqual(inOrder)
    }),
  )
})

test('no text makes the parser do anything but answer or refuse', () => {
  const tokens = fc.constantFrom(
    'a',
    'in',
    'notin',
    '(',
    ')',
    ',',
    '=',
    '==',
    '!=',
    '!',
    '>',
    '<',
    ' ',
    '1',
    '/',
    '\u0000',
    'é',
  )
  fc.assert(
    fc.property(fc.array(tokens, { maxLength: 12 }), (parts) => {
      try {
        const parsed = parseLabelSelector(parts.join(''))
        expect(parseLabelSelector(formatLabelSelector(parsed))).toEqual(parsed)
      } catch (error) {
        if (!(error instanceof LabelSelectorError)) throw error
      }
    }),
    { numRuns: 2000 },
  )
})
