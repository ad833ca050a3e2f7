import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from './heap.ts'

const boxes = fc.array(fc.integer().map((value) => ({ value })))
const byValue = (a: { value: number }, b: { value: number }) => a.value - b.value

test('a heap gives back what it was given, in order, without what was taken out', () => {
  fc.assert(
    fc.property(boxes, fc.func(fc.boolean()), (items, isTaken) => {
      const heap = new Heap(byValue)
      for (const item of items) heap.push(item)
      const kept = items.filter((item) => !(isTaken(item) && heap.delete(item)))
      expect(heap.size).toBe(kept.length)
      const popped = []
      for (let next = heap.pop(); next; next = heap.pop()) popped.push(next.value)
      expect(popped).toEqual(kept.map(({ value }) => value).sort((a, b) => a - b))
    }),
  )
})

test('an item is in a heap once', () => {
  const heap = new Heap(byValue)
  const item = { value: 1 }
  heap.push(item)
  heap.push(item)
  expect([heap.size, heap.pop(), heap.pop(), heap.delete(item)]).toEqual([1, item, undefined, false])
})
