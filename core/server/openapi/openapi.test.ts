import { expect, test } from 'vitest'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import { allGroups, backups, builtin, groupsOf, source } from '../discovery/discovery.fixture.ts'
import type { Document } from '../discovery/document.ts'
import { servedGroups, servedResources } from '../discovery/served.ts'
import { OpenApi } from './openapi.ts'

interface Schema {
  [key: string]: unknown
  properties: Record<string, Schema>
}

interface V3 {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

interface Operation {
  operationId: string
  parameters?: { name: string; in: string }[]
  requestBody?: { content: Record<string, unknown> }
  'x-kubernetes-action'?: string
  'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }
}

const openApi = new OpenApi(source, builtin.types, 'v1.36.0')
const parse = async <T>(document: Document) => JSON.parse(String((await document.body(false)).bytes)) as T
const v3 = (name: string) => parse<V3>(openApi.v3(name)!)
const index = (await parse<{ paths: Record<string, { serverRelativeURL: string }> }>(openApi.v3Index())).paths
const v2 = await parse<{ paths: V3['paths']; definitions: Record<string, Schema> }>(openApi.v2())
const groupVersions = servedGroups(allGroups).flatMap(({ group, versions }) =>
  versions.map((version) => ({ group, version, name: group ? `apis/${group}/${version}` : `api/${version}` })),
)
const methods = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options']
const operationsOf = (paths: V3['paths']) =>
  Object.entries(paths).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => ({ path, method, ...item[method]! })),
  )

/** Every `$ref` anywhere in a value. */
function* references(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    if (key === '$ref' && typeof child === 'string') yield child
    else yield* references(child)
  }
}

test('the index names each document with its hash', () => {
  expect(Object.keys(index)).toEqual(
    expect.arrayContaining(['api', 'api/v1', 'apis', 'apis/apps', 'apis/apps/v1', 'apis/acme.dev/v1', 'version']),
  )
  for (const [name, { serverRelativeURL }] of Object.entries(index)) {
    const hash = openApi.v3(name)!.etag.slice(1, -1)
    expect(serverRelativeURL).toBe(`/openapi/v3/${name}?hash=${hash}`)
    expect(hash).toMatch(/^[0-9A-F]{128}$/)
  }
  expect(openApi.v3('apis/nothing/v1')).toBeUndefined()
  expect(openApi.v3('__proto__')).toBeUndefined()
})

test.each(Object.keys(index))('every reference of %s resolves', async (name) => {
  const { openapi, components, ...rest } = await v3(name)
  expect(openapi).toBe('3.0.0')
  for (const reference of references({ components, rest })) {
    expect(reference.startsWith('#/components/schemas/')).toBe(true)
    expect(components.schemas).toHaveProperty([reference.slice('#/components/schemas/'.length)])
  }
})

test('every reference of v2 resolves', () => {
  for (const reference of references(v2)) {
    expect(v2.definitions).toHaveProperty([reference.slice('#/definitions/'.length)])
  }
})

/** The group, version and kind combinations some schemas are marked with. */
const kindsOf = (schemas: Record<string, Schema>) =>
  new Set(
    Object.values(schemas)
      .flatMap((schema) => (schema['x-kubernetes-group-version-kind'] ?? []) as Record<string, string>[])
      .map(({ group, version, kind }) => `${group}/${version}/${kind}`),
  )

test.each(groupVersions)(
  'every kind that $name serves has a schema, and its list too',
  async ({ group, version, name }) => {
    const kinds = kindsOf((await v3(name)).components.schemas)
    const inV2 = kindsOf(v2.definitions)
    for (const { definition, kind, subresource } of servedResources(allGroups.get(group)!, version)) {
      if (kind.kind.endsWith('Options')) continue
      const key = `${kind.group}/${kind.version}/${kind.kind}`
      expect(kinds).toContain(key)
      expect(inV2).toContain(key)
      if (!subresource && definition.keelson?.virtual === undefined) {
        expect(kinds).toContain(`${group}/${version}/${definition.listKind}`)
      }
    }
  },
)

test.each(groupVersions)('operations of $name are named once and say what they can check', async ({ name }) => {
  const operations = operationsOf((await v3(name)).paths)
  const ids = operations.map(({ operationId }) => operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { method, parameters, ...operation } of operations) {
    const action = operation['x-kubernetes-action']
    if (!action || action === 'connect') continue
    expect(operation['x-kubernetes-group-version-kind']).toBeDefined()
    const names = parameters?.map((parameter) => parameter.name) ?? []
    if (method !== 'get') expect(names).toContain('dryRun')
    if (['put', 'post', 'patch'].includes(method)) expect(names).toContain('fieldValidation')
    if (method === 'patch') expect(names).toContain('force')
  }
})

test('all operations of all documents have names of their own', () => {
  const ids = operationsOf(v2.paths).map(({ operationId }) => operationId)
  expect(new Set(ids).size).toBe(ids.length)
})

const names = [
  { path: '/api/v1/pods', method: 'get', id: 'listCoreV1PodForAllNamespaces', action: 'list' },
  { path: '/api/v1/namespaces/{namespace}/pods', method: 'post', id: 'createCoreV1NamespacedPod', action: 'post' },
  {
    path: '/api/v1/namespaces/{namespace}/pods/{name}/exec',
    method: 'post',
    id: 'connectCoreV1PostNamespacedPodExec',
    action: 'connect',
  },
  {
    path: '/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}',
    method: 'head',
    id: 'connectCoreV1HeadNamespacedPodProxyWithPath',
    action: 'connect',
  },
  {
    path: '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale',
    method: 'put',
    id: 'replaceAppsV1NamespacedDeploymentScale',
    action: 'put',
  },
  {
    path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    method: 'delete',
    id: 'deleteRbacAuthorizationV1CollectionClusterRole',
    action: 'deletecollection',
  },
  {
    path: '/apis/acme.dev/v1/namespaces/{namespace}/backups/{name}',
    method: 'get',
    id: 'readAcmeDevV1NamespacedBackup',
    action: 'get',
  },
  {
    path: '/api/v1/namespaces/{namespace}/pods/{name}/eviction',
    method: 'post',
    id: 'createCoreV1NamespacedPodEviction',
    action: 'post',
  },
]

test.each(names)('$method $path is $id', async ({ path, method, id, action }) => {
  const name = path
    .split('/')
    .slice(1, path.startsWith('/apis') ? 4 : 3)
    .join('/')
  for (const { paths } of [await v3(name), v2]) {
    expect(paths[path]?.[method]).toMatchObject({ operationId: id, 'x-kubernetes-action': action })
  }
})

test('virtual kinds can only be created', async () => {
  const { paths } = await v3('apis/authorization.k8s.io/v1')
  expect(methods.filter((method) => paths['/apis/authorization.k8s.io/v1/subjectaccessreviews']?.[method])).toEqual([
    'post',
  ])
  expect(paths).not.toHaveProperty(['/apis/authorization.k8s.io/v1/subjectaccessreviews/{name}'])
})

test('references beside other keywords stand in allOf, alone they stand for themselves', async () => {
  const { schemas } = (await v3('apis/apps/v1')).components
  const spec = schemas['io.k8s.api.apps.v1.DeploymentSpec']!
  expect(spec.properties.strategy).toMatchObject({
    allOf: [{ $ref: '#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy' }],
    'x-kubernetes-patch-strategy': 'retainKeys',
  })
  expect(spec.properties.strategy).not.toHaveProperty('$ref')
  expect(v2.definitions['io.k8s.api.apps.v1.DeploymentSpec']!.properties.strategy).toMatchObject({
    $ref: '#/definitions/io.k8s.api.apps.v1.DeploymentStrategy',
  })
})

test('merge keys and list types of strategic patches are there', async () => {
  const containers = (await v3('api/v1')).components.schemas['io.k8s.api.core.v1.PodSpec']!.properties.containers
  expect(containers).toMatchObject({
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  })
})

test('a number or a string has its form in each version', async () => {
  const name = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
  expect((await v3('api/v1')).components.schemas[name]).toMatchObject({
    format: 'int-or-string',
    oneOf: expect.anything(),
  })
  expect(v2.definitions[name]).toMatchObject({ type: 'string', format: 'int-or-string' })
  expect(v2.definitions['io.k8s.apimachinery.pkg.api.resource.Quantity']).toMatchObject({ type: 'string' })
})

test('a custom resource has the name of its reversed group, a head, and its own patches', async () => {
  const { components, paths } = await v3('apis/acme.dev/v1')
  const schema = components.schemas['dev.acme.v1.Backup']!
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['apiVersion', 'kind', 'metadata', 'spec']))
  expect(schema['x-kubernetes-group-version-kind']).toEqual([{ group: 'acme.dev', version: 'v1', kind: 'Backup' }])
  expect(schema.properties.spec!.properties.keep).toMatchObject({ 'x-kubernetes-int-or-string': true })
  const patch = paths['/apis/acme.dev/v1/namespaces/{namespace}/backups/{name}']!.patch!
  expect(Object.keys(patch.requestBody!.content)).not.toContain('application/strategic-merge-patch+json')
})

test('v2 says "anything" where it cannot say more', () => {
  const { keep, extra, note, schedule } = v2.definitions['dev.acme.v1.Backup']!.properties.spec!.properties
  expect(keep).toEqual({ 'x-kubernetes-int-or-string': true })
  expect(extra).toEqual({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
  expect(note).toEqual({})
  expect(schedule).toEqual({ type: 'string', description: 'When, as in cron.' })
})

test('a change of one group leaves the documents of the others as they are', () => {
  const changing = { generation: 1, groups: allGroups }
  const documents = new OpenApi(changing, builtin.types, 'v1.36.0')
  const [apps, acme, whole] = [documents.v3('apis/apps/v1'), documents.v3('apis/acme.dev/v1'), documents.v2()]
  const before = documents.v3Index()
  expect(documents.v3Index()).toBe(before)
  expect(documents.v2()).toBe(whole)
  const changed = {
    ...backups,
    versions: [{ ...backups.versions[0]!, schema: { type: 'object', description: 'New.' } }],
  }
  changing.groups = new Map([...allGroups, ['acme.dev', [changed as ResourceDefinition]]])
  changing.generation++
  expect(documents.v3('apis/apps/v1')).toBe(apps)
  expect(documents.v3('apis/acme.dev/v1')!.etag).not.toBe(acme!.etag)
  expect(documents.v3('apis/acme.dev/v2alpha1')).toBeUndefined()
  expect(documents.v3Index().etag).not.toBe(before.etag)
  expect(documents.v2().etag).not.toBe(whole.etag)
})

/** A definition that counts how often its schema is asked for. */
function counted(name: string) {
  const asked = { times: 0 }
  const [version] = backups.versions
  const definition: ResourceDefinition = {
    ...backups,
    group: `${name}.dev`,
    fingerprint: name,
    versions: [
      {
        ...version!,
        get schema() {
          asked.times++
          return version!.schema
        },
      },
    ],
  }
  return { asked, definition }
}

test.each(['v2', 'v2Protobuf'] as const)('%s renders anew what has changed, and no more', async (form) => {
  const [one, two] = [counted('one'), counted('two')]
  const changing = { generation: 1, groups: groupsOf([...builtin.resources, one.definition, two.definition]) }
  const documents = new OpenApi(changing, builtin.types, 'v1.36.0')
  const before = (await documents[form]().body(false)).bytes
  expect([one.asked.times, two.asked.times]).toEqual([1, 1])
  const other = { ...backups, group: 'other.dev' }
  changing.groups = new Map([...changing.groups, ['other.dev', [other]]])
  changing.generation++
  const after = (await documents[form]().body(false)).bytes
  expect([one.asked.times, two.asked.times]).toEqual([1, 1])
  expect(before.includes('dev.other.v1.Backup')).toBe(false)
  expect(after.includes('dev.other.v1.Backup')).toBe(true)
  expect(after.includes('dev.one.v1.Backup')).toBe(true)
})

test('addresses, hashes and discovery of documents ask for no schema', () => {
  const { asked, definition } = counted('one')
  const documents = new OpenApi({ generation: 1, groups: groupsOf([definition]) }, builtin.types, 'v1.36.0')
  expect(documents.v3Index().bytes.includes('apis/one.dev/v1?hash=')).toBe(true)
  expect(documents.v2().etag).toBe(documents.v2().etag)
  expect(asked.times).toBe(0)
})

test('what other servers answer for is in the whole document and in the index', async () => {
  const remote = {
    v3Urls: () => new Map([['apis/acme.dev/v1', '/openapi/v3/apis/acme.dev/v1?hash=REMOTE']]),
    v2Parts: () => [
      {
        paths: { '/apis/far.dev/v1/things': { parameters: [] }, '/apis/acme.dev/v1/backups': {} },
        definitions: {},
      },
    ],
  }
  const documents = new OpenApi(source, builtin.types, 'v1.36.0', remote)
  const { paths } = await parse<{ paths: Record<string, { parameters: unknown[] }> }>(documents.v2())
  expect(paths['/apis/far.dev/v1/things']).toEqual({ parameters: [] })
  expect(paths['/apis/acme.dev/v1/namespaces/{namespace}/backups']).toBeDefined()
  const { paths: urls } = JSON.parse(String(documents.v3Index().bytes))
  expect(urls['apis/acme.dev/v1'].serverRelativeURL).toBe('/openapi/v3/apis/acme.dev/v1?hash=REMOTE')
})
