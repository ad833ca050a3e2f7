import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'

let registry: TestRegistry

beforeAll(async () => {
  registry = await openTestRegistry()
})
afterAll(() => registry[Symbol.asyncDispose]())

const pod = (name: string, nodeName?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { ...(nodeName && { nodeName }), containers: [{ name: 'a', image: 'a' }] },
})

test('who lists the pods of a node looks at those only, from the second time on', async () => {
  for (let at = 0; at < 120; at++) await registry.create('v1/pods', pod(`p-${100 + at}`, `n-${at % 60}`))
  const { cache } = registry.served('v1/pods').resource
  const select = (node: string) => {
    let looked = 0
    const { entries } = cache.list('', () => Boolean(++looked), 0, '', { field: 'spec.nodeName', value: node })
    return { looked, keys: entries.map(({ key }) => key) }
  }
  expect(select('n-7').looked).toBe(120)
  while (cache.lookup!('spec.nodeName', 'n-7') === undefined) await new Promise((resolve) => setImmediate(resolve))
  expect(select('n-7')).toEqual({ looked: 2, keys: ['default/p-107', 'default/p-167'] })
  await registry.create('v1/pods', pod('p-000', 'n-7'))
  await registry.create('v1/pods', pod('p-001'))
  expect(select('n-7').keys).toEqual(['default/p-000', 'default/p-107', 'default/p-167'])
  expect(select('').keys).toEqual(['default/p-001'])
  expect(cache.lookup!('status.phase', 'Pending')).toBeUndefined()
})
