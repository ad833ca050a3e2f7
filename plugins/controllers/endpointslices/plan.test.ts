import type { Pod, Service } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { EndpointSlice } from '@keelson/apis/discovery/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { planEndpoints } from './legacy.ts'
import { planSlices } from './plan.ts'

const service = (spec: Service['spec'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop', uid: 's', labels: { team: 'a' } },
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.0.0.1',
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    ...spec,
  },
})

interface Shape {
  ready?: boolean
  deleted?: boolean
  phase?: 'Running' | 'Failed'
  ips?: string[]
  httpPort?: number
}

function pod(
  name: string,
  { ready = true, deleted, phase = 'Running', ips = [`10.1.0.${name}`], httpPort }: Shape = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      labels: { app: 'web' },
      ...(deleted && { deletionTimestamp: 'now' }),
    },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'c', ports: httpPort ? [{ name: 'http', containerPort: httpPort }] : [] }],
    },
    status: {
      phase,
      podIP: ips[0],
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  }
}

const plan = (given: Service, pods: Pod[], existing: EndpointSlice[] = []) =>
  planSlices({ service: given, pods, existing, zoneOf: () => 'zone-a' })

/** As the server would have it after the creation. */
const served = (slice: EndpointSlice, at = 0): EndpointSlice => ({
  ...slice,
  metadata: { ...slice.metadata, name: `web-${at}`, uid: `slice-${at}` },
})

test('a ready pod becomes an endpoint with its place and its pod', () => {
  const { create } = plan(service(), [pod('1')])
  expect(create).toMatchObject([
    {
      metadata: {
        generateName: 'web-',
        labels: {
          team: 'a',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Service', name: 'web', controller: true }],
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: ['10.1.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'n1',
          zone: 'zone-a',
          targetRef: { kind: 'Pod', name: '1', uid: '1' },
        },
      ],
    },
  ])
})

const conditions = [
  { name: 'not ready', shape: { ready: false }, publish: false, want: [false, false, false] },
  { name: 'not ready but published', shape: { ready: false }, publish: true, want: [true, false, false] },
  { name: 'ending but serving', shape: { deleted: true }, publish: false, want: [false, true, true] },
]
test.each(conditions)('ready, serving and terminating of a pod that is $name', ({ shape, publish, want }) => {
  const { create } = plan(service({ publishNotReadyAddresses: publish }), [pod('1', shape)])
  const { ready, serving, terminating } = create[0]!.endpoints![0]!.conditions!
  expect([ready, serving, terminating]).toEqual(want)
})

test.each([
  { name: 'has ended', shape: { phase: 'Failed' as const } },
  { name: 'has no address', shape: { ips: [] } },
])('a pod that $name is no endpoint, and a slice says that there is none', ({ shape }) => {
  const { create } = plan(service(), [pod('1', shape)])
  expect(create).toMatchObject([{ addressType: 'IPv4', endpoints: [], ports: [] }])
})

test('named target ports are those of each pod; pods with different ports share no slice', () => {
  const named = service({ ports: [{ name: 'http', port: 80, targetPort: 'http' }] })
  const pods = [pod('1', { httpPort: 8080 }), pod('2', { httpPort: 9090 }), pod('3')]
  const { create } = plan(named, pods)
  expect(create.map((slice) => [slice.ports?.[0]?.port, slice.endpoints?.length])).toEqual([
    [8080, 1],
    [9090, 1],
    [undefined, 1],
  ])
})

test('a dual-stack Service has slices of both families', () => {
  const { create } = plan(service({ ipFamilies: ['IPv4', 'IPv6'] }), [pod('1', { ips: ['10.1.0.1', 'fd00::1'] })])
  expect(create.map((slice) => [slice.addressType, slice.endpoints![0]!.addresses])).toEqual([
    ['IPv4', ['10.1.0.1']],
    ['IPv6', ['fd00::1']],
  ])
})

const many = (count: number, from = 0) => Array.from({ length: count }, (_, at) => pod(String(1000 + from + at)))

test('slices hold a hundred endpoints each', () => {
  expect(plan(service(), many(250)).create.map((slice) => slice.endpoints!.length)).toEqual([100, 100, 50])
})

test('a change touches only the slices it must', () => {
  const pods = many(250)
  const existing = plan(service(), pods).create.map(served)
  expect(plan(service(), pods, existing)).toEqual({ create: [], update: [], remove: [] })
  const changed = plan(service(), [...pods.slice(1), ...many(2, 900)], existing)
  expect(changed.create).toEqual([])
  expect(changed.remove).toEqual([])
  expect(changed.update.map((slice) => [slice.metadata.name, slice.endpoints!.length])).toEqual([
    ['web-0', 100],
    ['web-2', 51],
  ])
})

test('a slice that is empty goes, the last one stays as a placeholder', () => {
  const existing = plan(service({ ports: [] }), many(150)).create.map(served)
  const { create, update, remove } = plan(service({ ports: [] }), [], existing)
  expect(create).toEqual([])
  expect(update.map((slice) => slice.endpoints)).toEqual([[]])
  expect(remove.map((slice) => slice.metadata.name)).toEqual(['web-1'])
})

test('slices of ports that changed are replaced', () => {
  const existing = plan(service(), [pod('1')]).create.map(served)
  const { create, remove } = plan(service({ ports: [{ port: 80, targetPort: 81 }] }), [pod('1')], existing)
  expect(create.map((slice) => slice.ports![0]!.port)).toEqual([81])
  expect(remove).toHaveLength(1)
})

test('Endpoints list ready and unready addresses by ports, and leave out what is ending', () => {
  const pods = [
    pod('2'),
    pod('1'),
    pod('3', { ready: false }),
    pod('4', { deleted: true }),
    pod('5', { phase: 'Failed' }),
  ]
  const wanted = planEndpoints(service({ clusterIP: 'None' }), pods, undefined)!
  expect(wanted.metadata).toMatchObject({ name: 'web', labels: { team: 'a', 'service.kubernetes.io/headless': '' } })
  const [subset] = wanted.subsets!
  expect(subset!.addresses!.map(({ ip }) => ip)).toEqual(['10.1.0.1', '10.1.0.2'])
  expect(subset!.notReadyAddresses!.map(({ ip }) => ip)).toEqual(['10.1.0.3'])
  expect(subset!.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }])
  expect(planEndpoints(service({ clusterIP: 'None' }), pods.toReversed(), wanted)).toBeUndefined()
})

test('Endpoints hold a thousand addresses, ready ones first, and say that there are more', () => {
  const wanted = planEndpoints(service(), [pod('1', { ready: false }), ...many(1000)], undefined)!
  expect(wanted.metadata.annotations).toEqual({ 'endpoints.kubernetes.io/over-capacity': 'truncated' })
  expect(wanted.subsets![0]!.addresses).toHaveLength(1000)
  expect(wanted.subsets![0]!.notReadyAddresses).toBeUndefined()
})
