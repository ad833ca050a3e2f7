import { expect, test } from 'vitest'
import { writeAmounts } from './amounts.ts'
import { podLimits, podRequests } from './pod-resources.ts'
import type { Container, PodSpec, PodStatus } from './zz_generated.types.ts'

const container = (name: string, cpu: string | undefined, more: Partial<Container> = {}): Container => ({
  name,
  ...(cpu && { resources: { requests: { cpu }, limits: { cpu } } }),
  ...more,
})
const sidecar = (name: string, cpu: string) => container(name, cpu, { restartPolicy: 'Always' })

const cases: { name: string; spec: PodSpec; status?: PodStatus; want: [object, object] }[] = [
  { name: 'nothing where nothing is said', spec: { containers: [container('a', undefined)] }, want: [{}, {}] },
  {
    name: 'the sum of its containers',
    spec: { containers: [container('a', '100m'), container('b', '200m')] },
    want: [{ cpu: '300m' }, { cpu: '300m' }],
  },
  {
    name: 'its greatest init container where that is more',
    spec: {
      initContainers: [container('i', '1'), container('j', '500m')],
      containers: [container('a', '100m')],
    },
    want: [{ cpu: '1' }, { cpu: '1' }],
  },
  {
    name: 'its sidecars beside its containers',
    spec: { initContainers: [sidecar('s', '100m')], containers: [container('a', '100m')] },
    want: [{ cpu: '200m' }, { cpu: '200m' }],
  },
  {
    name: 'an init container beside the sidecars before it',
    spec: { initContainers: [sidecar('s', '100m'), container('i', '1')], containers: [container('a', '1m')] },
    want: [{ cpu: '1100m' }, { cpu: '1100m' }],
  },
  {
    name: 'what the pod says instead of its containers',
    spec: { containers: [container('a', '100m')], resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } },
    want: [{ cpu: '1' }, { cpu: '2' }],
  },
  {
    name: 'overhead, as a limit only where there is one',
    spec: { containers: [container('a', '100m')], overhead: { cpu: '50m', memory: '1Mi' } },
    want: [{ cpu: '150m', memory: '1Mi' }, { cpu: '150m' }],
  },
  {
    name: 'what a container still has while it shrinks',
    spec: { containers: [container('a', '100m')] },
    status: {
      containerStatuses: [
        { name: 'a', image: '', imageID: '', ready: true, restartCount: 0, resources: { requests: { cpu: '300m' } } },
      ],
    },
    want: [{ cpu: '300m' }, { cpu: '100m' }],
  },
  {
    name: 'what a container was promised',
    spec: { containers: [container('a', '100m')] },
    status: {
      containerStatuses: [
        { name: 'a', image: '', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: '400m' } },
      ],
    },
    want: [{ cpu: '400m' }, { cpu: '100m' }],
  },
]

test.each(cases)('a pod needs $name', ({ spec, status, want }) => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec, status }
  expect([writeAmounts(podRequests(pod)), writeAmounts(podLimits(pod))]).toEqual(want)
})
