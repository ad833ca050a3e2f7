import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { StorageVersionMigration } from '#apis/storagemigration/v1beta1/zz_generated.types.ts'
import { runKeelson, startTestServer, type TestServer } from '#core/testing/test-server.ts'

/** The command, and the plugin that does its work, in a started server. */

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const migrations = '/apis/storagemigration.k8s.io/v1beta1/storageversionmigrations'

async function send<T>(method: string, path: string, body?: object): Promise<T> {
  const headers = { 'content-type': `application/${method === 'PATCH' ? 'merge-patch+' : ''}json` }
  const answer = await server.request(method, path, body as Record<string, unknown>, headers)
  if (answer.status < 300) return answer.json<T>()
  throw new Error(answer.text)
}

const versions = (storage: string) =>
  ['v1beta1', 'v1'].map((name) => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } } },
  }))

/** A kind with objects that are stored as v1beta1, and now is stored as v1. */
async function storedTwice(plural: string, count: number): Promise<void> {
  await send('POST', definitions, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.x.dev` },
    spec: {
      group: 'x.dev',
      scope: 'Namespaced',
      names: { plural, kind: `K${plural}` },
      versions: versions('v1beta1'),
    },
  })
  const objects = Array.from({ length: count }, (_, at) => ({
    apiVersion: 'x.dev/v1beta1',
    kind: `K${plural}`,
    metadata: { name: `o${String(at).padStart(4, '0')}` },
    size: at,
  }))
  await Promise.all(objects.map((object) => send('POST', `/apis/x.dev/v1beta1/namespaces/default/${plural}`, object)))
  await send('PATCH', `${definitions}/${plural}.x.dev`, { spec: { versions: versions('v1') } })
}

interface Listed {
  items: { metadata: { name: string; resourceVersion: string } }[]
}

/** An object that is stored in another version gets a new one from a write that changes nothing. */
async function revisions(plural: string): Promise<Map<string, string>> {
  const { items } = await send<Listed>('GET', `/apis/x.dev/v1/${plural}`)
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
}

const storedVersions = async (plural: string) =>
  (await send<CustomResourceDefinition>('GET', `${definitions}/${plural}.x.dev`)).status?.storedVersions

const migrationOf = (name: string, plural: string) => ({
  apiVersion: 'storagemigration.k8s.io/v1beta1',
  kind: 'StorageVersionMigration',
  metadata: { name },
  spec: { resource: { group: 'x.dev', resource: plural } },
})

const read = (name: string) => send<StorageVersionMigration>('GET', `${migrations}/${name}`)

async function until(name: string, holds: (migration: StorageVersionMigration) => unknown) {
  for (;;) {
    const now = await read(name)
    if (holds(now)) return now
  }
}

const has = (type: string) => (migration: StorageVersionMigration) =>
  migration.status?.conditions?.some((one) => one.type === type && one.status === 'True')

test('a migration that is applied has all objects stored in the version of today', async () => {
  await storedTwice('gadgets', 50)
  expect(await storedVersions('gadgets')).toEqual(['v1beta1', 'v1'])
  const before = await revisions('gadgets')
  await send('POST', migrations, migrationOf('gadgets', 'gadgets'))
  const { status } = await until('gadgets', has('Succeeded'))
  expect(status?.conditions).toMatchObject([{ type: 'Succeeded', message: '50 objects are stored in v1' }])
  expect(Number(status?.resourceVersion)).toBeGreaterThan(0)
  expect(await storedVersions('gadgets')).toEqual(['v1'])
  const after = await revisions('gadgets')
  expect([...after].filter(([name, revision]) => revision === before.get(name))).toEqual([])

  await send('POST', migrations, migrationOf('again', 'gadgets'))
  await until('again', has('Succeeded'))
  expect(await revisions('gadgets')).toEqual(after)
})

test('a migration outlives a server that is killed, and writes each object once', async () => {
  await storedTwice('things', 1_200)
  const before = await revisions('things')
  await send('POST', migrations, migrationOf('things', 'things'))
  await until('things', ({ metadata }) => metadata.annotations?.['keelson.dev/progress'])
  await server.kill9()
  await server.restart()
  const half = await revisions('things')
  const { status } = await until('things', has('Succeeded'))
  expect(status?.conditions).toMatchObject([{ message: '1200 objects are stored in v1' }])
  const after = await revisions('things')
  const wasWritten = [...half].filter(([name, revision]) => revision !== before.get(name))
  expect(wasWritten.length).toBeGreaterThanOrEqual(500)
  for (const [name, revision] of wasWritten) expect(after.get(name)).toBe(revision)
  expect([...after].filter(([name, revision]) => revision === before.get(name))).toEqual([])
  expect(await storedVersions('things')).toEqual(['v1'])
})

test('the command migrates what needs it, and says so', async () => {
  await storedTwice('doodads', 3)
  const { status, stderr } = await runKeelson(['migrate', '--kubeconfig', server.kubeconfig])
  expect(stderr).toBe('doodads.x.dev: 3 objects are stored in v1\n')
  expect(status).toBe(0)
  expect(await storedVersions('doodads')).toEqual(['v1'])
  const again = await runKeelson(['migrate', '--kubeconfig', server.kubeconfig, 'doodads.x.dev'])
  expect(again).toEqual({ status: 0, stderr: 'doodads.x.dev: all is stored in v1\n' })
  const unknown = await runKeelson(['migrate', '--kubeconfig', server.kubeconfig, 'pods'])
  expect(unknown.status).toBe(2)
  expect(unknown.stderr).toContain('there is no CustomResourceDefinition "pods"')
})

test('the command says when nobody would do the work', async () => {
  await storedTwice('idlers', 1)
  const plugin = '/apis/keelson.dev/v1/plugins/controller-storage-version-migrator'
  await send('PATCH', plugin, { spec: { enabled: false } })
  const isDisabled = async () => {
    const { status } = await send<{ status?: { conditions?: { reason: string }[] } }>('GET', plugin)
    return status?.conditions?.some(({ reason }) => reason === 'Disabled')
  }
  while (!(await isDisabled()));
  const { status, stderr } = await runKeelson(['migrate', '--kubeconfig', server.kubeconfig])
  expect(status).toBe(1)
  expect(stderr).toContain('plugin controller-storage-version-migrator does not run')
})
