import { expect, test } from 'vitest'
import { envelope, frameWatchEvent, itemSize, listParts } from './envelope.ts'

const type = { kind: 'Pod', apiVersion: 'v1' }
const hex = (...parts: (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part])))).toString(
    'hex',
  )
/** contentEncoding and contentType, which are empty. */
const tail = [0x1a, 0, 0x22, 0]

test('a message stands in its envelope as Go writes it', () => {
  const want = hex('k8s\0', 0x0a, 9, 0x0a, 2, 'v1', 0x12, 3, 'Pod', 0x12, 3, 'abc', ...tail)
  expect(envelope(type, Buffer.from('abc')).toString('hex')).toBe(want)
})

test('names and messages may be long', () => {
  const long = { kind: 'K'.repeat(200), apiVersion: 'v1' }
  const bytes = envelope(long, Buffer.alloc(20_000, 'x'))
  const type = [0x0a, 0xcf, 1, 0x0a, 2, 'v1', 0x12, 0xc8, 1, long.kind]
  expect(bytes.toString('hex')).toBe(hex('k8s\0', ...type, 0x12, 0xa0, 0x9c, 1, 'x'.repeat(20_000), ...tail))
})

test('an event is a frame behind its length, with its object’s body', () => {
  const frame = frameWatchEvent('ERROR', Buffer.from('body'))
  expect(frame.toString('hex')).toBe(hex(0, 0, 0, 15, 0x0a, 5, 'ERROR', 0x12, 6, 0x0a, 4, 'body'))
  const large = frameWatchEvent('ADDED', Buffer.alloc(70_000))
  expect(large.readUInt32BE()).toBe(large.length - 4)
})

test.each([
  { numbers: { metadata: 1, items: 2 }, want: [0x0a, 1, 'm', 0x12, 1, 'a', 0x12, 2, 'bc'] },
  { numbers: { metadata: 2, items: 1 }, want: [0x12, 1, 'm', 0x0a, 1, 'a', 0x0a, 2, 'bc'] },
])('a list is $want in its envelope', ({ numbers, want }) => {
  const items = ['a', 'bc'].map((text) => Buffer.from(text))
  const size = items.reduce((sum, item) => sum + itemSize(numbers, item), 0)
  const list = { kind: 'PodList', apiVersion: 'v1' }
  const parts = Array.from(listParts(list, numbers, Buffer.from('m'), items, size), (part) => Buffer.from(part))
  const message = Buffer.from(hex(...want), 'hex')
  expect(Buffer.concat(parts).toString('hex')).toBe(envelope(list, message).toString('hex'))
})
