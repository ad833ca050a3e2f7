import { expect, test } from 'vitest'
import { WriteLine } from './write-line.ts'

test('a write that fails at once does not hide the one that is still under way', async () => {
  const line = new WriteLine()
  const slow = Promise.withResolvers<void>()
  const order: string[] = []
  const first = line.write('key', () => slow.promise).then(() => order.push('written'))
  await expect(line.write('key', () => Promise.reject(new Error('conflict')))).rejects.toThrow('conflict')
  const waited = line.whenWritten('key').then(() => order.push('waited'))
  slow.resolve()
  await Promise.all([first, waited])
  expect(order).toEqual(['written', 'waited'])
})

test('who takes a place in the line runs after those before, also when they fail', async () => {
  const line = new WriteLine()
  const order: number[] = []
  const run = (at: number) => async () => {
    order.push(at)
    if (at === 1) throw new Error('first')
  }
  const results = await Promise.allSettled([1, 2, 3].map((at) => line.take('key', run(at))))
  expect(order).toEqual([1, 2, 3])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  expect(line.isFormed('key')).toBe(false)
})
