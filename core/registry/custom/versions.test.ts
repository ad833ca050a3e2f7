import { expect, onTestFinished, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { reviveObject, reviveWhole } from '#core/machinery/canonical.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'

const crds = 'apiextensions.k8s.io/v1/customresourcedefinitions'
const text = { type: 'string' }

const conversion = (separator = ':') => `
v1 -> v2:
  set: {spec.host: 'self.spec.hostPort.split("${separator}")[0]', spec.port: 'self.spec.hostPort.split("${separator}")[1]'}
v2 -> v1:
  set: {spec.hostPort: 'self.spec.host + "${separator}" + self.spec.port'}
`

function definition(annotation: string | undefined, storage = 'v1') {
  const version = (name: string, fields: object) => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: fields } } } },
  })
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'ends.x.dev',
      ...(annotation !== undefined && { annotations: { 'keelson.dev/conversion': annotation } }),
    },
    spec: {
      group: 'x.dev',
      names: { plural: 'ends', kind: 'End' },
      scope: 'Namespaced',
      versions: [version('v1', { hostPort: text, note: text }), version('v2', { host: text, port: text, note: text })],
    },
  }
}

async function open(annotation: string | undefined = conversion()): Promise<TestRegistry> {
  const registry = await openTestRegistry()
  onTestFinished(() => registry[Symbol.asyncDispose]())
  await registry.create(crds, definition(annotation))
  return registry
}

const end = (version: string, spec: object, name = 'a') => ({
  apiVersion: `x.dev/${version}`,
  kind: 'End',
  metadata: { name, namespace: 'default' },
  spec,
})

const at = { namespace: 'default', name: 'a' }

async function shown(registry: TestRegistry, version: string): Promise<UnstructuredObject> {
  const served = registry.served(`x.dev/${version}/ends`)
  return reviveObject((await served.show(registry.store.get(served.resource, at))).bytes)
}

/** As a client changes a definition. */
async function redefine(registry: TestRegistry, change: (crd: ReturnType<typeof definition>) => void): Promise<void> {
  const edit = ({ bytes }: { bytes: Buffer }) => {
    const crd = reviveObject(bytes)
    change(crd as unknown as ReturnType<typeof definition>)
    return crd
  }
  await registry.store.update(registry.served(crds), { namespace: '', name: 'ends.x.dev' }, '', edit, admin)
}

test('an object is stored in one version and read in each', async () => {
  const registry = await open()
  const made = await registry.create('x.dev/v2/ends', end('v2', { host: 'h', port: '1' }))
  expect(made).toMatchObject(end('v2', { host: 'h', port: '1' }))
  expect(registry.get('x.dev/v1/ends', 'default/a')).toMatchObject(end('v1', { hostPort: 'h:1' }))
  expect(await shown(registry, 'v1')).toMatchObject(end('v1', { hostPort: 'h:1' }))
  expect((await shown(registry, 'v2')).metadata).toEqual(made.metadata)
})

test('a dry run is shown in the version of the request, and changes nothing', async () => {
  const registry = await open()
  const made = await registry.create('x.dev/v2/ends', end('v2', { host: 'h', port: '1' }), { dryRun: true })
  expect(made).toMatchObject(end('v2', { host: 'h', port: '1' }))
  expect(registry.get('x.dev/v1/ends', 'default/a')).toBeUndefined()
})

test('an update that changes nothing writes nothing, until the storage version is another', async () => {
  const registry = await open()
  const { metadata } = await registry.create('x.dev/v1/ends', end('v1', { hostPort: 'h:1' }))
  const touch = (version: string) =>
    registry.store.update(registry.served(`x.dev/${version}/ends`), at, '', ({ bytes }) => reviveObject(bytes), admin)
  await touch('v1')
  await touch('v2')
  expect((await shown(registry, 'v2')).metadata.resourceVersion).toBe(metadata.resourceVersion)
  await redefine(registry, ({ spec }) => {
    for (const version of spec.versions) version.storage = version.name === 'v2'
  })
  expect((await shown(registry, 'v1')).metadata.resourceVersion).toBe(metadata.resourceVersion)
  await touch('v1')
  expect(registry.get('x.dev/v2/ends', 'default/a')).toMatchObject(end('v2', { host: 'h', port: '1' }))
})

test('another conversion counts as another generation, and is served at once', async () => {
  const registry = await open()
  await registry.create('x.dev/v1/ends', end('v1', { hostPort: 'h/1' }))
  await expect(shown(registry, 'v2')).rejects.toThrow('conversion of x.dev/v1, Kind=End to x.dev/v2 failed: spec.port')
  await redefine(registry, ({ metadata }) => {
    metadata.annotations = { 'keelson.dev/conversion': conversion('/') }
  })
  expect(await shown(registry, 'v2')).toMatchObject(end('v2', { host: 'h', port: '1' }))
  expect(registry.get(crds, 'ends.x.dev')?.metadata.generation).toBe(2)
})

test('what cannot be converted is deleted with its definition, and shown to who asks for relations only', async () => {
  const registry = await open()
  await registry.create('x.dev/v1/ends', end('v1', { hostPort: 'broken' }))
  const v2 = registry.served('x.dev/v2/ends')
  await redefine(registry, ({ spec }) => {
    for (const version of spec.versions) version.storage = version.name === 'v2'
  })
  const stored = registry.store.get(v2.resource, at)
  await expect(shown(registry, 'v2')).rejects.toThrow('failed')
  expect(registry.served('x.dev/v2/ends').asStored.show(stored)).toBe(stored)
  const name = { namespace: '', name: 'ends.x.dev' }
  const definitions = registry.served(crds)
  const gone = Promise.withResolvers<void>()
  const stop = definitions.resource.cache.onChange(({ type }) => type === 'DELETED' && gone.resolve())
  await registry.store.delete(definitions, name, {}, admin)
  await gone.promise
  stop()
  expect(v2.resource.cache.size).toBe(0)
  expect(registry.errors).toEqual([])
})

test('a conversion that cannot work is refused with the definition', async () => {
  const registry = await openTestRegistry()
  onTestFinished(() => registry[Symbol.asyncDispose]())
  const call = registry.create(crds, definition('v1 -> v2: {set: {spec.host: self.spec.x}}'))
  const { code, message } = statusOf(await call.catch((error) => error))
  expect(code).toBe(422)
  expect(message).toContain('metadata.annotations[keelson.dev/conversion]: Invalid value: v1 -> v2: spec.host: ERROR')
})

async function apply(registry: TestRegistry, name: string, version: string, spec: object): Promise<UnstructuredObject> {
  const { bytes } = await registry.store.apply(
    registry.served(`x.dev/${version}/ends`),
    at,
    '',
    () => ({
      configuration: end(version, spec),
      manager: { name, operation: 'Apply', subresource: '' },
      force: false,
    }),
    () => {},
    { ...admin, manager: name },
  )
  return reviveWhole(bytes)
}

const ownersOf = ({ metadata }: UnstructuredObject) =>
  metadata.managedFields?.map(({ manager, apiVersion, fieldsV1 }) => [manager, apiVersion, JSON.stringify(fieldsV1)])

test('what is applied no more in another version goes, unless somebody else owns it', async () => {
  const registry = await open()
  await apply(registry, 'me', 'v2', { host: 'h', port: '1', note: 'mine' })
  const without = await apply(registry, 'me', 'v1', { hostPort: 'h:1' })
  expect(without.spec).toEqual({ hostPort: 'h:1' })
  expect(ownersOf(without)).toEqual([['me', 'x.dev/v1', '{"f:spec":{"f:hostPort":{}}}']])
  await apply(registry, 'other', 'v2', { note: 'ours' })
  await apply(registry, 'me', 'v2', { host: 'h', port: '1', note: 'ours' })
  const kept = await apply(registry, 'me', 'v1', { hostPort: 'h:1' })
  expect(kept.spec).toEqual({ hostPort: 'h:1', note: 'ours' })
  expect(ownersOf(kept)).toEqual([
    ['me', 'x.dev/v1', '{"f:spec":{"f:hostPort":{}}}'],
    ['other', 'x.dev/v2', '{"f:spec":{"f:note":{}}}'],
  ])
})

test('an update in one version takes what was owned in another', async () => {
  const registry = await open()
  await apply(registry, 'me', 'v2', { host: 'h', port: '1' })
  const v1 = registry.served('x.dev/v1/ends')
  const change = ({ bytes }: { bytes: Buffer }) => ({ ...reviveObject(bytes), spec: { hostPort: 'h:2' } })
  const changed = reviveWhole(await registry.store.update(v1, at, '', change, { ...admin, manager: 'editor' }))
  expect(ownersOf(changed)).toEqual([
    ['me', 'x.dev/v2', '{"f:spec":{"f:host":{}}}'],
    ['editor', 'x.dev/v1', '{"f:spec":{"f:hostPort":{}}}'],
  ])
})
