import { expect, test } from 'vitest'
import { formatSelector, matchesLabels } from './selectors.ts'

const labels = { app: 'web', tier: 'front' }
const cases = [
  { name: 'nothing when absent', selector: undefined, want: false },
  { name: 'everything when empty', selector: {}, want: true },
  { name: 'equal labels', selector: { matchLabels: { app: 'web' } }, want: true },
  { name: 'no other value', selector: { matchLabels: { app: 'db' } }, want: false },
  { name: 'no inherited property', selector: { matchLabels: { constructor: 'x' } }, want: false },
  { name: 'In', selector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'web'] }] }, want: true },
  {
    name: 'NotIn with the value',
    selector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] },
    want: false,
  },
  {
    name: 'NotIn without the label',
    selector: { matchExpressions: [{ key: 'x', operator: 'NotIn', values: ['y'] }] },
    want: true,
  },
  { name: 'Exists', selector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, want: true },
  {
    name: 'no inherited existence',
    selector: { matchExpressions: [{ key: 'toString', operator: 'Exists' }] },
    want: false,
  },
  { name: 'DoesNotExist', selector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, want: false },
] as const
test.each(cases)('a selector matches $name', ({ selector, want }) => expect(matchesLabels(selector, labels)).toBe(want))

test('a selector is written as the query of a list', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'a', operator: 'In', values: ['x', 'y'] },
      { key: 'b', operator: 'NotIn', values: ['z'] },
      { key: 'c', operator: 'Exists' },
      { key: 'd', operator: 'DoesNotExist' },
    ],
  } as const
  expect(formatSelector(selector)).toBe('app=web,a in (x,y),b notin (z),c,!d')
})
