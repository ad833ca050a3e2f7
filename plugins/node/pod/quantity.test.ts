import { expect, test } from 'vitest'
import { quantityValue } from './quantity.ts'

test.each([
  ['1500m', 1.5],
  ['2', 2],
  [3, 3],
  ['.5', 0.5],
  ['1Ki', 1024],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['1k', 1000],
  ['1e3', 1000],
  ['1E', 1e18],
  ['5E-1', 0.5],
  [undefined, 0],
  ['nonsense', 0],
])('%s is %d', (quantity, want) => expect(quantityValue(quantity)).toBeCloseTo(want))
