import { expect, test } from 'vitest'
import { admissionChain, builtinSteps } from './chain.ts'
import { FakeReader, requestOf } from './testing/request.ts'

test('every step may change the object before any judges it, each after the one before', async () => {
  const heard: string[] = []
  const slow = (name: string) => async () => {
    await Promise.resolve()
    heard.push(name)
  }
  const chain = admissionChain([
    { name: 'a', admit: slow('a admits'), validate: slow('a judges') },
    { name: 'b', validate: slow('b judges') },
    { name: 'c', admit: slow('c admits') },
  ])
  await chain.mutate(requestOf({}))
  await chain.validate(requestOf({}))
  expect(heard).toEqual(['a admits', 'c admits', 'a judges', 'b judges'])
})

test('a refusal ends the chain', async () => {
  const heard: string[] = []
  const refuse = () => {
    throw new Error('no')
  }
  const chain = admissionChain([
    { name: 'a', admit: refuse },
    { name: 'b', admit: () => void heard.push('b') },
  ])
  await expect(async () => chain.mutate(requestOf({}))).rejects.toThrow('no')
  expect(heard).toEqual([])
})

test('the steps have names of their own', () => {
  const names = builtinSteps(new FakeReader()).map((step) => step.name)
  expect(new Set(names).size).toBe(names.length)
})
