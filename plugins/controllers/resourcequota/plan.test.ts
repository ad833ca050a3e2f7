import { readAmounts, writeAmounts } from '@keelson/apis/core/v1/amounts.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { greatest, planUsage } from './plan.ts'

interface Numbers {
  used?: number
  observed: number
  departed?: number
  recent?: number
}

const amounts = (pods: number | undefined) => readAmounts(pods === undefined ? {} : { pods: String(pods) })

function plan({ used, observed, departed = 0, recent = 0 }: Numbers) {
  const { used: planned, ...rest } = planUsage({
    names: ['pods'],
    used: amounts(used),
    observed: amounts(observed),
    departed: amounts(departed),
    recent: amounts(recent),
  })
  return { used: Number(writeAmounts(planned).pods), ...rest }
}

const quiet = { isUnexplained: false, isCorrected: false }

test.each<{ name: string; known: Numbers; want: object }>([
  { name: 'what is there, when nothing was said yet', known: { observed: 3 }, want: { used: 3, ...quiet } },
  { name: 'what it was, when that is so', known: { used: 3, observed: 3 }, want: { used: 3, ...quiet } },
  {
    name: 'less by what departed',
    known: { used: 3, observed: 2, departed: 1 },
    want: { used: 2, ...quiet },
  },
  {
    name: 'what was charged for objects on their way',
    known: { used: 5, observed: 3, recent: 2 },
    want: { used: 5, isUnexplained: true, isCorrected: false },
  },
  {
    name: 'what is on its way, less by what departed',
    known: { used: 5, observed: 2, departed: 1, recent: 2 },
    want: { used: 4, isUnexplained: true, isCorrected: false },
  },
  {
    name: 'no longer what was charged for nothing',
    known: { used: 5, observed: 3 },
    want: { used: 3, isUnexplained: true, isCorrected: true },
  },
  { name: 'never less than what is there', known: { used: 3, observed: 3, departed: 2 }, want: { used: 3, ...quiet } },
  { name: 'more, when more is there than was charged', known: { used: 1, observed: 3 }, want: { used: 3, ...quiet } },
])('a quota says $name', ({ known, want }) => expect(plan(known)).toEqual(want))

test('however events come in, room is never given that somebody was promised', () => {
  // Charges that are still under way are all recent ones; each departure is seen once, after its object was counted.
  const history = fc.record({ underWay: fc.nat(9), there: fc.nat(9), gone: fc.nat(9), failed: fc.nat(9) })
  fc.assert(
    fc.property(history, fc.nat(9), ({ underWay, there, gone, failed }, alsoRecent) => {
      const used = there + gone + underWay + failed
      const { used: planned } = plan({ used, observed: there, departed: gone, recent: underWay + alsoRecent })
      expect(planned).toBeGreaterThanOrEqual(there + underWay)
      expect(planned).toBeLessThanOrEqual(used)
    }),
  )
})

test('the greater of each amount', () => {
  const most = greatest(readAmounts({ cpu: '1', pods: '1' }), readAmounts({ cpu: '500m', pods: '2', memory: '1' }))
  expect(writeAmounts(most)).toEqual({ cpu: '1', pods: '2', memory: '1' })
})
