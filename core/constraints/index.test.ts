import { expect, test } from 'vitest'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin } from '#core/testing/test-registry.ts'
import { definition, openWith, widget, widgets } from './testing.ts'

const text = { type: 'string' } as const
const schema = {
  colour: { ...text, 'x-keelson-index': true },
  size: { type: 'integer', 'x-keelson-index': true },
  ports: { type: 'array', items: { type: 'object', properties: { name: { ...text, 'x-keelson-index': true } } } },
  zones: { type: 'object', additionalProperties: { ...text, 'x-keelson-index': true } },
} as const

test('who lists by an indexed field looks at those objects only that have the value', async () => {
  await using registry = await openWith(definition(schema))
  for (let at = 0; at < 250; at++) {
    const spec = {
      colour: at % 50 === 0 ? 'red' : 'blue',
      size: at,
      ports: [{ name: `p${at % 5}` }, { name: 'all' }],
      zones: { a: `z${at}` },
    }
    await registry.create(widgets, widget(`w-${1_000 + at}`, spec, at % 2 === 0 ? 'default' : 'other'))
  }
  const reopened = await registry.reopen()
  const { cache } = reopened.served(widgets).resource
  // Many objects are read in slices: until then all are looked at.
  expect(cache.lookup!('spec.colour', 'red')).toBeUndefined()
  const select = (field: string, value: string, keyPrefix = '', limit = 0, after = '') => {
    let looked = 0
    const { entries, more } = cache.list(keyPrefix, () => Boolean(++looked), limit, after, { field, value })
    return { keys: entries.map(({ key }) => key), more, looked }
  }
  expect(select('spec.colour', 'red').looked).toBe(250)
  while (cache.lookup!('spec.colour', 'red') === undefined) await new Promise((resolve) => setImmediate(resolve))
  const red = ['default/w-1000', 'default/w-1050', 'default/w-1100', 'default/w-1150', 'default/w-1200']
  expect(select('spec.colour', 'red')).toEqual({ keys: red, more: false, looked: 5 })
  expect(select('spec.colour', 'red', 'other/')).toEqual({ keys: [], more: false, looked: 0 })
  expect(select('spec.colour', 'red', 'default/', 2, 'default/w-1050')).toMatchObject({
    keys: red.slice(2, 4),
    more: true,
  })
  expect(select('spec.size', '7').keys).toEqual(['other/w-1007'])
  expect(select('spec.zones[*]', 'z7').keys).toEqual(['other/w-1007'])
  expect(select('spec.ports[*].name', 'p1').keys).toHaveLength(50)
  expect(select('spec.ports[*].name', '').keys).toEqual([])
  await reopened[Symbol.asyncDispose]()
})

test('an index follows its objects and its definition', async () => {
  await using registry = await openWith(definition(schema))
  const served = registry.served(widgets)
  const { cache } = served.resource
  await registry.create(widgets, widget('one', { ports: [{ name: 'a' }, { name: 'b' }] }))
  const keys = (value: string) => cache.lookup?.('spec.ports[*].name', value)
  expect([keys('a'), keys('b'), keys('c')]).toEqual([['default/one'], ['default/one'], []])
  const at = { namespace: 'default', name: 'one' }
  const spec = { ports: [{ name: 'b' }, { name: 'c' }] }
  await registry.store.update(served, at, '', ({ bytes }) => ({ ...reviveObject(bytes), spec }), admin)
  expect([keys('a'), keys('b'), keys('c')]).toEqual([[], ['default/one'], ['default/one']])
  await registry.store.delete(served, at, {}, admin)
  expect([keys('b'), keys('')]).toEqual([[], []])

  const definitions = registry.served('apiextensions.k8s.io/v1/customresourcedefinitions')
  const plain = definition({ colour: text }) as { metadata: { name: string }; spec: object }
  const change = ({ bytes }: { bytes: Buffer }) => ({ ...reviveObject(bytes), spec: plain.spec })
  await registry.store.update(definitions, { namespace: '', name: plain.metadata.name }, '', change, admin)
  expect(cache.lookup).toBeUndefined()
  expect(registry.served(widgets).fieldNames.has('spec.colour')).toBe(false)
})
