/** What services are given by the server: addresses inside the cluster, ports on the nodes, and the objects that say so. */
import assert from 'node:assert/strict'
import {
  endpoints,
  type Service,
  type ServicePort,
  type ServiceSpec,
  services,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import {
  type IPAddress,
  ipaddresses,
  type ServiceCIDR,
  servicecidrs,
} from '@keelson/apis/networking/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'

const docs = 'https://kubernetes.io/docs/concepts/services-networking/service/'
const addressDocs = 'https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/'
const dualStackDocs = 'https://kubernetes.io/docs/concepts/services-networking/dual-stack/'
const rangeDocs = 'https://kubernetes.io/docs/tasks/network/extend-service-ip-ranges/'
const networking = '/apis/networking.k8s.io/v1'
/** In no cluster's range: addresses for documentation, one of which ServiceCIDRs of this suite have. */
const elsewhere = '192.0.2.1'
const further = '203.0.113.128/28'
const inFurther = '203.0.113.130'

const selector = { app: 'web' }
const http: ServicePort = { port: 80 }

const service = (name: string, spec: ServiceSpec = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector, ports: [http], ...spec },
})

const create = async (t: CaseContext, name: string, spec?: ServiceSpec) =>
  (await (await t.in(services)).create(service(name, spec))).spec!

const refused = async (t: CaseContext, spec: ServiceSpec, messageIncludes: string) =>
  t.rejects((await t.in(services)).create(service('refused', spec)), { code: 422, reason: 'Invalid', messageIncludes })

async function update(t: CaseContext, name: string, spec: ServiceSpec): Promise<ServiceSpec> {
  const door = await t.in(services)
  return (await door.update(service(name, spec))).spec!
}

const addressOf = (t: CaseContext, ip: string) => t.client.resource(ipaddresses).get(ip)

const nodePortsOf = ({ ports = [] }: ServiceSpec) => ports.map(({ nodePort }) => nodePort)

const dns: ServicePort[] = [
  { name: 'tcp', port: 53, protocol: 'TCP' },
  { name: 'udp', port: 53, protocol: 'UDP' },
]

const isReady = ({ status }: ServiceCIDR) =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')

export const cases = [
  defineCase({
    name: 'services: an address is an IPAddress that names its service, and goes with it',
    stands: rangeDocs,
    async run(t) {
      const { clusterIP = '', clusterIPs, ipFamilies, ipFamilyPolicy } = await create(t, 'web')
      assert.deepEqual([clusterIPs, ipFamilies?.length, ipFamilyPolicy], [[clusterIP], 1, 'SingleStack'])
      const { metadata, spec } = await addressOf(t, clusterIP)
      assert.deepEqual(spec.parentRef, { group: '', resource: 'services', namespace: await t.namespace(), name: 'web' })
      assert.partialDeepStrictEqual(metadata.labels, {
        'ipaddress.kubernetes.io/ip-family': ipFamilies?.[0],
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      })
      await (await t.in(services)).delete('web')
      await t.rejects(addressOf(t, clusterIP), { code: 404 })
    },
  }),
  defineCase({
    name: 'services: a headless one and an alias have no address',
    stands: `${docs}#headless-services`,
    async run(t) {
      const headless = await create(t, 'headless', { clusterIP: 'None' })
      assert.deepEqual([headless.clusterIP, headless.clusterIPs], ['None', ['None']])
      const alias = await create(t, 'alias', { type: 'ExternalName', externalName: 'example.com', ports: undefined })
      const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, internalTrafficPolicy } = alias
      const none = [clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, internalTrafficPolicy]
      assert.deepEqual(
        none,
        none.map(() => undefined),
      )
    },
  }),
  defineCase({
    name: 'services: a headless one without a selector has both families',
    stands: `${dualStackDocs}#headless-services-without-selector`,
    async run(t) {
      const spec = await create(t, 'free', { clusterIP: 'None', selector: undefined })
      assert.deepEqual([spec.ipFamilies?.toSorted(), spec.ipFamilyPolicy], [['IPv4', 'IPv6'], 'RequireDualStack'])
      const one = await create(t, 'one', { clusterIP: 'None', selector: undefined, ipFamilyPolicy: 'SingleStack' })
      assert.equal(one.ipFamilies?.length, 1)
    },
  }),
  defineCase({
    name: 'services: one has as many families as the cluster, when it prefers two',
    stands: `${dualStackDocs}#services`,
    async run(t) {
      const range = await t.client.resource(servicecidrs).get('kubernetes')
      const families = range.spec!.cidrs!.length
      const spec = await create(t, 'web', { ipFamilyPolicy: 'PreferDualStack' })
      assert.deepEqual([spec.ipFamilies?.length, spec.clusterIPs?.length], [families, families])
      if (families > 1) return
      const only = 'this cluster is not configured for dual-stack services'
      await refused(t, { ipFamilyPolicy: 'RequireDualStack' }, only)
      const other = spec.ipFamilies![0] === 'IPv4' ? 'IPv6' : 'IPv4'
      await refused(t, { ipFamilies: [other] }, 'spec.ipFamilies[0]: Invalid value')
    },
  }),
  defineCase({
    name: 'services: an address is given to who asks for it, once',
    stands: `${addressDocs}#how-service-clusterips-are-allocated`,
    async run(t) {
      const { clusterIP } = await create(t, 'first')
      await (await t.in(services)).delete('first')
      assert.equal((await create(t, 'second', { clusterIP })).clusterIP, clusterIP)
      await refused(t, { clusterIP }, `failed to allocate IP ${clusterIP}: provided IP is already allocated`)
      await refused(t, { clusterIP: elsewhere }, `failed to allocate IP ${elsewhere}: `)
      await refused(t, { clusterIP: 'here' }, 'must be a valid IP address')
    },
  }),
  defineCase({
    name: 'services: an address stays, whether a client sends it or not',
    stands: docs,
    async run(t) {
      const { clusterIP, clusterIPs } = await create(t, 'web')
      const without = await update(t, 'web', { ports: [{ port: 81 }] })
      assert.deepEqual([without.clusterIP, without.clusterIPs], [clusterIP, clusterIPs])
      const older = await update(t, 'web', { clusterIP })
      assert.deepEqual([older.clusterIP, older.clusterIPs], [clusterIP, clusterIPs])
      await t.rejects(update(t, 'web', { clusterIP: elsewhere }), {
        code: 422,
        messageIncludes: 'spec.clusterIPs[0]: Invalid value: ["192.0.2.1"]: may not change once set',
      })
    },
  }),
  defineCase({
    name: 'services: ports on the nodes are given out once, one number to all protocols of a port',
    stands: `${docs}#type-nodeport`,
    async run(t) {
      const [tcp, udp] = nodePortsOf(await create(t, 'dns', { type: 'NodePort', ports: dns }))
      assert.ok(tcp)
      assert.equal(tcp, udp)
      const taken = { type: 'NodePort' as const, ports: [{ ...http, nodePort: tcp }] }
      await refused(t, taken, `spec.ports[0].nodePort: Invalid value: ${tcp}: provided port is already allocated`)
      await refused(
        t,
        { type: 'NodePort', ports: [{ ...http, nodePort: 80 }] },
        'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is ',
      )
      await (await t.in(services)).delete('dns')
      assert.deepEqual(nodePortsOf(await create(t, 'other', taken)), [tcp])
    },
  }),
  defineCase({
    name: 'services: a load balancer has ports on the nodes unless it wants none, and one for health checks',
    stands: 'https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/',
    async run(t) {
      const without = { allocateLoadBalancerNodePorts: false }
      assert.deepEqual(nodePortsOf(await create(t, 'without', { type: 'LoadBalancer', ...without })), [undefined])
      const local = await create(t, 'local', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
      const { healthCheckNodePort, allocateLoadBalancerNodePorts } = local
      assert.ok(healthCheckNodePort && nodePortsOf(local)[0] && allocateLoadBalancerNodePorts)
      const taken = { type: 'LoadBalancer' as const, externalTrafficPolicy: 'Local' as const, healthCheckNodePort }
      const messageIncludes = `failed to allocate requested HealthCheck NodePort ${healthCheckNodePort}: provided port is already allocated`
      await t.rejects((await t.in(services)).create(service('refused', taken)), { code: 500, messageIncludes })
      const cluster = await update(t, 'local', { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' })
      assert.equal(cluster.healthCheckNodePort, undefined)
      assert.deepEqual(nodePortsOf(cluster), nodePortsOf(local))
    },
  }),
  defineCase({
    name: 'services: a type that changes brings and takes what belongs to it',
    stands: [
      'Services should be able to change the type from ExternalName to ClusterIP',
      'Services should be able to change the type from ExternalName to NodePort',
      'Services should be able to change the type from ClusterIP to ExternalName',
      'Services should be able to change the type from NodePort to ExternalName',
    ],
    async run(t) {
      const alias = { type: 'ExternalName' as const, externalName: 'example.com', ports: undefined }
      await create(t, 'web', alias)
      const inside = await update(t, 'web', { type: 'ClusterIP' })
      assert.ok(inside.clusterIP && inside.ipFamilies?.length)
      const outside = await update(t, 'web', { type: 'NodePort' })
      assert.equal(outside.clusterIP, inside.clusterIP)
      assert.ok(nodePortsOf(outside)[0])
      const again = await update(t, 'web', { type: 'ClusterIP' })
      assert.deepEqual([again.clusterIP, nodePortsOf(again)], [inside.clusterIP, [undefined]])
      assert.equal((await update(t, 'web', alias)).clusterIP, undefined)
      await t.rejects(addressOf(t, inside.clusterIP), { code: 404 })
      assert.ok(nodePortsOf(await update(t, 'web', { type: 'NodePort' }))[0])
    },
  }),
  defineCase({
    name: 'services: a dry run takes nothing',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run',
    async run(t) {
      const path = `/api/v1/namespaces/${await t.namespace()}/services?dryRun=All`
      const first = await t.api<Service & Record<string, never>>('POST', path, service('web', { type: 'NodePort' }))
      assert.ok(first.spec?.clusterIP && nodePortsOf(first.spec)[0])
      const { clusterIP } = await create(t, 'other')
      await (await t.in(services)).delete('other')
      await t.api('POST', path, service('web', { clusterIP }))
      assert.equal((await create(t, 'web', { clusterIP })).clusterIP, clusterIP)
    },
  }),
  defineCase({
    name: 'services: of many that ask for one address, one has it',
    stands: rangeDocs,
    async run(t) {
      const { clusterIP } = await create(t, 'first')
      await (await t.in(services)).delete('first')
      const names = Array.from({ length: 8 }, (_, at) => `web-${at}`)
      const outcomes = await Promise.allSettled(names.map((name) => create(t, name, { clusterIP })))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
      const { items } = await (await t.in(services)).list()
      assert.deepEqual(
        [items.length, (await addressOf(t, clusterIP!)).spec.parentRef.name],
        [1, items[0]!.metadata.name],
      )
    },
  }),
  defineCase({
    name: 'services: the API has one, with the first address',
    stands: 'Services should provide secure master service',
    async run(t) {
      const { metadata, spec } = await t.client.resource(services).in('default').get('kubernetes')
      assert.partialDeepStrictEqual(metadata.labels, { component: 'apiserver', provider: 'kubernetes' })
      assert.partialDeepStrictEqual(spec?.ports, [{ name: 'https', port: 443, protocol: 'TCP' }])
      assert.equal((await addressOf(t, spec!.clusterIP!)).spec.parentRef.name, 'kubernetes')
      // A server that only its own machine reaches has no endpoints.
      const { items } = await t.client
        .resource(endpoints)
        .in('default')
        .list({ fieldSelector: 'metadata.name=kubernetes' })
      for (const { subsets } of items) assert.equal(subsets?.[0]?.ports?.[0]?.name, 'https')
    },
  }),
  defineCase({
    name: 'services: ServiceCIDR can be read, listed and watched, and the default one is ready',
    stands: 'ServiceCIDR and IPAddress API should support ServiceCIDR API operations',
    async run(t) {
      const door = t.client.resource(servicecidrs)
      const standing = await door.get('kubernetes')
      assert.ok(isReady(standing))
      assert.deepEqual(standing.metadata.finalizers, ['networking.k8s.io/service-cidr-finalizer'])
      const status = await t.api('GET', `${networking}/servicecidrs/kubernetes/status`)
      assert.deepEqual([status.kind, status.metadata.uid], ['ServiceCIDR', standing.metadata.uid])
      assert.ok((await door.list()).items.some(({ metadata }) => metadata.name === 'kubernetes'))
      const watch = await t.watch(`${networking}/servicecidrs?watch=1&resourceVersion=0`)
      await watch.find(({ object }) => object.metadata.name === 'kubernetes')
      const { resources } = await t.api<{ resources: { name: string }[] }>('GET', networking)
      for (const name of ['servicecidrs', 'servicecidrs/status', 'ipaddresses'])
        assert.ok(resources.some((resource) => resource.name === name))
    },
  }),
  defineCase({
    name: 'services: IPAddress has all operations, and is named by its canonical form',
    stands: 'ServiceCIDR and IPAddress API should support IPAddress API operations',
    async run(t) {
      const door = t.client.resource(ipaddresses)
      const mark = t.unique('mark')
      const labelSelector = `mark=${mark}`
      t.cleanup(() => door.deleteCollection({ labelSelector }))
      const parentRef = { group: 'mygroup', resource: 'myresources', namespace: 'foo', name: 'bar' }
      const ip = (name: string): IPAddress => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IPAddress',
        metadata: { name, labels: { mark } },
        spec: { parentRef },
      })
      await door.create(ip('255.255.255.255'))
      await door.create(ip('fe80::42:1dff:fe84:f9e2'))
      const annotations = { patched: 'true' }
      const patched = await door.patch('255.255.255.255', { type: 'merge', body: { metadata: { annotations } } })
      const changed = {
        ...patched,
        metadata: { ...patched.metadata, annotations: { ...annotations, updated: 'true' } },
      }
      assert.equal((await door.update(changed)).metadata.annotations?.updated, 'true')
      const other = {
        ...patched,
        metadata: { name: '255.255.255.255' },
        spec: { parentRef: { ...parentRef, name: 'baz' } },
      }
      await t.rejects(door.update(other), { code: 422, messageIncludes: 'spec.parentRef: Invalid value' })
      assert.equal((await door.list({ labelSelector })).items.length, 2)
      await door.delete('255.255.255.255')
      await door.deleteCollection({ labelSelector })
      assert.deepEqual((await door.list({ labelSelector })).items, [])
      const messageIncludes = 'metadata.name: Invalid value: "FE80::1": must be in canonical form ("fe80::1")'
      await t.rejects(door.create(ip('FE80::1')), { code: 422, messageIncludes })
    },
  }),
  defineCase({
    name: 'services: a further ServiceCIDR gives further addresses, and stays while one of them is used',
    stands: rangeDocs,
    async run(t) {
      const door = t.client.resource(servicecidrs)
      const name = t.unique('further')
      t.cleanup(() => door.delete(name))
      const range = (cidrs: string[]): ServiceCIDR => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name },
        spec: { cidrs },
      })
      await t.rejects(door.create(range(['203.0.113.129/28'])), {
        code: 422,
        messageIncludes:
          'spec.cidrs[0]: Invalid value: "203.0.113.129/28": must not have bits set beyond the prefix length',
      })
      await door.create(range([further]))
      await t.until(servicecidrs, name, isReady)
      await t.rejects(door.update(range(['203.0.113.0/28'])), { code: 422, messageIncludes: 'field is immutable' })
      await create(t, 'web', { clusterIP: inFurther })
      await door.delete(name)
      await t.until(servicecidrs, name, ({ status }) => status?.conditions?.[0]?.reason === 'Terminating')
      await refused(t, { clusterIP: '203.0.113.131' }, 'failed to allocate IP 203.0.113.131: ')
      await (await t.in(services)).delete('web')
      await t.untilGone(servicecidrs, name)
    },
  }),
]
