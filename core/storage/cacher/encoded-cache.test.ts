import { expect, test } from 'vitest'
import { EncodedCache } from './encoded-cache.ts'
import { CacheEntry } from './entry.ts'

const limit = 1000
const form = {}
const entries = Array.from({ length: 50 }, (_, at) => new CacheEntry(`e${at}`, Buffer.alloc(0), at))
const encoding = (at: number) => Buffer.alloc(100, at)

test('what is encoded is kept as it was, in each form by itself', () => {
  const cache = new EncodedCache(limit)
  const bytes = encoding(1)
  cache.add(form, entries[0]!, bytes)
  bytes.fill(9)
  expect(cache.get(form, entries[0]!)).toEqual(encoding(1))
  expect(cache.get({}, entries[0]!)).toBeUndefined()
  expect(cache.get(form, entries[1]!)).toBeUndefined()
})

test('no more is kept than the limit says, and what is used stays', () => {
  const cache = new EncodedCache(limit)
  for (const [at, entry] of entries.entries()) {
    cache.add(form, entry, encoding(at))
    expect(cache.get(form, entries[0]!)).toEqual(encoding(0))
  }
  const kept = entries.filter((entry) => cache.get(form, entry))
  expect(kept.length * 100).toBeLessThanOrEqual(limit)
  expect(kept).toContain(entries.at(-1))
})

test('what is larger than all others is kept, too, until more comes', () => {
  const cache = new EncodedCache(limit)
  cache.add(form, entries[0]!, Buffer.alloc(100_000, 7))
  expect(cache.get(form, entries[0]!)).toEqual(Buffer.alloc(100_000, 7))
  for (const entry of entries.slice(1)) cache.add(form, entry, encoding(1))
  expect(cache.get(form, entries[0]!)).toBeUndefined()
})

test('what is cleared is gone', () => {
  const cache = new EncodedCache(limit)
  cache.add(form, entries[0]!, encoding(1))
  cache.clear()
  expect(cache.get(form, entries[0]!)).toBeUndefined()
})
