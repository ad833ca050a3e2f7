import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { runKeelson, startTestServer, type TestServer } from '#core/testing/test-server.ts'
import { type MigrationApi, Migrator } from './migration.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server[Symbol.asyncDispose]())

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

interface Request {
  method: string
  path: string
  body?: unknown
  contentType?: string
  accept?: string
}

async function send<T>({ method, path, body, contentType, accept }: Request): Promise<T> {
  const headers = { ...(contentType && { 'content-type': contentType }), ...(accept && { accept }) }
  const answer = await server.request(method, path, body as Record<string, unknown>, headers)
  if (answer.status < 300) return answer.json<T>()
  throw Object.assign(new Error(answer.text), { status: answer.json() })
}

const versions = (storage: string) =>
  ['v1', 'v2'].map((name) => ({
    name,
    served: true,
    storage: name === storage,
    schema: { openAPIV3Schema: { type: 'object', properties: { size: { type: 'integer' } } } },
  }))

/** A kind with objects that are stored as v1, and now is stored as v2. */
async function storedTwice(plural: string, count: number): Promise<CustomResourceDefinition> {
  const path = `${definitions}/${plural}.x.dev`
  const body = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.x.dev` },
    spec: {
      group: 'x.dev',
      scope: 'Namespaced',
      names: { plural, kind: `K${plural}` },
      versions: versions('v1'),
    },
  }
  await send({ method: 'POST', path: definitions, body })
  const objects = Array.from({ length: count }, (_, at) => ({
    apiVersion: 'x.dev/v1',
    kind: `K${plural}`,
    metadata: { name: `o${String(at).padStart(3, '0')}` },
    size: at,
  }))
  await Promise.all(
    objects.map((object) =>
      send({ method: 'POST', path: `/apis/x.dev/v1/namespaces/default/${plural}`, body: object }),
    ),
  )
  return send({
    method: 'PATCH',
    path,
    body: { spec: { versions: versions('v2') } },
    contentType: 'application/merge-patch+json',
  })
}

interface Listed {
  items: { metadata: { name: string; resourceVersion: string } }[]
}

async function revisions(plural: string): Promise<Map<string, string>> {
  const { items } = await send<Listed>({ method: 'GET', path: `/apis/x.dev/v2/${plural}` })
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]))
}

const storedVersions = async (plural: string) =>
  (await send<CustomResourceDefinition>({ method: 'GET', path: `${definitions}/${plural}.x.dev` })).status
    ?.storedVersions

test('a migration goes on where it stopped, and writes each object once', async () => {
  const definition = await storedTwice('gadgets', 12)
  expect(await storedVersions('gadgets')).toEqual(['v1', 'v2'])
  const before = await revisions('gadgets')
  let patches = 0
  const failing: MigrationApi = {
    request: async (request) => {
      if (request.method === 'PATCH' && request.path.includes('/gadgets/') && ++patches > 7) throw new Error('cut off')
      return send(request)
    },
  }
  const said: string[] = []
  const progress = { show: () => {}, say: (text: string) => said.push(text) }
  await expect(new Migrator({ api: failing, progress, pageSize: 5 }).migrate(definition)).rejects.toThrow(
    'migrate gadgets.x.dev',
  )
  expect(await storedVersions('gadgets')).toEqual(['v1', 'v2'])
  const half = await revisions('gadgets')
  const isWritten = ([name, revision]: [string, string]) => revision !== before.get(name)
  expect([...half].filter(isWritten)).toHaveLength(7)

  const seen: string[] = []
  const watching: MigrationApi = {
    request: (request) => {
      seen.push(`${request.method} ${request.path}`)
      return send(request)
    },
  }
  await new Migrator({ api: watching, progress, pageSize: 5 }).migrate(definition)
  const after = await revisions('gadgets')
  expect([...after].every(isWritten)).toBe(true)
  for (const [name, revision] of half) if (revision !== before.get(name)) expect(after.get(name)).toBe(revision)
  expect(seen.filter((one) => /^PATCH .*\/gadgets\/o00[0-4]$/.test(one))).toEqual([])
  expect(await storedVersions('gadgets')).toEqual(['v2'])
  expect(said).toEqual([
    'gadgets.x.dev: goes on where an earlier run stopped',
    'gadgets.x.dev: 7 objects are stored in v2',
  ])
  const { status } = await send<{ status: { conditions: { type: string; message: string }[] } }>({
    method: 'GET',
    path: '/apis/storagemigration.k8s.io/v1beta1/storageversionmigrations/keelson-migrate-to-v2.gadgets.x.dev',
  })
  expect(status.conditions).toMatchObject([{ type: 'Succeeded', message: '7 objects are stored in v2' }])
})

test('the command migrates what needs it, and says so', async () => {
  await storedTwice('doodads', 3)
  const { status, stderr } = await runKeelson(['migrate', '--kubeconfig', server.kubeconfig])
  expect(stderr).toBe('doodads.x.dev: 3 objects are stored in v2\n')
  expect(status).toBe(0)
  expect(await storedVersions('doodads')).toEqual(['v2'])
  const again = await runKeelson(['migrate', '--kubeconfig', server.kubeconfig, 'doodads.x.dev'])
  expect(again).toEqual({ status: 0, stderr: 'doodads.x.dev: all is stored in v2\n' })
  const unknown = await runKeelson(['migrate', '--kubeconfig', server.kubeconfig, 'pods'])
  expect(unknown.status).toBe(2)
  expect(unknown.stderr).toContain('there is no CustomResourceDefinition "pods"')
})

test('a list that has become too old goes on with what is there now', async () => {
  const definition = await storedTwice('widgets', 6)
  let pages = 0
  const forgetful: MigrationApi = {
    request: async (request) => {
      if (request.path.includes('continue=') && pages++ === 0) {
        // What an API server says of a token from before compaction: how to go on without consistency.
        const token = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: -1, start: 'default/o003' })).toString(
          'base64url',
        )
        throw Object.assign(new Error('too old'), { status: { code: 410, metadata: { continue: token } } })
      }
      return send(request)
    },
  }
  const said: string[] = []
  const progress = { show: () => {}, say: (text: string) => said.push(text) }
  await new Migrator({ api: forgetful, progress, pageSize: 4 }).migrate(definition)
  expect(pages).toBe(2)
  expect(said).toEqual(['widgets.x.dev: 6 objects are stored in v2'])
})
