import { describe, expect, test } from 'vitest'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, type TestRegistry } from '#core/testing/test-registry.ts'
import { define, definition, openWith, widget, widgets } from './testing.ts'

const text = { type: 'string' } as const
const schema = {
  host: { ...text, 'x-keelson-unique': 'namespace' },
  zone: { ...text, 'x-keelson-unique': 'cluster' },
  ports: {
    type: 'array',
    items: { type: 'object', properties: { name: { ...text, 'x-keelson-unique': 'namespace' } } },
  },
  aliases: { type: 'object', additionalProperties: { ...text, 'x-keelson-unique': 'namespace' } },
  endpoint: {
    type: 'object',
    properties: { host: text, port: { type: 'integer' } },
    'x-keelson-unique': 'namespace',
  },
} as const

const make = (registry: TestRegistry, name: string, spec: object, namespace?: string) =>
  registry.create(widgets, widget(name, spec, namespace))

const change = (registry: TestRegistry, name: string, spec: object) =>
  registry.store.update(
    registry.served(widgets),
    { namespace: 'default', name },
    '',
    ({ bytes }) => ({ ...reviveObject(bytes), spec }),
    admin,
  )

const remove = (registry: TestRegistry, name: string) =>
  registry.store.delete(registry.served(widgets), { namespace: 'default', name }, {}, admin)

const isTaken = async (acting: Promise<unknown>, field: string) => {
  const error = await acting.then(
    () => undefined,
    (error: unknown) => error as { status: { code: number; details: { causes: object[] } } },
  )
  expect(error?.status).toMatchObject({ code: 422, reason: 'Invalid' })
  expect(error!.status.details.causes).toMatchObject([{ reason: 'FieldValueDuplicate', field }])
  return error!.status.details.causes[0] as { message: string }
}

describe('a unique value', () => {
  test.each([
    { name: 'a field', first: { host: 'a' }, second: { host: 'a' }, field: 'spec.host' },
    {
      name: 'items of a list',
      first: { ports: [{ name: 'x' }, { name: 'y' }] },
      second: { ports: [{}, { name: 'y' }] },
      field: 'spec.ports[1].name',
    },
    {
      name: 'values of a map',
      first: { aliases: { one: 'x' } },
      second: { aliases: { two: 'x' } },
      field: 'spec.aliases[two]',
    },
    {
      name: 'a whole object',
      first: { endpoint: { host: 'a', port: 1 } },
      second: { endpoint: { port: 1, host: 'a' } },
      field: 'spec.endpoint',
    },
    {
      name: 'two fields of one object',
      first: {},
      second: { ports: [{ name: 'x' }, { name: 'x' }] },
      field: 'spec.ports[1].name',
    },
  ])('is one among $name', async ({ first, second, field }) => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', first)
    await isTaken(make(registry, 'two', second), field)
    await make(registry, 'two', {})
    await isTaken(change(registry, 'two', second), field)
  })

  test.each([
    { name: 'other values', first: { host: 'a' }, second: { host: 'b' } },
    { name: 'absent ones', first: {}, second: {} },
    { name: 'empty ones', first: { host: '' }, second: { host: '' } },
    { name: 'equal ones in other fields', first: { host: 'a' }, second: { zone: 'a' } },
    {
      name: 'objects that are not quite equal',
      first: { endpoint: { host: 'a', port: 1 } },
      second: { endpoint: { host: 'a', port: 2 } },
    },
  ])('does not mind $name', async ({ first, second }) => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', first)
    await make(registry, 'two', second)
  })

  test('is so within its namespace, or everywhere; who is elsewhere is not named', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { host: 'a', zone: 'z' })
    await make(registry, 'one', { host: 'a' }, 'other')
    const { message } = await isTaken(make(registry, 'two', { host: 'a' }), 'spec.host')
    expect(message).toBe('Duplicate value: "a": "one" has it')
    const far = await isTaken(make(registry, 'two', { zone: 'z' }, 'other'), 'spec.zone')
    expect(far.message).toBe('Duplicate value: "z": an object in another namespace has it')
  })

  test('is free again when its object changes or goes, and stays its own until then', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { host: 'a' })
    await change(registry, 'one', { host: 'a', zone: 'z' })
    await isTaken(make(registry, 'two', { host: 'a' }), 'spec.host')
    await change(registry, 'one', { host: 'b' })
    await make(registry, 'two', { host: 'a', zone: 'z' })
    await remove(registry, 'two')
    await change(registry, 'one', { host: 'a', zone: 'z' })
  })

  test('leaves no key behind', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { host: 'a', ports: [{ name: 'x' }, { name: 'y' }], aliases: { a: 'b' } })
    expect((await registry.storage.list('/registry/~unique/')).items).toHaveLength(4)
    await change(registry, 'one', { host: 'a', ports: [{ name: 'y' }] })
    expect((await registry.storage.list('/registry/~unique/')).items).toHaveLength(2)
    await remove(registry, 'one')
    expect((await registry.storage.list('/registry/~unique/')).items).toEqual([])
  })

  test('is looked at in a dry run, which takes nothing', async () => {
    await using registry = await openWith(definition(schema))
    await registry.create(widgets, widget('one', { host: 'a' }), { dryRun: true })
    await make(registry, 'two', { host: 'a' })
    await isTaken(registry.create(widgets, widget('one', { host: 'a' }), { dryRun: true }), 'spec.host')
  })

  test('of an object that exists is not what a create is told: that it exists', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { host: 'a' })
    await expect(make(registry, 'one', { host: 'a' })).rejects.toMatchObject({ status: { reason: 'AlreadyExists' } })
  })

  test('of many who want it at once one gets', async () => {
    await using registry = await openWith(definition(schema))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) => make(registry, `w-${at}`, { host: 'a', zone: `z-${at}` })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.status).toMatchObject({ code: 422 })
    }
  })

  test('may be one of so many in an object that one write can take all of them', async () => {
    await using registry = await openWith(definition(schema))
    const ports = (count: number, mark: string) => ({
      ports: Array.from({ length: count }, (_, at) => ({ name: `${mark}${at}` })),
    })
    await make(registry, 'one', ports(60, 'a'))
    await change(registry, 'one', ports(60, 'b'))
    await make(registry, 'two', ports(60, 'a'))
    await expect(make(registry, 'many', ports(100_000, 'd'))).rejects.toThrow('Too many: 100000')
    await expect(make(registry, 'same', { ports: Array(100_000).fill({ name: 'e' }) })).rejects.toThrow(
      'Too many: 100000',
    )
    await expect(make(registry, 'three', ports(61, 'c'))).rejects.toThrow(/Too many: 61: must have at most 60 items/)
  })

  test('is known after a restart', async () => {
    const first = await openWith(definition(schema))
    await make(first, 'one', { host: 'a' })
    await using registry = await first.reopen()
    await isTaken(make(registry, 'two', { host: 'a' }), 'spec.host')
    await remove(registry, 'one')
    await make(registry, 'two', { host: 'a' })
  })

  test('that nobody stands behind is taken over', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { host: 'a' })
    const [claim] = (await registry.storage.list('/registry/~unique/')).items
    await remove(registry, 'one')
    await registry.storage.create(claim!.key, claim!.value)
    const outcomes = await Promise.allSettled(['two', 'three'].map((name) => make(registry, name, { host: 'a' })))
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })
})

describe('a constraint that comes later', () => {
  const plain = { host: text, zone: text }

  async function redefine(registry: TestRegistry, kind: object) {
    const served = registry.served('apiextensions.k8s.io/v1/customresourcedefinitions')
    const { metadata, spec } = kind as { metadata: { name: string }; spec: object }
    const at = { namespace: '', name: metadata.name }
    await registry.store.update(served, at, '', ({ bytes }) => ({ ...reviveObject(bytes), spec }), admin)
  }

  test('holds for objects that are there already', async () => {
    await using registry = await openWith(definition(plain))
    await make(registry, 'one', { host: 'a' })
    await redefine(registry, definition(schema))
    await isTaken(make(registry, 'two', { host: 'a' }), 'spec.host')
    await change(registry, 'one', { host: 'b' })
    await make(registry, 'two', { host: 'a' })
  })

  test('lets objects be that break it, and changes of them that do not', async () => {
    await using registry = await openWith(definition(plain))
    for (const name of ['one', 'two']) await make(registry, name, { host: 'a' })
    await redefine(registry, definition(schema))
    await change(registry, 'one', { host: 'a', zone: 'z' })
    await isTaken(make(registry, 'three', { host: 'a' }), 'spec.host')
    await change(registry, 'one', { host: 'b' })
    await isTaken(make(registry, 'three', { host: 'a' }), 'spec.host')
    await change(registry, 'two', { host: 'c' })
    await make(registry, 'three', { host: 'a' })
  })

  test('and goes is forgotten', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { host: 'a' })
    await redefine(registry, definition(plain))
    await make(registry, 'two', { host: 'a' })
    await define(registry, definition(schema, 'Gadget'))
  })
})
