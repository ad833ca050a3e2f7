import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dealHand, flowHash } from './shuffle-shard.ts'

const decks = fc.record({
  entropy: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  deck: fc.integer({ min: 1, max: 200 }),
  hand: fc.integer({ min: 1, max: 12 }),
})

test('a hand holds different queues of the deck', () => {
  fc.assert(
    fc.property(decks, ({ entropy, deck, hand }) => {
      const dealt = dealHand(entropy, deck, hand)
      expect(dealt).toHaveLength(Math.min(deck, hand))
      expect(new Set(dealt).size).toBe(dealt.length)
      expect(dealt.every((card) => card >= 0 && card < deck)).toBe(true)
    }),
  )
})

test('every hand is dealt, and each as often', () => {
  const hands = new Map<string, number>()
  for (let entropy = 0n; entropy < 60n; entropy++) {
    const key = dealHand(entropy, 5, 3).join()
    hands.set(key, (hands.get(key) ?? 0) + 1)
  }
  expect([...hands.values()]).toEqual(Array(60).fill(1))
})

test('the same flow always gets the same hand, another one another', () => {
  const deal = (schema: string, user: string) => dealHand(flowHash(schema, user), 128, 6)
  expect(deal('a', 'b')).toEqual(deal('a', 'b'))
  expect(deal('a', 'b')).not.toEqual(deal('a', 'c'))
  expect(deal('ab', 'c')).not.toEqual(deal('a', 'bc'))
})
