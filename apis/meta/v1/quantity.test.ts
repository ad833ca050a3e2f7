import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliOf,
  parseQuantity,
  type Quantity,
  subtractQuantities,
  unitsOf,
} from './quantity.ts'

test.each([
  ['0', '0'],
  ['-0', '0'],
  ['0Gi', '0'],
  ['1', '1'],
  ['+1', '1'],
  ['1.', '1'],
  ['.5', '500m'],
  ['0.5', '500m'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['1000', '1k'],
  ['1234', '1234'],
  ['12000k', '12M'],
  ['1000000000n', '1'],
  ['0.1n', '1n'],
  ['-0.1n', '-1n'],
  ['1024', '1024'],
  ['1024Ki', '1Mi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Ki', '512'],
  ['0.1Ki', '102400m'],
  ['-1Gi', '-1Gi'],
  ['1e3', '1e3'],
  ['1E3', '1e3'],
  ['12e6', '12e6'],
  ['5e-3', '5e-3'],
  ['100e0', '100'],
  ['1E', '1E'],
  ['1Ei', '1Ei'],
  ['100Ei', '9223372036854775807'],
  ['1e100', '9223372036854775807'],
])('%s is written %s', (text, want) => expect(canonicalQuantity(text)).toBe(want))

test('numbers of JSON are quantities, too', () => {
  expect([1, 0.5, 1e21].map(canonicalQuantity)).toEqual(['1', '500m', '9223372036854775807'])
})

test.each(['', 'a', '1 ', ' 1', '1KI', '1ki', '1.2.3', '--1', '1e', '1e+', '.', '1Mi1', '1e99999', '9'.repeat(1000)])(
  '%j is no quantity',
  (text) => expect(() => parseQuantity(text)).toThrow('quantities must match the regular expression'),
)

test.each([
  ['1500m', 2, 1500],
  ['-1500m', -2, -1500],
  ['1Ki', 1024, 1024000],
  ['1u', 1, 1],
])('%s is %d units and %d thousandths', (text, units, milli) => {
  expect([unitsOf(parseQuantity(text)), milliOf(parseQuantity(text))]).toEqual([units, milli])
})

const quantity: fc.Arbitrary<Quantity> = fc.record({
  nano: fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }),
  format: fc.constantFrom('DecimalSI', 'BinarySI', 'DecimalExponent'),
})

test('parsing what was formatted gives the same amount, and formats the same', () => {
  fc.assert(
    fc.property(quantity, (one) => {
      const text = formatQuantity(one)
      expect(parseQuantity(text).nano).toBe(one.nano)
      expect(canonicalQuantity(text)).toBe(text)
    }),
  )
})

test('comparison agrees with subtraction, and addition undoes it', () => {
  fc.assert(
    fc.property(quantity, quantity, (a, b) => {
      const difference = subtractQuantities(a, b)
      expect(BigInt(compareQuantities(a, b))).toBe(difference.nano > 0n ? 1n : difference.nano < 0n ? -1n : 0n)
      expect(compareQuantities(addQuantities(difference, b), a)).toBe(0)
    }),
  )
})

test('no text makes the parser do anything but answer or refuse', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.+-eEnumkKMGTPi ') }), (text) => {
      let parsed: Quantity | undefined
      try {
        parsed = parseQuantity(text)
      } catch {
        return
      }
      expect(parseQuantity(formatQuantity(parsed)).nano).toBe(parsed.nano)
    }),
  )
})
