import { hash } from 'node:crypto'

/**
 * Deals a flow its hand of queues. Two flows seldom get the same hand, so a flow that fills all of its queues leaves
 * almost every other flow at least one that it does not share.
 * @see https://kep.k8s.io/1040
 */

/** A number that says nothing about the texts it is made of but is the same for the same texts. */
export function flowHash(schema: string, distinguisher: string): bigint {
  return BigInt(`0x${hash('sha256', JSON.stringify([schema, distinguisher]))}`)
}

/** @returns `handSize` different numbers below `deckSize`, in the order dealt; the whole deck when the hand is larger */
export function dealHand(entropy: bigint, deckSize: number, handSize: number): number[] {
  const hand: number[] = []
  const taken: number[] = []
  let rest = entropy
  for (let left = deckSize; left > 0 && hand.length < handSize; left--) {
    const card = nthFree(Number(rest % BigInt(left)), taken)
    rest /= BigInt(left)
    hand.push(card)
    taken.push(card)
    taken.sort((a, b) => a - b)
  }
  return hand
}

/** The `n`th number that is not taken. @param taken rising */
function nthFree(n: number, taken: readonly number[]): number {
  let card = n
  for (const one of taken) if (card >= one) card++
  return card
}
