import { describe, expect, test } from 'vitest'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, type TestRegistry } from '#core/testing/test-registry.ts'
import { definition, group, openWith, widget, widgets } from './testing.ts'

const text = { type: 'string' } as const
const secret = (onDelete?: string) => ({ resource: 'secrets', ...(onDelete && { onDelete }) })
const schema = {
  secretName: { ...text, 'x-keelson-reference': secret('restrict') },
  configName: { ...text, 'x-keelson-reference': { kind: 'ConfigMap', namespace: 'same' } },
  node: { ...text, 'x-keelson-reference': { resource: 'nodes', namespace: 'cluster' } },
  parents: {
    type: 'array',
    items: { ...text, 'x-keelson-reference': { group, kind: 'Widget', onDelete: 'restrict' } },
  },
  far: {
    type: 'object',
    properties: {
      name: {
        ...text,
        'x-keelson-reference': { resource: 'secrets', namespace: '.place.namespace', onDelete: 'restrict' },
      },
      place: { type: 'object', properties: { namespace: text } },
    },
  },
  gadget: { ...text, 'x-keelson-reference': { group, resource: 'gadgets' } },
} as const

const named = (name: string, namespace = 'default') => ({ metadata: { name, namespace } })
const make = (registry: TestRegistry, name: string, spec: object) => registry.create(widgets, widget(name, spec))

const change = (registry: TestRegistry, name: string, spec: object) =>
  registry.store.update(
    registry.served(widgets),
    { namespace: 'default', name },
    '',
    ({ bytes }) => ({ ...reviveObject(bytes), spec }),
    admin,
  )

const remove = (registry: TestRegistry, of: string, name: string, namespace = 'default') =>
  registry.store.delete(registry.served(of), { namespace, name }, {}, admin)

const conflict = { status: { code: 409, reason: 'Conflict' } }

describe('a reference', () => {
  test.each([
    { field: 'secretName', why: 'Not found: "x": secrets "x" in namespace "default" does not exist' },
    { field: 'configName', why: 'Not found: "x": configmaps "x" in namespace "default" does not exist' },
    { field: 'node', why: 'Not found: "x": nodes "x" does not exist' },
    { field: 'gadget', why: `Not found: "x": no resource "gadgets.${group}" is served` },
  ])('of $field must be to something that exists', async ({ field, why }) => {
    await using registry = await openWith(definition(schema))
    await expect(make(registry, 'one', { [field]: 'x' })).rejects.toMatchObject({
      status: {
        code: 422,
        details: { causes: [{ reason: 'FieldValueNotFound', field: `spec.${field}`, message: why }] },
      },
    })
    await make(registry, 'one', { [field]: '' })
  })

  test('is looked for where it says', async () => {
    await using registry = await openWith(definition(schema))
    await registry.create('v1/secrets', named('here'))
    await registry.create('v1/secrets', named('there', 'other'))
    await registry.create('v1/nodes', { metadata: { name: 'n' } })
    await make(registry, 'one', {
      secretName: 'here',
      node: 'n',
      far: { name: 'there', place: { namespace: 'other' } },
    })
    await make(registry, 'two', { far: { name: 'here' } })
    await expect(make(registry, 'three', { secretName: 'there' })).rejects.toThrow('"there" in namespace "default"')
    await expect(make(registry, 'three', { far: { name: 'there' } })).rejects.toThrow('"there" in namespace "default"')
  })

  test('that holds keeps what it names from being deleted, for as long as it names it', async () => {
    await using registry = await openWith(definition(schema))
    await registry.create('v1/secrets', named('s'))
    await registry.create('v1/configmaps', named('c'))
    await make(registry, 'one', { secretName: 's', configName: 'c' })
    const refusal = `Operation cannot be fulfilled on secrets "s": it is in use by widgets.${group} "one"`
    await expect(remove(registry, 'v1/secrets', 's')).rejects.toThrow(refusal)
    await remove(registry, 'v1/configmaps', 'c')
    await change(registry, 'one', { secretName: 's', configName: 'c', far: {} })
    await change(registry, 'one', {})
    await remove(registry, 'v1/secrets', 's')
    expect((await registry.storage.list('/registry/~')).items).toEqual([])
  })

  test('goes with the object that has it', async () => {
    await using registry = await openWith(definition(schema))
    await registry.create('v1/secrets', named('s'))
    await make(registry, 'one', { secretName: 's', far: { name: 's' } })
    await remove(registry, widgets, 'one')
    await remove(registry, 'v1/secrets', 's')
    expect((await registry.storage.list('/registry/~')).items).toEqual([])
  })

  test('to the object itself does not hold it, one in a circle does', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { parents: ['one'] })
    await make(registry, 'two', { parents: ['one'] })
    await expect(remove(registry, widgets, 'one')).rejects.toMatchObject(conflict)
    await remove(registry, widgets, 'two')
    await remove(registry, widgets, 'one')
  })

  test('cannot be to what is being deleted, when it would hold it', async () => {
    await using registry = await openWith(definition(schema))
    await registry.create('v1/secrets', {
      metadata: { name: 's', namespace: 'default', finalizers: ['example.dev/x'] },
    })
    await make(registry, 'one', { secretName: 's' })
    await expect(remove(registry, 'v1/secrets', 's')).rejects.toMatchObject(conflict)
    await change(registry, 'one', {})
    await remove(registry, 'v1/secrets', 's')
    await expect(make(registry, 'two', { secretName: 's' })).rejects.toThrow(
      '"s" in namespace "default" is being deleted',
    )
  })

  test('is known after a restart', async () => {
    const first = await openWith(definition(schema))
    await first.create('v1/secrets', named('s'))
    await make(first, 'one', { secretName: 's' })
    await using registry = await first.reopen()
    await expect(remove(registry, 'v1/secrets', 's')).rejects.toMatchObject(conflict)
  })

  test('and a deletion at once: either there is no reference, or there is what it names', async () => {
    await using registry = await openWith(definition(schema))
    for (let round = 0; round < 30; round++) {
      const name = `s-${round}`
      await registry.create('v1/secrets', named(name))
      const acts = [() => make(registry, name, { secretName: name }), () => remove(registry, 'v1/secrets', name)]
      const outcomes = await Promise.allSettled((round % 2 === 0 ? acts : acts.reverse()).map((act) => act()))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(registry.get(widgets, `default/${name}`) === undefined).toBe(
        registry.get('v1/secrets', `default/${name}`) === undefined,
      )
    }
  })

  test('that nobody stands behind is cleared away', async () => {
    await using registry = await openWith(definition(schema))
    await registry.create('v1/secrets', named('s'))
    await make(registry, 'one', { secretName: 's' })
    const [left] = (await registry.storage.list('/registry/~reference/')).items
    await change(registry, 'one', {})
    await registry.storage.create(left!.key, left!.value)
    await remove(registry, 'v1/secrets', 's')
    expect((await registry.storage.list('/registry/~')).items).toEqual([])
  })

  test('does not keep a kind from going with all its objects', async () => {
    await using registry = await openWith(definition(schema))
    await make(registry, 'one', { parents: [] })
    await make(registry, 'two', { parents: ['one'] })
    const definitions = 'apiextensions.k8s.io/v1/customresourcedefinitions'
    const gone = Promise.withResolvers<void>()
    registry.served(definitions).resource.cache.onChange(({ type }) => type === 'DELETED' && gone.resolve())
    await remove(registry, definitions, `widgets.${group}`, '')
    await gone.promise
    expect((await registry.storage.list('/registry/~')).items).toEqual([])
  })
})

test('a resource that nobody refers to any more is as it was', async () => {
  await using registry = await openWith(definition(schema))
  const secrets = registry.served('v1/secrets').resource
  expect(secrets.constraints).toBeDefined()
  expect(registry.served('v1/configmaps').resource.constraints).toBeUndefined()
  const definitions = 'apiextensions.k8s.io/v1/customresourcedefinitions'
  const gone = Promise.withResolvers<void>()
  registry.served(definitions).resource.cache.onChange(({ type }) => type === 'DELETED' && gone.resolve())
  await remove(registry, definitions, `widgets.${group}`, '')
  await gone.promise
  expect(secrets.constraints).toBeUndefined()
})
