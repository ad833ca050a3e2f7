import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheEntry } from './entry.ts'
import { RenamedEntry } from './renamed-entry.ts'

const source = new CacheEntry('ns/a', Buffer.from('old-head, and the rest'), 7)
const head = Buffer.from('a longer head')
const entry = new RenamedEntry(source, head, 'old-head'.length)
const whole = 'a longer head, and the rest'

test('it is the source with another head', () => {
  expect([entry.key, entry.revision, entry.length]).toEqual(['ns/a', 7, whole.length])
  expect(entry.bytes.toString()).toBe(whole)
  expect(entry.startsWith(head)).toBe(true)
  expect(entry.startsWith(Buffer.from('old-head'))).toBe(false)
})

test('any part of it is copied without making it', () => {
  const range = fc.tuple(fc.nat(whole.length), fc.nat(whole.length)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)])
  const property = fc.property(range, ([from, to]) => {
    const target = Buffer.alloc(40, '.')
    const copied = new RenamedEntry(source, head, 'old-head'.length).copy(target, 2, from!, to!)
    expect(target.toString()).toBe(`..${whole.slice(from, to)}`.padEnd(40, '.'))
    expect(copied).toBe(to! - from!)
  })
  fc.assert(property)
})
