import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

test('gives what it holds, and then as much as time brings', () => {
  let now = 0
  const bucket = new TokenBucket(3, 2, () => now)
  const takeAll = () => {
    let taken = 0
    while (bucket.take()) taken++
    return taken
  }
  expect(takeAll()).toBe(3)
  now += 499
  expect(takeAll()).toBe(0)
  now += 501
  expect(takeAll()).toBe(2)
  now += 60_000
  expect(takeAll()).toBe(3)
})
