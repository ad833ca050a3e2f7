import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import { customResourceDefinitions, establish, widgetKind } from '../runner/fixtures.ts'

const discoveryDocs = 'https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api'
const healthDocs = 'https://kubernetes.io/docs/reference/using-api/health-checks/'

interface GroupVersions {
  name: string
  versions: { groupVersion: string; version: string }[]
  preferredVersion: { groupVersion: string; version: string }
}
interface Resource {
  name: string
  singularName: string
  namespaced: boolean
  kind: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
}
interface ResourceList {
  kind: string
  groupVersion: string
  resources: Resource[]
}
/** Other cases come and go with groups of their own. */
const isNoTestGroup = ({ name }: GroupVersions) => !name.endsWith('example.com')
const isDescribed = ({ name, kind, verbs }: Resource) => name !== '' && kind !== '' && verbs.length > 0

interface AggregatedGroup {
  metadata: { name?: string }
  versions: {
    version: string
    freshness: string
    resources: { resource: string; scope: string; verbs: string[]; subresources?: { subresource: string }[] }[]
  }[]
}

const standardGroups = [
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
]

export const cases = [
  defineCase({
    name: 'discovery: /version tells the version',
    stands: 'server version should find the server version',
    async run(t) {
      const { major, minor, gitVersion } = await t.api<Record<string, string>>('GET', '/version')
      assert.equal(major, '1')
      assert.match(minor ?? '', /^\d+$/)
      assert.match(gitVersion ?? '', /^v1\.\d+\.\d+/)
    },
  }),
  ...['/healthz', '/livez', '/readyz'].map((path) =>
    defineCase({
      name: `discovery: ${path} is ok`,
      stands: healthDocs,
      async run(t) {
        const { status, text } = await t.http({ path })
        assert.deepEqual({ status, text }, { status: 200, text: 'ok' })
      },
    }),
  ),
  defineCase({
    name: 'discovery: /readyz?verbose lists the checks',
    stands: healthDocs,
    async run(t) {
      const { text } = await t.http({ path: '/readyz?verbose' })
      assert.match(text, /^\[\+\]\S+ ok$/m)
      assert.match(text, /readyz check passed\n$/)
    },
  }),
  defineCase({
    name: 'discovery: /api names the versions of the core group',
    stands: discoveryDocs,
    async run(t) {
      const answer = await t.api<{ kind: string; versions: string[] }>('GET', '/api')
      assert.equal(answer.kind, 'APIVersions')
      assert.deepEqual(answer.versions, ['v1'])
    },
  }),
  defineCase({
    name: 'discovery: /apis names the groups, each with its preferred version',
    stands: 'Discovery should validate PreferredVersion for each APIGroup',
    async run(t) {
      const { kind, groups } = await t.api<{ kind: string; groups: GroupVersions[] }>('GET', '/apis')
      assert.equal(kind, 'APIGroupList')
      const names = groups.map(({ name }) => name)
      assert.deepEqual(
        standardGroups.filter((name) => !names.includes(name)),
        [],
      )
      for (const { name, versions, preferredVersion } of groups) {
        assert.ok(
          versions.some(({ groupVersion }) => groupVersion === preferredVersion.groupVersion),
          name,
        )
      }
    },
  }),
  defineCase({
    name: 'discovery: every version of every group lists its resources',
    stands: 'Discovery should locate the groupVersion and a resource within each APIGroup',
    async run(t) {
      const { groups } = await t.api<{ groups: GroupVersions[] }>('GET', '/apis')
      for (const { name, versions } of groups.filter(isNoTestGroup)) {
        for (const { groupVersion } of versions) {
          const list = await t.api<ResourceList>('GET', `/apis/${groupVersion}`)
          assert.deepEqual([list.kind, list.groupVersion], ['APIResourceList', groupVersion])
          assert.ok(list.resources.length > 0 && list.resources.every(isDescribed), name)
        }
      }
    },
  }),
  defineCase({
    name: 'discovery: one group is described at its own path',
    stands: discoveryDocs,
    async run(t) {
      const { kind, name, preferredVersion } = await t.api<GroupVersions & { kind: string }>('GET', '/apis/apps')
      assert.deepEqual(
        { kind, name, version: preferredVersion.version },
        { kind: 'APIGroup', name: 'apps', version: 'v1' },
      )
    },
  }),
  defineCase({
    name: 'discovery: /api/v1 describes pods and their subresources',
    stands: discoveryDocs,
    async run(t) {
      const { kind, resources } = await t.api<{ kind: string; resources: Resource[] }>('GET', '/api/v1')
      assert.equal(kind, 'APIResourceList')
      const pods = resources.find(({ name }) => name === 'pods')!
      assert.deepEqual(pods.shortNames, ['po'])
      assert.deepEqual(pods.categories, ['all'])
      assert.deepEqual([...pods.verbs].sort(), [
        'create',
        'delete',
        'deletecollection',
        'get',
        'list',
        'patch',
        'update',
        'watch',
      ])
      assert.deepEqual([pods.kind, pods.singularName, pods.namespaced], ['Pod', 'pod', true])
      const names = resources.map(({ name }) => name)
      for (const name of ['pods/log', 'pods/exec', 'pods/status', 'pods/binding', 'pods/eviction'])
        assert.ok(names.includes(name), name)
    },
  }),
  ...['/api', '/apis'].map((path) =>
    defineCase({
      name: `discovery: ${path} is aggregated for those who ask`,
      stands: [
        'AggregatedDiscovery should support aggregated discovery interface',
        'AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers',
      ],
      async run(t) {
        const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
        const { headers, json } = await t.http({ path, headers: { accept } })
        assert.match(String(headers['content-type']), /as=APIGroupDiscoveryList/)
        const { kind, items } = json<{ kind: string; items: AggregatedGroup[] }>()
        assert.equal(kind, 'APIGroupDiscoveryList')
        const [group, resource] = path === '/api' ? ['', 'pods'] : ['apps', 'deployments']
        const version = items.find(({ metadata }) => (metadata.name ?? '') === group)?.versions[0]
        const found = version?.resources.find((one) => one.resource === resource)
        assert.equal(found?.scope, 'Namespaced')
        assert.ok(found?.subresources?.some(({ subresource }) => subresource === 'status'))
      },
    }),
  ),
  defineCase({
    name: 'discovery: the form is what the client prefers among those the server has',
    stands: 'AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers',
    async run(t) {
      const kindFor = async (accept: string) =>
        (await t.http({ path: '/apis', headers: { accept } })).json<{ kind: string }>().kind
      const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
      assert.equal(await kindFor(aggregated), 'APIGroupDiscoveryList')
      assert.equal(await kindFor('application/json'), 'APIGroupList')
      assert.equal(await kindFor(`${aggregated.replace('v=v2', 'v=v77')},application/json`), 'APIGroupList')
    },
  }),
  defineCase({
    name: 'discovery: custom kinds are in the aggregated document while they exist',
    stands: [
      'AggregatedDiscovery should support aggregated discovery interface for CRDs',
      'AggregatedDiscovery should support raw aggregated discovery request for CRDs',
    ],
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
      const groupOf = async () => {
        const { items } = (await t.http({ path: '/apis', headers: { accept } })).json<{ items: AggregatedGroup[] }>()
        return items.find(({ metadata }) => metadata.name === kind.group)
      }
      const group = await t.eventually(groupOf)
      assert.deepEqual(
        group.versions.map(({ version, resources }) => [version, resources.map(({ resource }) => resource)]),
        [['v1', ['widgets']]],
      )
      await t.client.resource(customResourceDefinitions).delete(kind.definition.metadata.name!)
      await t.eventually(async () => (await groupOf()) === undefined)
    },
  }),
  defineCase({
    name: 'discovery: the kinds of admission webhooks are told',
    stands: 'AdmissionWebhook should include webhook resources in discovery documents',
    async run(t) {
      const group = await t.api<GroupVersions>('GET', '/apis/admissionregistration.k8s.io')
      assert.ok(group.versions.some(({ version }) => version === 'v1'))
      const { resources } = await t.api<ResourceList>('GET', '/apis/admissionregistration.k8s.io/v1')
      const names = resources.map(({ name }) => name)
      for (const name of ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])
        assert.ok(names.includes(name), name)
    },
  }),
  defineCase({
    name: 'discovery: the kind that defines kinds is told',
    stands:
      'CustomResourceDefinition resources should include custom resource definition resources in discovery documents',
    async run(t) {
      const { groups } = await t.api<{ groups: GroupVersions[] }>('GET', '/apis')
      const listed = groups.find(({ name }) => name === 'apiextensions.k8s.io')
      const group = await t.api<GroupVersions>('GET', '/apis/apiextensions.k8s.io')
      for (const one of [listed, group]) assert.ok(one?.versions.some(({ version }) => version === 'v1'))
      const { resources } = await t.api<ResourceList>('GET', '/apis/apiextensions.k8s.io/v1')
      assert.ok(resources.some(({ name }) => name === 'customresourcedefinitions'))
    },
  }),
  defineCase({
    name: 'discovery: OpenAPI v2 describes paths and definitions',
    stands: 'https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v2',
    async run(t) {
      const document = await t.api<{ swagger: string; paths: object; definitions: object }>('GET', '/openapi/v2')
      assert.equal(document.swagger, '2.0')
      assert.ok(Object.hasOwn(document.paths, '/api/v1/namespaces/{namespace}/pods'))
      assert.ok(Object.hasOwn(document.definitions, 'io.k8s.api.core.v1.Pod'))
    },
  }),
  defineCase({
    name: 'discovery: OpenAPI v3 has a document a group version, found through an index',
    stands: 'https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3',
    async run(t) {
      const { paths } = await t.api<{ paths: Record<string, { serverRelativeURL: string }> }>('GET', '/openapi/v3')
      const url = paths['apis/apps/v1']?.serverRelativeURL
      assert.match(url ?? '', /^\/openapi\/v3\/apis\/apps\/v1\?hash=/)
      const { components } = await t.api<{ components: { schemas: object } }>('GET', url!)
      assert.ok(Object.hasOwn(components.schemas, 'io.k8s.api.apps.v1.Deployment'))
    },
  }),
  ...['/nosuch', '/apis/nosuch.example.com', '/apis/apps/v7', '/apis/apps/v1/nosuch', '/api/v1/constructor'].map(
    (path) =>
      defineCase({
        name: `discovery: ${path} is not found`,
        stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/',
        async run(t) {
          assert.equal((await t.http({ path })).status, 404)
        },
      }),
  ),
  defineCase({
    name: 'discovery: a method that a path does not have is refused',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/',
    async run(t) {
      const { status, json } = await t.http({ method: 'PUT', path: '/api/v1/namespaces', body: {} })
      assert.equal(status, 405)
      assert.equal(json<{ reason: string }>().reason, 'MethodNotAllowed')
    },
  }),
]
