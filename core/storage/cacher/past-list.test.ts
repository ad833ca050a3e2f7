import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dispatcher } from './dispatcher.ts'
import { CacheEntry } from './entry.ts'
import { listPast } from './past-list.ts'
import { ResourceCache } from './resource-cache.ts'

const newCache = () => new ResourceCache(0, new Dispatcher(), () => ({ labels: {}, fields: {} }))
const entry = (key: string, revision: number) => new CacheEntry(key, Buffer.from(`${key}@${revision}`), revision)

const write = fc.record({
  key: fc.constantFrom('a/1', 'a/2', 'a/3', 'b/1', 'b/2', 'c'),
  remove: fc.boolean(),
})
const query = fc.record({
  keyPrefix: fc.constantFrom('', 'a/', 'b/'),
  limit: fc.integer({ min: 0, max: 4 }),
  after: fc.constantFrom('', 'a/1', 'b/1'),
  onlyOnes: fc.boolean(),
})

test('a list of the past is what the list was then', () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 30 }), fc.array(write, { maxLength: 30 }), query, (then, since, asked) => {
      const cache = newCache()
      let revision = 0
      const apply = ({ key, remove }: { key: string; remove: boolean }) => {
        revision++
        if (remove) cache.remove(entry(key, revision))
        else cache.put(entry(key, revision))
      }
      const { keyPrefix, limit, onlyOnes } = asked
      const after = asked.after.startsWith(keyPrefix) ? asked.after : ''
      const matches = onlyOnes ? ({ key }: CacheEntry) => key.endsWith('1') : undefined
      then.forEach(apply)
      const at = revision
      const want = cache.list(keyPrefix, matches, limit, after)
      const last = want.entries.at(-1)
      const remaining = want.more && !matches ? cache.countAfter(keyPrefix, last!.key) : undefined
      since.forEach(apply)
      const got = listPast(cache, at, { keyPrefix, limit, after, ...(matches && { matches }) })!
      expect(got.entries).toEqual(want.entries)
      expect([got.more, got.remaining]).toEqual([want.more, remaining])
    }),
  )
})

test('what is forgotten is not made up', () => {
  const cache = newCache()
  for (let revision = 1; revision < 10_000; revision++) cache.put(entry('a', revision))
  expect(listPast(cache, 1, { keyPrefix: '', limit: 0, after: '' })).toBeUndefined()
})
