import { expect, test } from 'vitest'
import { ManualClock } from '#core/testing/manual-clock.ts'
import { Expiry } from './expiry.ts'
import { KeyIndex } from './key-index.ts'

/** An index with the keys given by the second they expire at, and what was asked to expire. */
function setUp(seconds: Record<string, number>) {
  const clock = new ManualClock(0)
  const index = new KeyIndex()
  let revision = 0
  for (const [key, at] of Object.entries(seconds)) {
    revision++
    index.apply({ key, revision, state: { created: revision, revision, expires: at * 1000 } })
  }
  const asked: string[] = []
  const expiry = new Expiry(index, clock, ({ key }) => asked.push(`${key} at ${clock.now() / 1000}`))
  expiry.reschedule()
  return { clock, index, asked, expiry }
}

test('each key is expired at its time', () => {
  const { clock, index, asked, expiry } = setUp({ late: 30, early: 10 })
  clock.advance(10_000)
  index.apply({ key: 'early', revision: 3, state: undefined })
  expiry.reschedule()
  clock.advance(20_000)
  expect(asked).toEqual(['early at 10', 'late at 30'])
})

test('a key whose deletion failed is tried again', () => {
  const { clock, asked } = setUp({ key: 10 })
  clock.advance(12_000)
  expect(asked).toEqual(['key at 10', 'key at 11', 'key at 12'])
})

test('a key whose deletion is pending, or that was written meanwhile, is left alone', () => {
  const { clock, index, asked } = setUp({ deleted: 10, rewritten: 10 })
  index.stage({ key: 'deleted', revision: 3, state: undefined })
  index.apply({ key: 'rewritten', revision: 4, state: { created: 2, revision: 4, expires: 0 } })
  clock.advance(60_000)
  expect(asked).toEqual([])
})

test('a key that expires in a long time does not overflow the timer', () => {
  const days = 90 * 86_400
  const { clock, asked } = setUp({ key: days })
  clock.advance((days - 1) * 1000)
  expect(asked).toEqual([])
  clock.advance(1000)
  expect(asked).toEqual([`key at ${days}`])
})
