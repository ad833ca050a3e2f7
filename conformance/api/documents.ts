import assert from 'node:assert/strict'
import { defineCase } from '../runner/case.ts'
import { establish, widgetKind } from '../runner/fixtures.ts'

const discoveryDocs = 'https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery'
const v3Docs = 'https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3'
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

interface Index {
  paths: Record<string, { serverRelativeURL: string }>
}

interface AggregatedGroups {
  items: {
    metadata: { name?: string }
    versions: {
      version: string
      resources: {
        resource: string
        singularResource: string
        responseKind?: { kind: string }
        shortNames?: string[]
        categories?: string[]
        subresources?: { subresource: string; responseKind?: { group: string; version: string; kind: string } }[]
      }[]
    }[]
  }[]
}

const known: { path: string; headers: Record<string, string> }[] = [
  { path: '/apis', headers: { accept: aggregated } },
  { path: '/api', headers: { accept: aggregated } },
  { path: '/openapi/v2', headers: {} },
  { path: '/openapi/v3/apis/apps/v1', headers: {} },
]

export const cases = [
  ...known.map(({ path, headers }) =>
    defineCase({
      name: `documents: ${path} is not sent again to who has it`,
      stands: path.startsWith('/openapi') ? v3Docs : discoveryDocs,
      async run(t) {
        // Definitions of other cases come and go, and the documents with them.
        await t.eventually(async () => {
          const { etag = '' } = (await t.http({ path, headers })).headers
          assert.match(etag, /^".+"$/)
          const again = await t.http({ path, headers: { ...headers, 'if-none-match': etag } })
          return again.status === 304 && again.text === ''
        })
      },
    }),
  ),
  defineCase({
    name: 'documents: an OpenAPI v3 address with its hash may be kept for ever, one with another leads to it',
    stands: v3Docs,
    async run(t) {
      const { paths } = await t.api<Index>('GET', '/openapi/v3')
      const path = paths['apis/apps/v1']!.serverRelativeURL
      const { headers, status } = await t.http({ path })
      assert.equal(status, 200)
      assert.match(headers['cache-control'] ?? '', /immutable/)
      assert.ok(Date.parse(headers.expires ?? '') > Date.now())
      const stale = await t.http({ path: '/openapi/v3/apis/apps/v1?hash=0' })
      assert.deepEqual([stale.status, stale.headers.location], [301, path])
    },
  }),
  defineCase({
    name: 'documents: aggregated discovery has every name of a resource and the kinds of its subresources',
    stands: discoveryDocs,
    async run(t) {
      const { items } = await t.api<AggregatedGroups>('GET', '/apis', undefined, { accept: aggregated })
      const apps = items.find(({ metadata }) => metadata.name === 'apps')!.versions[0]!
      const deployments = apps.resources.find(({ resource }) => resource === 'deployments')!
      assert.equal(deployments.singularResource, 'deployment')
      assert.equal(deployments.responseKind?.kind, 'Deployment')
      assert.deepEqual(deployments.shortNames, ['deploy'])
      assert.deepEqual(deployments.categories, ['all'])
      const scale = deployments.subresources?.find(({ subresource }) => subresource === 'scale')
      assert.deepEqual(scale?.responseKind, { group: 'autoscaling', version: 'v1', kind: 'Scale' })
    },
  }),
  defineCase({
    name: 'documents: discovery and OpenAPI follow a definition from its creation to its end',
    stands: [
      'AggregatedDiscovery should support raw aggregated discovery request for CRDs',
      'https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/',
    ],
    async run(t) {
      const etagOf = async () => (await t.http({ path: '/apis', headers: { accept: aggregated } })).headers.etag
      const before = await etagOf()
      const kind = widgetKind(t)
      await establish(t, kind)
      const name = `apis/${kind.group}/v1`
      const has = async () => Object.hasOwn((await t.api<Index>('GET', '/openapi/v3')).paths, name)
      await t.eventually(async () => (await etagOf()) !== before && (await has()))
      await t.api('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind.definition.metadata.name}`)
      await t.eventually(async () => !(await has()))
      await t.eventually(async () => (await t.http({ path: `/apis/${kind.group}` })).status === 404)
    },
  }),
  defineCase({
    name: 'documents: the issuer of service account tokens publishes its keys',
    stands:
      'https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery',
    async run(t) {
      const configuration = await t.api<Record<string, string>>('GET', '/.well-known/openid-configuration')
      assert.match(configuration.issuer ?? '', /^https:/)
      assert.match(configuration.jwks_uri ?? '', /\/openid\/v1\/jwks$/)
      const { headers, json, status } = await t.http({ path: '/openid/v1/jwks' })
      assert.deepEqual([status, headers['content-type']], [200, 'application/jwk-set+json'])
      const [key] = json<{ keys: Record<string, string>[] }>().keys
      assert.equal(key?.use, 'sig')
      assert.ok(key?.kid)
    },
  }),
  defineCase({
    name: 'documents: / lists the paths there are',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/',
    async run(t) {
      const { paths } = await t.api<{ paths: string[] }>('GET', '/')
      for (const path of ['/api/v1', '/apis/apps', '/apis/apps/v1', '/openapi/v2', '/readyz', '/version'])
        assert.ok(paths.includes(path), path)
      assert.deepEqual(paths, [...paths].sort())
    },
  }),
  ...[
    { path: '/apis/nosuch.example.com', is: 'text/plain; charset=utf-8' },
    { path: '/apis/nosuch.example.com/v1/things', is: 'text/plain; charset=utf-8' },
    { path: '/apis/apps/v1/nosuch', is: 'application/json' },
  ].map(({ path, is }) =>
    defineCase({
      name: `documents: ${path} is not found, in ${is.split(';')[0]}`,
      stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/',
      async run(t) {
        const { headers, status, text } = await t.http({ path })
        assert.deepEqual([status, headers['content-type']], [404, is])
        if (is.startsWith('text')) assert.equal(text, '404 page not found\n')
        else assert.equal(JSON.parse(text).message, 'the server could not find the requested resource')
      },
    }),
  ),
]
