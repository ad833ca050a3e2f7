import { expect, test } from 'vitest'
import { tagOf } from './image-reference.ts'
import { qosClassOf } from './pod-qos.ts'
import { podRules } from './pod-rules.ts'
import type { Pod, PodSpec, ResourceRequirements } from './zz_generated.types.ts'

const pod = (spec: Partial<PodSpec> = {}, more: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default' },
  ...more,
  spec: { containers: [{ name: 'a', image: 'nginx:1' }], ...spec },
})

function defaulted(spec: Partial<PodSpec>): PodSpec {
  const object = pod(spec)
  podRules.default!(object)
  return object.spec
}

test.each([
  ['nginx', 'latest'],
  ['nginx:1.27', '1.27'],
  ['host:5000/nginx', 'latest'],
  ['host:5000/nginx:latest', 'latest'],
  ['nginx@sha256:00', ''],
  ['nginx:1@sha256:00', '1'],
])('the tag of %s is "%s"', (image, want) => expect(tagOf(image)).toBe(want))

test('images that move are pulled always, others once', () => {
  const { containers, initContainers } = defaulted({
    containers: [
      { name: 'a', image: 'nginx' },
      { name: 'b', image: 'nginx:latest', imagePullPolicy: 'Never' },
    ],
    initContainers: [{ name: 'i', image: 'nginx:1' }],
  })
  expect([...containers, ...initContainers!].map((one) => one.imagePullPolicy)).toEqual([
    'Always',
    'Never',
    'IfNotPresent',
  ])
})

test('requests are the limits where they are not given', () => {
  const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }
  const spec = defaulted({ containers: [{ name: 'a', resources }] })
  expect(spec.containers[0]!.resources!.requests).toEqual({ cpu: '500m', memory: '1Gi' })
})

test('requests of the pod are what its containers need, or its limits', () => {
  const spec = defaulted({
    resources: { limits: { cpu: '4', memory: '1Gi' } },
    containers: [
      { name: 'a', resources: { requests: { cpu: '500m' } } },
      { name: 'b', resources: { requests: { cpu: '1' } } },
    ],
    initContainers: [{ name: 'i', resources: { requests: { cpu: '2' } } }],
  })
  expect(spec.resources!.requests).toEqual({ cpu: '2', memory: '1Gi' })
})

test("on the host's network, ports are host ports", () => {
  const ports = [{ containerPort: 80 }, { containerPort: 81, hostPort: 81 }]
  const spec = defaulted({ hostNetwork: true, containers: [{ name: 'a', ports }] })
  expect(spec.containers[0]!.ports!.map((port) => port.hostPort)).toEqual([80, 81])
  expect(defaulted({ containers: [{ name: 'a', ports: [{ containerPort: 80 }] }] }).containers[0]!.ports).toEqual([
    { containerPort: 80 },
  ])
})

test('a volume without a source is an empty directory', () => {
  expect(defaulted({ volumes: [{ name: 'v' }] }).volumes).toEqual([{ name: 'v', emptyDir: {} }])
})

test('the old name of the service account is understood', () => {
  expect(defaulted({ serviceAccount: 'x' })).toMatchObject({ serviceAccountName: 'x', serviceAccount: 'x' })
})

test('a pod is born pending, whatever it says', () => {
  const born = pod({ schedulingGates: [{ name: 'a' }] }, { status: { phase: 'Running' } })
  podRules.prepareCreate!(born)
  expect(born.status).toMatchObject({
    phase: 'Pending',
    qosClass: 'BestEffort',
    conditions: [{ reason: 'SchedulingGated' }],
  })
})

const full: ResourceRequirements = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1Gi' } }
test.each<[string, (ResourceRequirements | undefined)[]]>([
  ['BestEffort', [undefined, {}]],
  ['BestEffort', [{ limits: { 'example.com/gpu': 1 } }]],
  ['Burstable', [{ requests: { cpu: '1' } }]],
  ['Burstable', [full, undefined]],
  ['Burstable', [{ ...full, requests: { cpu: '0.5', memory: '1Gi' } }]],
  ['Guaranteed', [full, full]],
  ['Guaranteed', [{ limits: full.limits }]],
])('pods are %s with %j', (want, all) => {
  expect(qosClassOf({ containers: all.map((resources, at) => ({ name: `${at}`, resources })) })).toBe(want)
})

test.each<[number, string, Pod, number | undefined]>([
  [0, 'no node runs', pod({ terminationGracePeriodSeconds: 30 }), undefined],
  [30, 'it says so', pod({ terminationGracePeriodSeconds: 30, nodeName: 'n' }), undefined],
  [5, 'is asked for', pod({ terminationGracePeriodSeconds: 30, nodeName: 'n' }), 5],
  [0, 'is asked for', pod({ terminationGracePeriodSeconds: 30, nodeName: 'n' }), 0],
  [1, 'is asked for, negative', pod({ terminationGracePeriodSeconds: 30, nodeName: 'n' }), -1],
  [1, 'it says so, negative', pod({ terminationGracePeriodSeconds: -5, nodeName: 'n' }), undefined],
  [0, 'has failed', pod({ terminationGracePeriodSeconds: 30, nodeName: 'n' }, { status: { phase: 'Failed' } }), 9],
  [0, 'has succeeded', pod({ nodeName: 'n' }, { status: { phase: 'Succeeded' } }), undefined],
])('grace is %i seconds for a pod that %s', (want, _, object, requested) => {
  expect(podRules.gracePeriodSeconds!(object, requested)).toBe(want)
})

test('subresources change only their own part', () => {
  const old = pod({}, { status: { phase: 'Running' } })
  const resources = { limits: { cpu: '2' } }
  const change = () =>
    pod(
      { containers: [{ name: 'a', image: 'evil', resources }], ephemeralContainers: [{ name: 'e', image: 'x' }] },
      { metadata: { name: 'web', labels: { a: 'b' }, generation: 2 }, status: { phase: 'Failed' } },
    )
  const debugged = change()
  podRules.prepareUpdate!(debugged, old, 'ephemeralcontainers')
  expect(debugged.spec).toEqual({ ...old.spec, ephemeralContainers: [{ name: 'e', image: 'x' }] })
  expect(debugged).toMatchObject({ metadata: { generation: 2 }, status: { phase: 'Running' } })
  expect(debugged.metadata.labels).toBeUndefined()
  const resized = change()
  podRules.prepareUpdate!(resized, old, 'resize')
  expect(resized.spec).toEqual({ containers: [{ name: 'a', image: 'nginx:1', resources }] })
})

test('field selectors know defaults', () => {
  expect(podRules.fields!(pod({}, { status: { podIPs: [{ ip: '10.0.0.1' }] } }))).toEqual({
    'spec.hostNetwork': 'false',
    'status.podIP': '10.0.0.1',
    'status.podIPs': '',
  })
})
