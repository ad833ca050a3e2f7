import assert from 'node:assert/strict'
import { replicasets } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import {
  type Container,
  configmaps,
  type LimitRangeSpec,
  limitranges,
  type PersistentVolumeClaim,
  type Pod,
  type PodSpec,
  persistentvolumeclaims,
  pods,
  type ResourceQuotaSpec,
  type ResourceRequirements,
  replicationcontrollers,
  resourcequotas,
  type Service,
  type ServiceSpec,
  secrets,
  services,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import { defineCase } from '../runner/case.ts'
import type { CaseContext } from '../runner/context.ts'
import { configMap, establish, replicationController, widget, widgetKind } from '../runner/fixtures.ts'

const quotaDocs = 'https://kubernetes.io/docs/concepts/policy/resource-quotas/'
const rangeDocs = 'https://kubernetes.io/docs/concepts/policy/limit-range/'
const official = (what: string) => `ResourceQuota should ${what}`

type Used = Record<string, string>

/** Makes a quota and waits until it counts. */
async function limit(t: CaseContext, name: string, spec: ResourceQuotaSpec): Promise<Used> {
  const door = await t.in(resourcequotas)
  await door.create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name }, spec })
  const names = Object.keys(spec.hard ?? {})
  const { status } = await t.until(resourcequotas, name, ({ status }) =>
    names.every((one) => status?.used?.[one] !== undefined && status.hard?.[one] === spec.hard![one]),
  )
  return status!.used as Used
}

/** Resolves once a quota shows this usage. */
async function shows(t: CaseContext, name: string, wanted: Used): Promise<void> {
  await t.until(resourcequotas, name, ({ status }) =>
    Object.entries(wanted).every(([one, amount]) => status?.used?.[one] === amount),
  )
}

const usedNow = async (t: CaseContext, name: string) => (await (await t.in(resourcequotas)).get(name)).status?.used

/** It is placed on no node, so that it goes at once when it is deleted. */
function pod(t: CaseContext, name: string, resources: ResourceRequirements = {}, spec: Partial<PodSpec> = {}): Pod {
  const container: Container = { name: 'main', image: t.image, resources }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { schedulerName: 'nobody', containers: [container], ...spec },
  }
}

const small: ResourceRequirements = {
  requests: { cpu: '100m', memory: '64Mi' },
  limits: { cpu: '200m', memory: '64Mi' },
}

function service(name: string, spec: ServiceSpec): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } }
}

function claim(name: string, storage: string, storageClassName = 'gold'): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage } } },
  }
}

const range = async (t: CaseContext, name: string, spec: LimitRangeSpec) =>
  (await t.in(limitranges)).create({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name }, spec })

export const cases = [
  defineCase({
    name: 'quotas: usage is counted as soon as there is a quota',
    stands: official('create a ResourceQuota and ensure its status is promptly calculated.'),
    async run(t) {
      await (await t.in(configmaps)).create(configMap('before'))
      // Comes into every namespace by itself.
      await t.until(configmaps, 'kube-root-ca.crt', () => true)
      const there = (await (await t.in(configmaps)).list()).items.length
      const hard = { pods: '5', services: '10', resourcequotas: '2', configmaps: '10', secrets: '10', cpu: '1' }
      const used = await limit(t, 'all', { hard })
      assert.deepEqual(used, {
        configmaps: String(there),
        cpu: '0',
        pods: '0',
        resourcequotas: '1',
        secrets: '0',
        services: '0',
      })
      const door = await t.in(resourcequotas)
      const more = { ...hard, cpu: '2' }
      await door.update({ ...(await door.get('all')), spec: { hard: more } })
      await t.until(resourcequotas, 'all', ({ status }) => status?.hard?.cpu === '2')
    },
  }),
  defineCase({
    name: 'quotas: a service counts by its type, and is given back',
    stands: official('create a ResourceQuota and capture the life of a service.'),
    async run(t) {
      await limit(t, 'some', { hard: { services: '2', 'services.loadbalancers': '1', 'services.nodeports': '1' } })
      const door = await t.in(services)
      await door.create(service('inner', {}))
      assert.equal((await usedNow(t, 'some'))?.services, '1')
      await door.create(service('outer', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }))
      const full = { services: '2', 'services.loadbalancers': '1', 'services.nodeports': '0' }
      assert.deepEqual(await usedNow(t, 'some'), full)
      await t.rejects(door.create(service('third', {})), {
        code: 403,
        reason: 'Forbidden',
        message:
          'services "third" is forbidden: exceeded quota: some, requested: services=1, used: services=2, limited: services=2',
      })
      const inner = await door.get('inner')
      const balanced = { ...inner, spec: { ...inner.spec, type: 'LoadBalancer' } } as Service
      await t.rejects(door.update(balanced), {
        code: 403,
        messageIncludes: 'requested: services.loadbalancers=1, used: services.loadbalancers=1',
      })
      await door.delete('outer')
      await shows(t, 'some', { services: '1', 'services.loadbalancers': '0' })
      await door.delete('inner')
      await shows(t, 'some', { services: '0' })
    },
  }),
  defineCase({
    name: 'quotas: a secret counts until it is deleted',
    stands: official('create a ResourceQuota and capture the life of a secret.'),
    async run(t) {
      await limit(t, 'some', { hard: { secrets: '1', 'count/secrets': '5' } })
      const door = await t.in(secrets)
      const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
      await door.create(secret('one'))
      assert.deepEqual(await usedNow(t, 'some'), { 'count/secrets': '1', secrets: '1' })
      await t.rejects(door.create(secret('two')), { code: 403, messageIncludes: 'exceeded quota: some' })
      await door.delete('one')
      await shows(t, 'some', { secrets: '0', 'count/secrets': '0' })
      await door.create(secret('two'))
    },
  }),
  defineCase({
    name: 'quotas: a pod counts by what it requests, and neither more nor less when it is changed',
    stands: official('create a ResourceQuota and capture the life of a pod.'),
    async run(t) {
      const dongle = 'requests.example.com/dongle'
      await limit(t, 'some', { hard: { pods: '5', cpu: '1', memory: '500Mi', [dongle]: '3' } })
      const door = await t.in(pods)
      const requests = { cpu: '500m', memory: '252Mi', 'example.com/dongle': '2' }
      await door.create(pod(t, 'fits', { requests, limits: { 'example.com/dongle': '2' } }))
      const used = { cpu: '500m', memory: '252Mi', pods: '1', [dongle]: '2' }
      assert.deepEqual(await usedNow(t, 'some'), used)
      await t.rejects(door.create(pod(t, 'greedy', { requests: { cpu: '600m', memory: '100Mi' } })), {
        code: 403,
        message:
          'pods "greedy" is forbidden: exceeded quota: some, requested: cpu=600m, used: cpu=500m, limited: cpu=1',
      })
      const two = { requests: { ...requests, cpu: '1m', memory: '1Mi' }, limits: { 'example.com/dongle': '2' } }
      await t.rejects(door.create(pod(t, 'dongles', two)), {
        code: 403,
        messageIncludes: `requested: ${dongle}=2, used: ${dongle}=2, limited: ${dongle}=3`,
      })
      await t.rejects(door.create(pod(t, 'silent')), {
        code: 403,
        message: 'pods "silent" is forbidden: failed quota: some: must specify cpu for: main; memory for: main',
      })
      await door.patch('fits', { type: 'merge', body: { metadata: { labels: { changed: 'yes' } } } })
      assert.deepEqual(await usedNow(t, 'some'), used)
      await door.delete('fits', { gracePeriodSeconds: 0 })
      await shows(t, 'some', { cpu: '0', memory: '0', pods: '0', [dongle]: '0' })
    },
  }),
  defineCase({
    name: 'quotas: a ConfigMap counts until it is deleted',
    stands: official('create a ResourceQuota and capture the life of a configMap.'),
    async run(t) {
      const door = await t.in(configmaps)
      // Each namespace has one of its own, sooner or later.
      await t.until(configmaps, 'kube-root-ca.crt', () => true)
      await limit(t, 'some', { hard: { configmaps: '2' } })
      await door.create(configMap('one'))
      assert.deepEqual(await usedNow(t, 'some'), { configmaps: '2' })
      await t.rejects(door.create(configMap('two')), {
        code: 403,
        message:
          'configmaps "two" is forbidden: exceeded quota: some, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
      })
      await door.delete('one')
      await shows(t, 'some', { configmaps: '1' })
    },
  }),
  defineCase({
    name: 'quotas: a ReplicationController counts until it is deleted',
    stands: official('create a ResourceQuota and capture the life of a replication controller.'),
    async run(t) {
      await limit(t, 'some', { hard: { replicationcontrollers: '1' } })
      const door = await t.in(replicationcontrollers)
      await door.create(replicationController(t, 'one', 0))
      assert.deepEqual(await usedNow(t, 'some'), { replicationcontrollers: '1' })
      const refusal = { code: 403, messageIncludes: 'exceeded quota: some' }
      await t.rejects(door.create(replicationController(t, 'two', 0)), refusal)
      await door.delete('one', { propagationPolicy: 'Background' })
      await shows(t, 'some', { replicationcontrollers: '0' })
    },
  }),
  defineCase({
    name: 'quotas: a ReplicaSet counts by the name of its resource and group',
    stands: official('create a ResourceQuota and capture the life of a replica set.'),
    async run(t) {
      await limit(t, 'some', { hard: { 'count/replicasets.apps': '1' } })
      const door = await t.in(replicasets)
      const { metadata, spec } = replicationController(t, 'one', 0)
      const selector = { matchLabels: metadata.labels! }
      const template = spec!.template!
      const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: { replicas: 0, selector, template } }
      await door.create(set)
      assert.deepEqual(await usedNow(t, 'some'), { 'count/replicasets.apps': '1' })
      await t.rejects(door.create({ ...set, metadata: { ...metadata, name: 'two' } }), {
        code: 403,
        messageIncludes: 'requested: count/replicasets.apps=1, used: count/replicasets.apps=1',
      })
      await door.delete('one', { propagationPolicy: 'Background' })
      await shows(t, 'some', { 'count/replicasets.apps': '0' })
    },
  }),
  defineCase({
    name: 'quotas: scopes tell pods that end by a deadline from those that do not',
    stands: official('verify ResourceQuota with terminating scopes.'),
    async run(t) {
      const hard = { pods: '5', 'requests.cpu': '1', 'limits.memory': '500Mi' }
      await limit(t, 'ending', { hard, scopes: ['Terminating'] })
      await limit(t, 'staying', { hard, scopes: ['NotTerminating'] })
      const door = await t.in(pods)
      const none = { 'limits.memory': '0', pods: '0', 'requests.cpu': '0' }
      const one = { 'limits.memory': '64Mi', pods: '1', 'requests.cpu': '100m' }
      await door.create(pod(t, 'long', small))
      assert.deepEqual([await usedNow(t, 'staying'), await usedNow(t, 'ending')], [one, none])
      await door.delete('long', { gracePeriodSeconds: 0 })
      await shows(t, 'staying', none)
      await door.create(pod(t, 'short', small, { activeDeadlineSeconds: 3600 }))
      assert.deepEqual([await usedNow(t, 'staying'), await usedNow(t, 'ending')], [none, one])
      await door.delete('short', { gracePeriodSeconds: 0 })
      await shows(t, 'ending', none)
    },
  }),
  defineCase({
    name: 'quotas: scopes tell pods that request nothing from those that do',
    stands: official('verify ResourceQuota with best effort scope.'),
    async run(t) {
      await limit(t, 'nothing', { hard: { pods: '1' }, scopes: ['BestEffort'] })
      await limit(t, 'something', { hard: { pods: '1' }, scopes: ['NotBestEffort'] })
      const door = await t.in(pods)
      await door.create(pod(t, 'modest'))
      assert.deepEqual([await usedNow(t, 'nothing'), await usedNow(t, 'something')], [{ pods: '1' }, { pods: '0' }])
      await t.rejects(door.create(pod(t, 'another')), { code: 403, messageIncludes: 'exceeded quota: nothing' })
      await door.create(pod(t, 'certain', small))
      assert.deepEqual(await usedNow(t, 'something'), { pods: '1' })
      await door.delete('modest', { gracePeriodSeconds: 0 })
      await door.delete('certain', { gracePeriodSeconds: 0 })
      await shows(t, 'nothing', { pods: '0' })
      await shows(t, 'something', { pods: '0' })
    },
  }),
  defineCase({
    name: 'quotas: a scope selects pods by their priority',
    stands: `${quotaDocs}#resource-quota-per-priorityclass`,
    async run(t) {
      const matchExpressions = [
        { scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical'] } as const,
      ] as unknown as NonNullable<ResourceQuotaSpec['scopeSelector']>['matchExpressions']
      await limit(t, 'critical', { hard: { pods: '0' }, scopeSelector: { matchExpressions } })
      const door = await t.in(pods)
      const critical = pod(t, 'critical', {}, { priorityClassName: 'system-node-critical' })
      await t.rejects(door.create(critical), { code: 403, messageIncludes: 'exceeded quota: critical' })
      await door.create(pod(t, 'usual'))
    },
  }),
  defineCase({
    name: 'quotas: claims count by their storage, also by that of one class',
    stands: `${quotaDocs}#storage-resource-quota`,
    async run(t) {
      const ofGold = 'gold.storageclass.storage.k8s.io/requests.storage'
      await limit(t, 'some', { hard: { persistentvolumeclaims: '3', 'requests.storage': '10Gi', [ofGold]: '4Gi' } })
      const door = await t.in(persistentvolumeclaims)
      await door.create(claim('silver', '5Gi', 'silver'))
      await door.create(claim('gold', '3Gi'))
      assert.deepEqual(await usedNow(t, 'some'), {
        [ofGold]: '3Gi',
        persistentvolumeclaims: '2',
        'requests.storage': '8Gi',
      })
      await t.rejects(door.create(claim('more', '2Gi')), {
        code: 403,
        messageIncludes: `exceeded quota: some, requested: ${ofGold}=2Gi, used: ${ofGold}=3Gi, limited: ${ofGold}=4Gi`,
      })
      await door.delete('gold')
      await shows(t, 'some', { [ofGold]: '0', 'requests.storage': '5Gi' })
    },
  }),
  defineCase({
    name: 'quotas: custom resources can be counted',
    stands: `${quotaDocs}#object-count-quota`,
    async run(t) {
      const kind = widgetKind(t)
      await establish(t, kind)
      const name = `count/widgets.${kind.group}`
      await limit(t, 'some', { hard: { [name]: '1' } })
      const door = await t.in(kind.ref)
      await door.create(widget(kind, 'one'))
      await t.rejects(door.create(widget(kind, 'two')), { code: 403, messageIncludes: `used: ${name}=1` })
      await door.delete('one')
      await shows(t, 'some', { [name]: '0' })
    },
  }),
  defineCase({
    name: 'quotas: a dry run is judged and charged nothing',
    stands: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run',
    async run(t) {
      await limit(t, 'some', { hard: { secrets: '1' } })
      const door = await t.in(secrets)
      const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
      await door.create(secret('one'), { dryRun: true })
      assert.deepEqual(await usedNow(t, 'some'), { secrets: '0' })
      await door.create(secret('one'))
      const refusal = { code: 403, messageIncludes: 'exceeded quota: some' }
      await t.rejects(door.create(secret('two'), { dryRun: true }), refusal)
    },
  }),
  defineCase({
    name: 'quotas: of many who come at once, as many get in as there is room for',
    stands: quotaDocs,
    async run(t) {
      await limit(t, 'some', { hard: { secrets: '5' } })
      const door = await t.in(secrets)
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { generateName: 'one-' } }
      const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => door.create(secret)))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 5)
      assert.equal((await door.list()).items.length, 5)
      assert.deepEqual(await usedNow(t, 'some'), { secrets: '5' })
    },
  }),
  defineCase({
    name: 'quotas: scopes and what is limited have to fit',
    stands: quotaDocs,
    async run(t) {
      const door = await t.in(resourcequotas)
      const made = (spec: ResourceQuotaSpec) =>
        door.create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'odd' }, spec })
      const refusals: [ResourceQuotaSpec, string][] = [
        [{ hard: { gold: '1' } }, 'spec.hard[gold]: Invalid value: "gold": must be a standard resource for quota'],
        [{ hard: { pods: '1.5' } }, 'spec.hard[pods]: Invalid value: "1500m": must be an integer'],
        [{ hard: { pods: '-1' } }, 'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
        [
          { hard: { services: '1' }, scopes: ['Terminating'] },
          'spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource',
        ],
        [
          { hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] },
          'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
        ],
      ]
      for (const [spec, messageIncludes] of refusals) await t.rejects(made(spec), { code: 422, messageIncludes })
      const one = await made({ hard: { pods: '1' }, scopes: ['BestEffort'] })
      await t.rejects(door.update({ ...one, spec: { hard: { pods: '1' }, scopes: ['NotBestEffort'] } }), {
        code: 422,
        messageIncludes: 'spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable',
      })
    },
  }),
  defineCase({
    name: 'limits: containers get the defaults of their namespace and stay within its bounds',
    stands: rangeDocs,
    async run(t) {
      const type = 'Container'
      const bounds = { min: { cpu: '50m' }, max: { cpu: '500m' }, maxLimitRequestRatio: { cpu: '4' } }
      const defaults = { default: { cpu: '400m' }, defaultRequest: { cpu: '100m' } }
      await range(t, 'containers', { limits: [{ type, ...bounds, ...defaults }] })
      const door = await t.in(pods)
      const made = await door.create(pod(t, 'plain'))
      assert.deepEqual(made.spec!.containers[0]!.resources, { limits: { cpu: '400m' }, requests: { cpu: '100m' } })
      assert.equal(
        made.metadata.annotations?.['kubernetes.io/limit-ranger'],
        'LimitRanger plugin set: cpu request for container main; cpu limit for container main',
      )
      const refusals: [ResourceRequirements, string][] = [
        [
          { requests: { cpu: '10m' }, limits: { cpu: '20m' } },
          'minimum cpu usage per Container is 50m, but request is 10m',
        ],
        [{ limits: { cpu: '2' } }, 'maximum cpu usage per Container is 500m, but limit is 2'],
        [
          { requests: { cpu: '60m' }, limits: { cpu: '300m' } },
          'pods "odd" is forbidden: cpu max limit to request ratio per Container is 4, but provided ratio is 5.000000',
        ],
      ]
      for (const [resources, messageIncludes] of refusals) {
        await t.rejects(door.create(pod(t, 'odd', resources)), { code: 403, messageIncludes })
      }
    },
  }),
  defineCase({
    name: 'limits: pods as a whole and claims stay within the bounds of their namespace',
    stands: rangeDocs,
    async run(t) {
      await range(t, 'pods', { limits: [{ type: 'Pod', max: { memory: '100Mi' } }] })
      await range(t, 'claims', {
        limits: [{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } }],
      })
      const container = (name: string): Container => ({ name, image: t.image, resources: small })
      const two = pod(t, 'two', {}, { containers: [container('a'), container('b')] })
      await t.rejects((await t.in(pods)).create(two), {
        code: 403,
        message: 'pods "two" is forbidden: maximum memory usage per Pod is 100Mi, but limit is 128Mi',
      })
      const claims = await t.in(persistentvolumeclaims)
      await t.rejects(claims.create(claim('large', '3Gi')), {
        code: 403,
        message:
          'persistentvolumeclaims "large" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
      })
      await claims.create(claim('right', '2Gi'))
    },
  }),
]
