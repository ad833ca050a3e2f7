import assert from 'node:assert/strict'
import { type APIService, apiservices } from '@keelson/apis/apiregistration/v1/zz_generated.types.ts'
import { configmaps, services } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { establish, widgetKind } from '../runner/fixtures.ts'
import { type NeighbourRequest, openNeighbour } from '../runner/neighbour.ts'

const docs = 'https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/'
const sampleServer = 'Aggregator Should be able to support the 1.17 Sample API Server using the current Aggregator'
const path = '/apis/apiregistration.k8s.io/v1/apiservices'
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

const conditionOf = ({ status }: APIService) => status?.conditions?.find(({ type }) => type === 'Available')
const isAvailable = (service: APIService) => conditionOf(service)?.status === 'True'

/** An APIService of a group of the case's own, which goes with the case. */
function apiService(
  t: CaseContext,
  spec: Partial<APIService['spec']>,
  labels: Record<string, string> = {},
): APIService {
  const group = `${t.unique('group')}.example.com`
  const name = `v1.${group}`
  t.cleanup(() => t.client.resource(apiservices).delete(name))
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name, labels },
    spec: { group, version: 'v1', groupPriorityMinimum: 100, versionPriority: 10, ...spec },
  }
}

/** One whose service is nowhere. */
const absent = { insecureSkipTLSVerify: true, service: { namespace: 'default', name: 'nowhere', port: 443 } }

interface Aggregated {
  items: { metadata: { name?: string }; versions: { version: string; freshness: string; resources: object[] }[] }[]
}

async function aggregatedVersion(t: CaseContext, group: string) {
  const { items } = await t.api<Aggregated>('GET', '/apis', undefined, { accept: aggregated })
  return items.find(({ metadata }) => metadata.name === group)?.versions[0]
}

/** What the neighbour of the case serves: flunders, as the sample server does. */
const resourcesOf = (group: string) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group}/v1`,
  resources: [{ name: 'flunders', singularName: 'flunder', namespaced: true, kind: 'Flunder', verbs: ['get', 'list'] }],
})

export const cases = [
  defineCase({
    name: 'aggregation: every group version that is served here has an APIService that is available',
    stands: docs,
    async run(t) {
      const { items } = await t.client.resource(apiservices).list()
      const known = new Map(items.map((one) => [one.metadata.name, one]))
      for (const name of ['v1.', 'v1.apps', 'v1.batch', 'v2.autoscaling', 'v1.rbac.authorization.k8s.io']) {
        const found = known.get(name)
        assert.equal(found?.metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'], 'onstart', name)
        assert.equal(found.spec.service, undefined, name)
        const { reason, status } = conditionOf(found) ?? {}
        assert.deepEqual({ reason, status }, { reason: 'Local', status: 'True' }, name)
      }
      assert.ok(known.get('v1.apps')!.spec.groupPriorityMinimum > known.get('v1.batch')!.spec.groupPriorityMinimum)
    },
  }),
  defineCase({
    name: 'aggregation: a custom resource definition has an APIService, which comes back when it is deleted and goes with it',
    stands: docs,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const name = `v1.${kind.group}`
      const { metadata } = await t.until(apiservices, name, isAvailable)
      assert.equal(metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'], 'true')
      await t.client.resource(apiservices).delete(name)
      await t.until(apiservices, name, (service) => service.metadata.uid !== metadata.uid && isAvailable(service))
      await t.api('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${kind.definition.metadata.name}`)
      await t.untilGone(apiservices, name)
    },
  }),
  ...[
    {
      fault: 'another name',
      change: (service: APIService) => ({ ...service, metadata: { name: `v2.${service.spec.group}` } }),
      message: 'metadata.name: Invalid value',
    },
    {
      fault: 'too great a priority',
      change: ({ spec, ...rest }: APIService) => ({ ...rest, spec: { ...spec, versionPriority: 1001 } }),
      message: 'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
    },
    {
      fault: 'trust without a service',
      change: ({ spec, ...rest }: APIService) => ({ ...rest, spec: { ...spec, insecureSkipTLSVerify: true } }),
      message: 'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    },
  ].map(({ fault, change, message }) =>
    defineCase({
      name: `aggregation: an APIService with ${fault} is refused`,
      stands: docs,
      async run(t) {
        const create = t.client.resource(apiservices).create(change(apiService(t, {})))
        await t.rejects(create, { code: 422, reason: 'Invalid', messageIncludes: message })
      },
    }),
  ),
  defineCase({
    name: 'aggregation: without its service a group version is unavailable, stale, and answered with 503',
    stands: docs,
    async run(t) {
      const { metadata, spec } = await t.client.resource(apiservices).create(apiService(t, absent))
      const service = await t.until(apiservices, metadata.name!, (one) => conditionOf(one)?.status === 'False')
      const { message, reason } = conditionOf(service)!
      assert.equal(reason, 'ServiceNotFound')
      assert.equal(message, 'service/nowhere in "default" is not present')
      await t.eventually(async () => (await t.http({ path: `/apis/${spec.group}/v1` })).status === 503)
      assert.equal((await t.http({ path: `/apis/${spec.group}/v1/flunders` })).status, 503)
      await t.eventually(async () => (await aggregatedVersion(t, spec.group!))?.freshness === 'Stale')
    },
  }),
  defineCase({
    name: 'aggregation: the conditions name what a service lacks',
    stands: docs,
    async run(t) {
      const namespace = await t.namespace()
      const service = { namespace, name: 'lacking', port: 443 }
      const lacking = { ports: [{ port: 80 }], clusterIP: 'None' }
      const made = { apiVersion: 'v1', kind: 'Service', metadata: { name: service.name }, spec: lacking }
      await (await t.in(services)).create(made)
      const { metadata } = await t.client.resource(apiservices).create(apiService(t, { ...absent, service }))
      await t.until(apiservices, metadata.name!, (one) => conditionOf(one)?.reason === 'ServicePortError')
      await t.api('PATCH', `/api/v1/namespaces/${namespace}/services/lacking`, { spec: { ports: [{ port: 443 }] } })
      await t.until(apiservices, metadata.name!, (one) =>
        ['EndpointsNotFound', 'MissingEndpoints'].includes(conditionOf(one)?.reason ?? ''),
      )
    },
  }),
  defineCase({
    name: 'aggregation: APIServices have a status of their own, and are deleted by label',
    stands: docs,
    async run(t) {
      const label = t.unique('kept')
      const { metadata } = await t.client.resource(apiservices).create(apiService(t, absent, { [label]: 'yes' }))
      const one = `${path}/${metadata.name}`
      const condition = { type: 'Shown', status: 'True', reason: 'E2E', message: 'Set from outside.' }
      await t.until(apiservices, metadata.name!, (service) => conditionOf(service) !== undefined)
      const patched = await t.api<APIService>('PATCH', `${one}/status`, {
        status: { conditions: [condition] },
        spec: { versionPriority: 999 },
      })
      assert.equal(patched.spec.versionPriority, 10)
      assert.deepEqual(patched.status?.conditions, [condition])
      const { items } = await t.api<{ items: APIService[] }>('GET', `${path}?labelSelector=${label}=yes`)
      assert.equal(items.length, 1)
      await t.api('DELETE', `${path}?labelSelector=${label}=yes`)
      await t.untilGone(apiservices, metadata.name!)
    },
  }),
  defineCase({
    name: 'aggregation: the cluster says whom other servers may believe',
    stands: 'https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/',
    async run(t) {
      const door = t.client.resource(configmaps).in('kube-system')
      const { data = {} } = await door.get('extension-apiserver-authentication')
      for (const key of ['client-ca-file', 'requestheader-client-ca-file'])
        assert.match(data[key] ?? '', /^-----BEGIN CERTIFICATE-----/, key)
      assert.deepEqual(JSON.parse(data['requestheader-username-headers'] ?? ''), ['X-Remote-User'])
      assert.deepEqual(JSON.parse(data['requestheader-group-headers'] ?? ''), ['X-Remote-Group'])
      assert.deepEqual(JSON.parse(data['requestheader-extra-headers-prefix'] ?? ''), ['X-Remote-Extra-'])
    },
  }),
  defineCase({
    name: 'aggregation: another API server answers for its group, and is told who asks',
    stands: sampleServer,
    needs: ['neighbour', 'impersonation'],
    async run(t) {
      const namespace = await t.namespace()
      const service = { namespace, name: 'neighbour', port: 443 }
      const wanted = apiService(t, { insecureSkipTLSVerify: true, service })
      const group = wanted.spec.group!
      const seen: NeighbourRequest[] = []
      await using neighbour = await openNeighbour((request) => {
        seen.push(request)
        if (request.path === `/apis/${group}/v1`) return resourcesOf(group)
        if (!request.path.startsWith(`/apis/${group}/v1/`)) return undefined
        const flunder = { apiVersion: `${group}/v1`, kind: 'Flunder', metadata: { name: 'rising', uid: 'x' } }
        return { kind: 'FlunderList', apiVersion: `${group}/v1`, metadata: {}, items: [flunder] }
      })
      service.port = neighbour.port
      await (await t.in(services)).create({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: service.name },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      })
      await t.client.resource(apiservices).create(wanted)
      await t.until(apiservices, wanted.metadata.name!, isAvailable)

      const flunders = `/apis/${group}/v1/namespaces/${namespace}/flunders?limit=5`
      const headers = { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters', 'x-remote-user': 'mallory' }
      const list = await t.eventually(() => t.api<{ items: object[] }>('GET', flunders, undefined, headers))
      assert.equal(list.items.length, 1)
      const asked = seen.find((request) => request.path === flunders)!
      assert.equal(asked.header('x-remote-user'), 'jane')
      assert.equal(asked.header('x-remote-group'), 'system:masters, system:authenticated')
      assert.equal(asked.header('authorization') + asked.header('impersonate-user'), '')
      assert.notEqual(asked.client, '')

      const { groups } = await t.api<{ groups: { name: string }[] }>('GET', '/apis')
      assert.ok(groups.some(({ name }) => name === group))
      const described = await t.eventually(async () => {
        const version = await aggregatedVersion(t, group)
        return version?.freshness === 'Current' && version.resources.length > 0 && version
      })
      assert.equal((described.resources[0] as { resource: string }).resource, 'flunders')

      await t.client.resource(apiservices).delete(wanted.metadata.name!)
      await t.eventually(async () => (await t.http({ path: flunders })).status === 404)
    },
  }),
]
