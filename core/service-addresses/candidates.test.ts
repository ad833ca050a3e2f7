import fc from 'fast-check'
import { expect, test } from 'vitest'
import { candidates, randomBelow, staticBand } from './candidates.ts'

const ofPorts = { part: 32n, most: 128n }
const ofAddresses = { part: 16n, most: 256n }

test.each([
  [6n, ofAddresses, 0n],
  [16n, ofAddresses, 0n],
  [30n, ofAddresses, 16n],
  [1022n, ofAddresses, 63n],
  [65_534n, ofAddresses, 256n],
  [2768n, ofPorts, 86n],
  [10_000n, ofPorts, 128n],
])('of %s, with %o, those who ask by name are left %s', (size, by, want) => expect(staticBand(size, by)).toBe(want))

test('every offset is tried once, those of the band after all others', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 300n), fc.bigInt(0n, 300n), (size, wanted) => {
      const band = wanted < size ? wanted : size
      const tried = [...candidates(size, band, randomBelow)]
      expect(new Set(tried).size).toBe(Number(size))
      expect(tried.every((offset) => offset >= 0n && offset < size)).toBe(true)
      expect(tried.slice(0, Number(size - band)).every((offset) => offset >= band)).toBe(true)
    }),
  )
})

test('trying begins anywhere above the band', () => {
  const firsts = Array.from({ length: 4 }, (_, at) => candidates(20n, 16n, () => BigInt(at)).next().value)
  expect(firsts).toEqual([16n, 17n, 18n, 19n])
})

test('a random number is below its bound, however large that is', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 1n << 64n), (below) => {
      const number = randomBelow(below)
      expect(number >= 0n && number < below).toBe(true)
    }),
  )
})
