import { expect, test } from 'vitest'
import { writeAmounts } from '../amounts.ts'
import type { ScopedResourceSelectorRequirement } from '../zz_generated.types.ts'
import { type Countable, evaluatorOf, isInScopes, resourceCountedBy, usageUnder } from './evaluator.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const of = (resource: string, group = '') => evaluatorOf({ group, resource })!
const object = (rest: object): Countable => ({ apiVersion: 'v1', kind: 'Any', metadata: { name: 'a' }, ...rest })

const requests = { cpu: '100m', memory: '1Gi', 'hugepages-2Mi': '4Mi', 'example.com/gpu': '1' }
const busy = { containers: [{ name: 'a', resources: { requests, limits: { memory: '2Gi' } } }] }
const plain = { containers: [{ name: 'a' }] }
const inClass = { storageClassName: 'gold', resources: { requests: { storage: '1500m' } } }

const usages: { name: string; resource: string; group?: string; object: object; want: object }[] = [
  {
    name: 'a pod, what it requests and may use',
    resource: 'pods',
    object: { spec: busy },
    want: {
      'count/pods': '1',
      cpu: '100m',
      'hugepages-2Mi': '4Mi',
      'limits.memory': '2Gi',
      memory: '1Gi',
      pods: '1',
      'requests.cpu': '100m',
      'requests.example.com/gpu': '1',
      'requests.hugepages-2Mi': '4Mi',
      'requests.memory': '1Gi',
    },
  },
  {
    name: 'a pod that has ended, only itself',
    resource: 'pods',
    object: { spec: busy, status: { phase: 'Succeeded' } },
    want: { 'count/pods': '1' },
  },
  {
    name: 'a pod that should be gone, only itself',
    resource: 'pods',
    object: {
      spec: busy,
      metadata: { name: 'a', deletionTimestamp: '2025-12-31T23:59:00Z', deletionGracePeriodSeconds: 30 },
    },
    want: { 'count/pods': '1' },
  },
  {
    name: 'a pod on its way out, still everything',
    resource: 'pods',
    object: {
      spec: plain,
      metadata: { name: 'a', deletionTimestamp: '2025-12-31T23:59:50Z', deletionGracePeriodSeconds: 30 },
    },
    want: { 'count/pods': '1', pods: '1' },
  },
  {
    name: 'a service of node ports, each port',
    resource: 'services',
    object: { spec: { type: 'NodePort', ports: [{ port: 1 }, { port: 2 }] } },
    want: { 'count/services': '1', services: '1', 'services.loadbalancers': '0', 'services.nodeports': '2' },
  },
  {
    name: 'a load balancer without node ports, those it names',
    resource: 'services',
    object: {
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        ports: [{ port: 1, nodePort: 30_000 }, { port: 2 }],
      },
    },
    want: { 'count/services': '1', services: '1', 'services.loadbalancers': '1', 'services.nodeports': '1' },
  },
  {
    name: 'a claim, whole bytes, also by its class',
    resource: 'persistentvolumeclaims',
    object: { spec: inClass },
    want: {
      'count/persistentvolumeclaims': '1',
      'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
      'gold.storageclass.storage.k8s.io/requests.storage': '2',
      persistentvolumeclaims: '1',
      'requests.storage': '2',
    },
  },
  {
    name: 'a claim that grows, what has been set aside',
    resource: 'persistentvolumeclaims',
    object: {
      spec: { resources: { requests: { storage: '1Gi' } } },
      status: { allocatedResources: { storage: '3Gi' } },
    },
    want: { 'count/persistentvolumeclaims': '1', persistentvolumeclaims: '1', 'requests.storage': '3Gi' },
  },
  { name: 'a secret, by both names', resource: 'secrets', object: {}, want: { 'count/secrets': '1', secrets: '1' } },
  {
    name: 'a thing of a group, by its group',
    resource: 'widgets',
    group: 'acme.dev',
    object: {},
    want: { 'count/widgets.acme.dev': '1' },
  },
]

test.each(usages)('counted is $name', ({ resource, group, object: rest, want }) => {
  const evaluator = of(resource, group)
  const usage = evaluator.usage(object(rest), now)
  expect(writeAmounts(usage)).toEqual(want)
  for (const name of usage.keys()) expect(evaluator.counts(name)).toBe(true)
})

test('events are not counted', () => {
  expect(evaluatorOf({ group: '', resource: 'events' })).toBeUndefined()
  expect(evaluatorOf({ group: 'events.k8s.io', resource: 'events' })).toBeUndefined()
})

test.each([
  ['cpu', 'pods.'],
  ['requests.example.com/gpu', 'pods.'],
  ['requests.hugepages-2Mi', 'pods.'],
  ['services.nodeports', 'services.'],
  ['requests.storage', 'persistentvolumeclaims.'],
  ['gold.storageclass.storage.k8s.io/requests.storage', 'persistentvolumeclaims.'],
  ['configmaps', 'configmaps.'],
  ['count/secrets', 'secrets.'],
  ['count/pods', 'pods.'],
  ['count/widgets.acme.dev', 'widgets.acme.dev'],
  ['gold', undefined],
])('%s is about %s', (name, want) => {
  const found = resourceCountedBy(name)
  expect(found && `${found.resource}.${found.group}`).toBe(want)
})

const far = {
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 1, podAffinityTerm: { topologyKey: 'a', namespaces: ['b'] } },
    ],
  },
}
const scope = (scopeName: string, operator = 'Exists', values?: string[]) =>
  ({ scopeName, operator, values }) as unknown as ScopedResourceSelectorRequirement

const scoped: { scope: ScopedResourceSelectorRequirement; spec: object; resource?: string; want: boolean }[] = [
  { scope: scope('Terminating'), spec: { ...plain, activeDeadlineSeconds: 5 }, want: true },
  { scope: scope('Terminating'), spec: plain, want: false },
  { scope: scope('NotTerminating'), spec: plain, want: true },
  { scope: scope('BestEffort'), spec: plain, want: true },
  { scope: scope('BestEffort'), spec: busy, want: false },
  { scope: scope('NotBestEffort'), spec: busy, want: true },
  { scope: scope('PriorityClass'), spec: plain, want: false },
  { scope: scope('PriorityClass', 'In', ['high']), spec: { ...plain, priorityClassName: 'high' }, want: true },
  { scope: scope('PriorityClass', 'In', ['high']), spec: plain, want: false },
  { scope: scope('PriorityClass', 'NotIn', ['high']), spec: plain, want: true },
  { scope: scope('PriorityClass', 'NotIn', ['high']), spec: { ...plain, priorityClassName: 'high' }, want: false },
  { scope: scope('PriorityClass', 'DoesNotExist'), spec: plain, want: true },
  { scope: scope('CrossNamespacePodAffinity'), spec: { ...plain, affinity: far }, want: true },
  { scope: scope('CrossNamespacePodAffinity'), spec: plain, want: false },
  { scope: scope('VolumeAttributesClass'), spec: plain, want: false },
  { scope: scope('BestEffort'), spec: {}, resource: 'services', want: false },
  {
    scope: scope('VolumeAttributesClass', 'In', ['fast']),
    spec: { volumeAttributesClassName: 'fast' },
    resource: 'persistentvolumeclaims',
    want: true,
  },
]

test.each(scoped)('$scope.scopeName $scope.operator of $spec: $want', ({ scope: one, spec, resource, want }) => {
  const selector = { scopeSelector: { matchExpressions: [one] } }
  expect(isInScopes(selector, of(resource ?? 'pods'), object({ spec }))).toBe(want)
})

test('under a quota counts what it limits, of what is in its scopes', () => {
  const hard = { pods: '1', secrets: '1' }
  const one = object({ spec: plain })
  const usage = of('pods').usage(one, now)
  const under = (spec: object) => writeAmounts(usageUnder({ hard, ...spec }, of('pods'), one, usage))
  expect(under({})).toEqual({ pods: '1' })
  expect(under({ scopes: ['NotBestEffort'] })).toEqual({})
})

test('a quota of CPU asks every container for it, unless the pod says it for all', () => {
  const missing = (spec: object) => of('pods').missing!(['cpu', 'limits.memory', 'pods'], object({ spec }))
  const init = [{ name: 'i' }]
  expect(missing({ ...busy, initContainers: init })).toBe('must specify cpu for: i; limits.memory for: i')
  expect(missing(busy)).toBeUndefined()
  const whole = { requests: { cpu: '1' }, limits: { memory: '1Gi' } }
  expect(missing({ ...plain, resources: whole })).toBeUndefined()
})
