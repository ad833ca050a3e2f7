import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dispatcher } from './dispatcher.ts'

class Recorder {
  readonly heard: string[] = []

  deliver(chunk: Buffer): void {
    this.heard.push(chunk.toString())
  }
}

test('everyone hears what was queued for him, in order, however many they are', async () => {
  const sizes = fc.array(fc.constantFrom(0, 1, 3, 255, 256, 257, 600), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(sizes, async (crowds) => {
      const dispatcher = new Dispatcher()
      const all = Array.from({ length: 600 }, () => new Recorder())
      for (const [at, size] of crowds.entries()) dispatcher.enqueue(Buffer.from(String(at)), all.slice(0, size))
      const { promise, resolve } = Promise.withResolvers<void>()
      dispatcher.enqueue(Buffer.from('end'), [{ deliver: () => resolve() }])
      await promise
      all.forEach((recorder, index) => {
        expect(recorder.heard).toEqual(crowds.flatMap((size, at) => (index < size ? [String(at)] : [])))
      })
    }),
    { numRuns: 40 },
  )
})

test('what waits for the same ones is joined, up to what somebody is told alone', async () => {
  const dispatcher = new Dispatcher()
  const [a, b] = [new Recorder(), new Recorder()]
  const both = [a, b]
  dispatcher.enqueue(Buffer.from('1'), both)
  dispatcher.enqueue(Buffer.from('2'), both)
  dispatcher.enqueueLast(Buffer.from('mark'), a)
  dispatcher.enqueue(Buffer.from('3'), both)
  dispatcher.enqueue(Buffer.from('4'), both)
  const { promise, resolve } = Promise.withResolvers<void>()
  dispatcher.enqueueLast(Buffer.from('end'), { deliver: () => resolve() })
  await promise
  expect(a.heard).toEqual(['12', 'mark', '34'])
  expect(b.heard).toEqual(['12', '34'])
})

test('the event loop gets its turn while many are served', async () => {
  const dispatcher = new Dispatcher()
  let served = 0
  let servedAtTurn = -1
  const { promise, resolve } = Promise.withResolvers<void>()
  const crowd = Array.from({ length: 10_000 }, () => ({ deliver: () => void served++ }))
  dispatcher.enqueue(Buffer.from('x'), crowd)
  dispatcher.enqueue(Buffer.from('end'), [{ deliver: () => resolve() }])
  setImmediate(() => {
    servedAtTurn = served
  })
  await promise
  expect(served).toBe(10_000)
  expect(servedAtTurn).toBeLessThan(10_000)
})
