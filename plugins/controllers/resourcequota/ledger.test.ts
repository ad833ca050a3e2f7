import { readAmounts, writeAmounts } from '@keelson/apis/core/v1/amounts.ts'
import { expect, test } from 'vitest'
import { createLedger } from './ledger.ts'

const windowMs = 1_000
const quota = (pods?: string, uid = 'u') => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', uid },
  status: pods === undefined ? {} : { used: { pods } },
})

function setUp() {
  let now = 0
  const ledger = createLedger(() => now, windowMs)
  const recent = () => {
    const { amounts, oldestEndsInMs } = ledger.recent(quota())
    return [writeAmounts(amounts), oldestEndsInMs]
  }
  return { ledger, recent, pass: (ms: number) => void (now += ms) }
}

test('what was charged is recent for a while', () => {
  const { ledger, recent, pass } = setUp()
  ledger.see(quota('2'))
  pass(600)
  ledger.see(quota('5'))
  expect(recent()).toEqual([{ pods: '5' }, 400])
  pass(500)
  expect(recent()).toEqual([{ pods: '3' }, 500])
  pass(500)
  expect(recent()).toEqual([{}, 0])
})

test('what is given back makes nothing recent, and is charged anew', () => {
  const { ledger, recent, pass } = setUp()
  ledger.see(quota('5'))
  pass(windowMs)
  ledger.see(quota('2'))
  expect(recent()[0]).toEqual({})
  ledger.see(quota('3'))
  expect(recent()[0]).toEqual({ pods: '1' })
})

test('departures add up until they are settled', () => {
  const { ledger } = setUp()
  ledger.depart(quota(), readAmounts({ pods: '2' }))
  const first = ledger.departed(quota())
  ledger.depart(quota(), readAmounts({ pods: '1' }))
  ledger.settle(quota(), first)
  expect(writeAmounts(ledger.departed(quota()))).toEqual({ pods: '1' })
  expect(writeAmounts(ledger.departed(quota('0', 'another')))).toEqual({})
})

test('a quota that is gone is forgotten', () => {
  const { ledger, recent } = setUp()
  ledger.see(quota('2'))
  ledger.depart(quota(), readAmounts({ pods: '2' }))
  ledger.forget(quota())
  expect([recent()[0], writeAmounts(ledger.departed(quota()))]).toEqual([{}, {}])
})
