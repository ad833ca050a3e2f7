import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configurationOf } from './configuration.ts'
import { mandatoryLevels, suggestedLevels } from './defaults.ts'
import { currentLimits, type LevelDemand, seatBounds, smoothDemand } from './limits.ts'

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0)

test('the default levels share 600 seats as in Kubernetes', () => {
  const { levels } = configurationOf([], [...mandatoryLevels, ...suggestedLevels])
  const bounds = seatBounds(levels, 600)
  const shown = levels.map(({ name }, at) => [name, bounds[at]!.nominal, bounds[at]!.min])
  expect(shown).toEqual([
    ['exempt', 0, 0],
    ['catch-all', 13, 13],
    ['system', 74, 50],
    ['node-high', 98, 73],
    ['leader-election', 25, 25],
    ['workload-high', 98, 49],
    ['workload-low', 245, 24],
    ['global-default', 49, 24],
  ])
})

test('a level borrows no more than its limit says', () => {
  const shares = { isExempt: false, nominalConcurrencyShares: 1, lendablePercent: 0 }
  expect(seatBounds([{ ...shares, borrowingLimitPercent: 50 }, shares], 100)[0]).toEqual({
    nominal: 50,
    min: 50,
    max: 75,
  })
})

test('expected demand rises at once and falls slowly', () => {
  expect(smoothDemand(0, 100)).toBe(100)
  const afterFiveMinutes = Array.from({ length: 30 }).reduce<number>((demand) => smoothDemand(demand, 0), 100)
  expect(afterFiveMinutes).toBeGreaterThan(45)
  expect(afterFiveMinutes).toBeLessThan(55)
})

const level = (high: number, smooth = high, lendable = 50): LevelDemand => ({
  isExempt: false,
  nominal: 100,
  min: 100 - lendable,
  max: 300,
  high,
  smooth,
})

test.each([
  { name: 'nobody wants anything: what is lent goes to all alike', levels: [level(0), level(0)], want: [100, 100] },
  { name: 'one wants all: it gets what the other lends', levels: [level(500), level(0)], want: [150, 50] },
  { name: 'one wants a little more than its own', levels: [level(120), level(30)], want: [141, 59] },
  { name: 'both want all: each has its own', levels: [level(500), level(500)], want: [100, 100] },
  { name: 'what is not lent stays', levels: [level(500), level(0, 0, 0)], want: [100, 100] },
  {
    name: 'what a level used of its own it keeps',
    levels: [level(500), level(80)],
    want: [120, 80],
  },
])('limits when $name', ({ levels, want }) => {
  expect(currentLimits(levels, 200)).toEqual(want)
})

const anyLevel: fc.Arbitrary<LevelDemand> = fc
  .record({
    isExempt: fc.boolean(),
    nominal: fc.nat(300),
    lends: fc.nat(100),
    borrows: fc.nat(300),
    high: fc.nat(1_000),
    smooth: fc.double({ min: 0, max: 1_000, noNaN: true }),
  })
  .map(({ lends, borrows, nominal, ...rest }) => ({
    ...rest,
    nominal,
    min: nominal - Math.round((nominal * lends) / 100),
    max: nominal + borrows,
  }))

test('limits lie between what a level never lends and what it may borrow, and fit the server', () => {
  fc.assert(
    fc.property(fc.array(anyLevel, { minLength: 1, maxLength: 10 }), fc.nat(1_000), (levels, server) => {
      const limits = currentLimits(levels, server)
      for (const [at, { min, max, nominal, high }] of levels.entries()) {
        expect(Number.isInteger(limits[at])).toBe(true)
        expect(limits[at]).toBeGreaterThanOrEqual(Math.max(min, Math.min(nominal, high)))
        expect(limits[at]).toBeLessThanOrEqual(Math.max(max, nominal))
      }
      const kept = sum(levels.map(({ min, nominal, high }) => Math.max(min, Math.min(nominal, high))))
      expect(sum(limits)).toBeLessThanOrEqual(Math.max(server, kept))
    }),
  )
})
