import { afterEach, beforeEach, expect, test } from 'vitest'
import type { APIService } from '#apis/apiregistration/v1/zz_generated.types.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { Change } from '#core/storage/cacher/entry.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { LocalServices } from './local-services.ts'

const apiServices = 'apiregistration.k8s.io/v1/apiservices'
const definitions = 'apiextensions.k8s.io/v1/customresourcedefinitions'
const log = { debug() {}, info() {}, warn() {}, error() {} }

let cluster: TestRegistry
let services: LocalServices

beforeEach(async () => {
  cluster = await openTestRegistry()
  services = new LocalServices({ ...cluster, log })
  await services.start()
})

afterEach(async () => {
  services[Symbol.dispose]()
  await cluster[Symbol.asyncDispose]()
})

const find = (name: string) => cluster.get(apiServices, name) as APIService | undefined

/** Resolves with the first change of an object that fulfils `holds`. */
function changeOf(name: string, holds: (change: Change) => boolean): Promise<APIService> {
  return new Promise((resolve) => {
    const { cache } = cluster.served(apiServices).resource
    const stop = cache.onChange((change) => {
      if (change.entry.key !== name || !holds(change)) return
      stop()
      resolve(reviveObject(change.entry.bytes) as unknown as APIService)
    })
  })
}

const definition = (plural: string, version = 'v1') => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.acme.dev` },
  spec: {
    group: 'acme.dev',
    names: { plural, kind: plural.toUpperCase() },
    scope: 'Cluster',
    versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
})

const remove = (of: string, name: string) =>
  cluster.store.delete(cluster.served(of), { namespace: '', name }, {}, admin)

test('every group version has its APIService after the start, but for that of APIServices', () => {
  expect(find('v1.')).toMatchObject({
    spec: { version: 'v1' },
    status: { conditions: [{ status: 'True', reason: 'Local' }] },
  })
  expect(find('v2.autoscaling')).toMatchObject({ spec: { versionPriority: 30 } })
  expect(find('v1.apiregistration.k8s.io')).toBeUndefined()
})

test('a second start writes nothing', async () => {
  const before = cluster.cacher.revision
  services[Symbol.dispose]()
  cluster = await cluster.reopen()
  services = new LocalServices({ ...cluster, log })
  await services.start()
  expect(cluster.cacher.revision).toBe(before)
})

test('one that is deleted comes back', async () => {
  const before = find('v1.apps')!
  const back = changeOf('v1.apps', ({ type }) => type === 'ADDED')
  await remove(apiServices, 'v1.apps')
  expect((await back).metadata.uid).not.toBe(before.metadata.uid)
})

test('those of custom resources come with the first definition of a group version and go with the last', async () => {
  const made = changeOf('v1.acme.dev', ({ type }) => type === 'ADDED')
  await cluster.create(definitions, definition('gadgets'))
  await cluster.create(definitions, definition('widgets'))
  expect((await made).metadata.labels).toEqual({ 'kube-aggregator.kubernetes.io/automanaged': 'true' })
  const other = changeOf('v2.acme.dev', ({ type }) => type === 'ADDED')
  await remove(definitions, 'gadgets.acme.dev')
  await cluster.create(definitions, definition('doodads', 'v2'))
  await other
  expect(find('v1.acme.dev')).toBeDefined()
  const gone = changeOf('v1.acme.dev', ({ type }) => type === 'DELETED')
  await remove(definitions, 'widgets.acme.dev')
  await gone
})

test('one of a custom resource is set back when somebody changes it', async () => {
  const made = changeOf('v1.acme.dev', ({ type }) => type === 'ADDED')
  await cluster.create(definitions, definition('gadgets'))
  const { spec } = await made
  const back = changeOf('v1.acme.dev', ({ entry }) => entry.bytes.includes('"versionPriority":100'))
  const change = (current: { bytes: Buffer }) => ({
    ...reviveObject(current.bytes),
    spec: { ...spec, versionPriority: 7 },
  })
  await cluster.store.update(cluster.served(apiServices), { namespace: '', name: 'v1.acme.dev' }, '', change, admin)
  expect((await back).spec).toEqual(spec)
})
