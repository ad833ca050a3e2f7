import { expect, onTestFinished, test, vi } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { StoredSchemas } from './stored-schemas.ts'

const crds = 'apiextensions.k8s.io/v1/customresourcedefinitions'
const gadgets = 'x.dev/v1/gadgets'

interface Options {
  plural?: string
  kind?: string
  shortNames?: string[]
  properties?: object
  selectable?: string[]
}

function definition({
  plural = 'gadgets',
  kind = 'Gadget',
  shortNames = [],
  properties = {},
  selectable = [],
}: Options = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.x.dev` },
    spec: {
      group: 'x.dev',
      names: { plural, kind, shortNames },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
          selectableFields: selectable.map((jsonPath) => ({ jsonPath })),
        },
      ],
    },
  }
}

const gadget = (name: string, rest: object = {}) => ({
  apiVersion: 'x.dev/v1',
  kind: 'Gadget',
  metadata: { name, namespace: 'default' },
  ...rest,
})

/** Resolves once `isSo`, asked at every change of a definition or of a gadget. */
async function until(registry: TestRegistry, isSo: () => boolean): Promise<void> {
  let wake = () => {}
  const caches = ['apiextensions.k8s.io/customresourcedefinitions', 'x.dev/gadgets']
  const stops = caches.map((name) => registry.cacher.resource(name).onChange(() => setImmediate(() => wake())))
  while (!isSo()) {
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    await promise
  }
  for (const stop of stops) stop()
}

const conditionOf = (registry: TestRegistry, name: string, type: string) => {
  const crd = registry.get(crds, name) as {
    status?: { conditions?: { type: string; status: string; reason: string }[] }
  }
  return crd?.status?.conditions?.find((one) => one.type === type)
}

const edit = (registry: TestRegistry, name: string, change: (crd: UnstructuredObject) => void) =>
  registry.store.update(
    registry.served(crds),
    { namespace: '', name },
    '',
    ({ bytes }) => {
      const object = reviveObject(bytes)
      change(object)
      return object
    },
    admin,
  )

test('who created a definition finds its kind served, and sees it established', async () => {
  await using registry = await openTestRegistry()
  await registry.create(crds, definition())
  await expect(registry.create(gadgets, gadget('a'))).resolves.toMatchObject({ kind: 'Gadget' })
  await until(registry, () => conditionOf(registry, 'gadgets.x.dev', 'Established')?.status === 'True')
  expect(registry.get(crds, 'gadgets.x.dev')).toMatchObject({
    status: { acceptedNames: { plural: 'gadgets', kind: 'Gadget', listKind: 'GadgetList' }, storedVersions: ['v1'] },
  })
})

test('a definition is established by the write that creates it', async () => {
  await using registry = await openTestRegistry()
  const created = await registry.create(crds, definition())
  expect(registry.get(crds, 'gadgets.x.dev')).toEqual(created)
  expect(conditionOf(registry, 'gadgets.x.dev', 'Established')?.status).toBe('True')
  // What would change it would have begun in the turn in which the definition was stored.
  await registry.create(gadgets, gadget('a'))
  expect(registry.get(crds, 'gadgets.x.dev')?.metadata.resourceVersion).toBe(created.metadata.resourceVersion)
})

test('a name that is taken is refused, and given once it is free', async () => {
  await using registry = await openTestRegistry()
  await registry.create(crds, definition({ shortNames: ['g'] }))
  await registry.create(crds, definition({ plural: 'gizmos', kind: 'Gizmo', shortNames: ['g'] }))
  await until(registry, () => conditionOf(registry, 'gizmos.x.dev', 'NamesAccepted')?.status === 'False')
  expect(conditionOf(registry, 'gizmos.x.dev', 'NamesAccepted')?.reason).toBe('ShortNamesConflict')
  expect(() => registry.served('x.dev/v1/gizmos')).toThrow()
  await registry.store.delete(registry.served(crds), { namespace: '', name: 'gadgets.x.dev' }, {}, admin)
  await until(registry, () => conditionOf(registry, 'gizmos.x.dev', 'Established')?.status === 'True')
  expect(registry.served('x.dev/v1/gizmos')).toBeDefined()
  expect(registry.errors).toEqual([])
})

test('who has a name keeps it over a restart, whatever the alphabet says', async () => {
  let registry = await openTestRegistry()
  onTestFinished(async () => registry[Symbol.asyncDispose]())
  await registry.create(crds, definition({ plural: 'zips', kind: 'Zip', shortNames: ['s'] }))
  await until(registry, () => conditionOf(registry, 'zips.x.dev', 'Established')?.status === 'True')
  await registry.create(crds, definition({ plural: 'axes', kind: 'Axe', shortNames: ['s'] }))
  await until(registry, () => conditionOf(registry, 'axes.x.dev', 'NamesAccepted')?.status === 'False')
  registry = await registry.reopen()
  expect(registry.served('x.dev/v1/zips')).toBeDefined()
  expect(() => registry.served('x.dev/v1/axes')).toThrow()
})

test('an edit that asks for a taken name leaves what is served served', async () => {
  await using registry = await openTestRegistry()
  await registry.create(crds, definition({ shortNames: ['g'] }))
  await registry.create(crds, definition({ plural: 'gizmos', kind: 'Gizmo' }))
  await until(registry, () => conditionOf(registry, 'gizmos.x.dev', 'Established')?.status === 'True')
  await edit(registry, 'gizmos.x.dev', (crd) =>
    Object.assign((crd.spec as { names: object }).names, { shortNames: ['g'] }),
  )
  await until(registry, () => conditionOf(registry, 'gizmos.x.dev', 'NamesAccepted')?.status === 'False')
  expect(conditionOf(registry, 'gizmos.x.dev', 'Established')?.status).toBe('True')
  expect(registry.served('x.dev/v1/gizmos')).toBeDefined()
})

test('a new schema holds from the next write on, and new selectable fields for objects that were there', async () => {
  await using registry = await openTestRegistry()
  await registry.create(crds, definition({ properties: { size: { type: 'string' } } }))
  await registry.create(gadgets, gadget('a', { spec: { size: 'large' } }))
  const before = registry.served(gadgets).resource
  expect(before.cache.get('default/a')!.facts(before.cache.extract).fields).not.toHaveProperty('spec.size')
  await edit(registry, 'gadgets.x.dev', (crd) => {
    const [version] = (crd.spec as { versions: Record<string, unknown>[] }).versions
    const spec = { type: 'object', properties: { size: { type: 'string', enum: ['large'] } } }
    version!.schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
    version!.selectableFields = [{ jsonPath: '.spec.size' }]
  })
  const after = registry.served(gadgets).resource
  expect(after.cache.get('default/a')!.facts(after.cache.extract).fields['spec.size']).toBe('large')
  await expect(registry.create(gadgets, gadget('b', { spec: { size: 'small' } }))).rejects.toThrow('Unsupported value')
})

test('watches end when what they watch is defined anew, behind the events before', async () => {
  await using registry = await openTestRegistry()
  await registry.create(crds, definition())
  const { cache } = registry.served(gadgets).resource
  const heard: string[] = []
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  cache.subscribe(
    { id: 'all', keyPrefix: '' },
    { deliver: (chunk) => heard.push(chunk.toString().slice(9, 14)), end: resolve },
  )
  await registry.create(gadgets, gadget('a'))
  await edit(registry, 'gadgets.x.dev', (crd) => {
    Object.assign((crd.spec as { names: object }).names, { shortNames: ['g'] })
  })
  await ended
  expect(heard).toEqual(['ADDED'])
})

test('a deleted definition takes its objects with it, waits for their finalizers, and lets nothing be created', async () => {
  await using registry = await openTestRegistry()
  await registry.create(crds, definition())
  for (let at = 0; at < 100; at++) await registry.create(gadgets, gadget(`plain-${at}`))
  const held = { ...gadget('held'), metadata: { name: 'held', namespace: 'default', finalizers: ['x.dev/hold'] } }
  await registry.create(gadgets, held)
  const served = registry.served(gadgets)
  await registry.store.delete(registry.served(crds), { namespace: '', name: 'gadgets.x.dev' }, {}, admin)
  await until(registry, () => served.resource.cache.size === 1)
  const refusal = await registry.create(gadgets, gadget('late')).catch((error: unknown) => error)
  expect(statusOf(refusal)).toMatchObject({
    code: 405,
    message: 'create not allowed while custom resource definition is terminating',
  })
  await registry.store.update(
    served,
    { namespace: 'default', name: 'held' },
    '',
    ({ bytes }) => {
      const object = reviveObject(bytes)
      object.metadata.finalizers = []
      return object
    },
    admin,
  )
  await until(registry, () => registry.get(crds, 'gadgets.x.dev') === undefined)
  expect(() => registry.served(gadgets)).toThrow()
  expect(registry.errors).toEqual([])
})

test('a deletion that a restart cut short is brought to its end', async () => {
  let registry = await openTestRegistry()
  onTestFinished(async () => registry[Symbol.asyncDispose]())
  await registry.create(crds, definition())
  const held = { ...gadget('held'), metadata: { name: 'held', namespace: 'default', finalizers: ['x.dev/hold'] } }
  await registry.create(gadgets, held)
  await registry.store.delete(registry.served(crds), { namespace: '', name: 'gadgets.x.dev' }, {}, admin)
  await until(registry, () => registry.get(gadgets, 'default/held')?.metadata.deletionTimestamp !== undefined)
  registry = await registry.reopen()
  await registry.store.update(
    registry.served(gadgets),
    { namespace: 'default', name: 'held' },
    '',
    ({ bytes }) => {
      const object = reviveObject(bytes)
      object.metadata.finalizers = []
      return object
    },
    admin,
  )
  await until(registry, () => registry.get(crds, 'gadgets.x.dev') === undefined)
})

test('a schema is parsed for the first write, and not before: not even over a restart', async () => {
  const parsed = vi.spyOn(StoredSchemas.prototype, 'of')
  let registry = await openTestRegistry()
  onTestFinished(async () => {
    parsed.mockRestore()
    await registry[Symbol.asyncDispose]()
  })
  await registry.create(crds, definition({ properties: { size: { type: 'string' } } }))
  await until(registry, () => conditionOf(registry, 'gadgets.x.dev', 'Established')?.status === 'True')
  registry = await registry.reopen()
  expect(registry.served(gadgets).resource.cache.list('').entries).toEqual([])
  expect(parsed).not.toHaveBeenCalled()
  await registry.create(gadgets, gadget('a', { spec: { size: 'large', other: 1 } }))
  expect(registry.get(gadgets, 'default/a')).toMatchObject({ spec: { size: 'large' } })
  expect(registry.get(gadgets, 'default/a')).not.toHaveProperty('spec.other')
  expect(parsed).toHaveBeenCalled()
  parsed.mockClear()
  await registry.create(gadgets, gadget('b'))
  expect(parsed).not.toHaveBeenCalled()
})

test('a definition makes a new list of its group, and leaves those of others', async () => {
  await using registry = await openTestRegistry()
  await registry.create(crds, definition())
  const { groups } = registry.registry
  const [own, apps] = [groups.get('x.dev'), groups.get('apps')]
  await registry.create(crds, definition({ plural: 'gizmos', kind: 'Gizmo' }))
  expect(groups.get('x.dev')?.map(({ resource }) => resource)).toEqual(['gadgets', 'gizmos'])
  expect(groups.get('x.dev')).not.toBe(own)
  expect(groups.get('apps')).toBe(apps)
  await registry.store.delete(registry.served(crds), { namespace: '', name: 'gadgets.x.dev' }, {}, admin)
  await until(registry, () => groups.get('x.dev')?.length === 1)
  await registry.store.delete(registry.served(crds), { namespace: '', name: 'gizmos.x.dev' }, {}, admin)
  await until(registry, () => !groups.has('x.dev'))
})
