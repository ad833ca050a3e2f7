import { expect, test } from 'vitest'
import { WriteLine } from './write-line.ts'

test('who stands in one line acts one after another, whatever comes of it; other lines do not wait', async () => {
  const line = new WriteLine()
  const order: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = line.take('a', async () => {
    await gate.promise
    order.push('first')
    throw new Error('failed')
  })
  const second = line.take('a', async () => order.push('second'))
  expect(line.isFormed('a')).toBe(true)
  await line.take('b', async () => order.push('other'))
  gate.resolve()
  await expect(first).rejects.toThrow('failed')
  await second
  expect(order).toEqual(['other', 'first', 'second'])
  expect([line.isFormed('a'), line.isFormed('b')]).toEqual([false, false])
})

test('a write is under way until it has succeeded or failed', async () => {
  const line = new WriteLine()
  await line.whenWritten('a')
  const gate = Promise.withResolvers<number>()
  const written = line.write('a', () => gate.promise)
  let isOver = false
  const over = line.whenWritten('a').then(() => {
    isOver = true
  })
  await line.whenWritten('b')
  expect(isOver).toBe(false)
  gate.reject(new Error('failed'))
  await expect(written).rejects.toThrow('failed')
  await over
})
