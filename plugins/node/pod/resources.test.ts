import type { ResourceRequirements } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { spec, view } from '../testing/views.ts'
import { linuxResources, podRequest, qosClassOf } from './resources.ts'

const podOf = (...resources: ResourceRequirements[]) =>
  view({ spec: { containers: resources.map((one, at) => spec(`c${at}`, { resources: one })) } }).pod
const both = { cpu: '1', memory: '1Gi' }
const gibibyte = 2 ** 30

test.each([
  { name: 'nothing asked for', resources: [{}, {}], want: 'BestEffort' },
  { name: 'limits for all', resources: [{ limits: both }], want: 'Guaranteed' },
  { name: 'requests like limits', resources: [{ limits: both, requests: { cpu: '1000m' } }], want: 'Guaranteed' },
  { name: 'requests below limits', resources: [{ limits: both, requests: { cpu: '1m' } }], want: 'Burstable' },
  { name: 'one without limits', resources: [{ limits: both }, {}], want: 'Burstable' },
])('$name is $want', ({ resources, want }) => expect(qosClassOf(podOf(...resources))).toBe(want))

const told: { name: string; resources: ResourceRequirements; want: object }[] = [
  { name: 'nothing', resources: {}, want: { cpuShares: 2, oomScoreAdj: 1000 } },
  {
    name: 'limits',
    resources: { limits: { cpu: '500m', memory: '1Gi' } },
    want: { cpuShares: 512, cpuPeriod: 100_000, cpuQuota: 50_000, memoryLimitInBytes: gibibyte, oomScoreAdj: -997 },
  },
  { name: 'a request', resources: { requests: { memory: '1Gi' } }, want: { cpuShares: 2, oomScoreAdj: 750 } },
  {
    name: 'a tiny limit',
    resources: { limits: { cpu: '1m' } },
    want: { cpuShares: 2, cpuPeriod: 100_000, cpuQuota: 1000, oomScoreAdj: 999 },
  },
]

test.each(told)('the kernel is told of $name', ({ resources, want }) => {
  const pod = podOf(resources)
  expect(linuxResources(pod, pod.spec.containers[0]!, 4 * gibibyte)).toEqual(want)
})

test('a pod takes what its containers or its largest init container ask for', () => {
  const asks = (name: string, cpu: string, restartPolicy?: 'Always') =>
    spec(name, { restartPolicy, resources: { requests: { cpu } } })
  const initContainers = [asks('proxy', '1', 'Always'), asks('init', '5')]
  const { pod } = view({ spec: { initContainers, containers: [asks('main', '2')], overhead: { cpu: '250m' } } })
  expect(podRequest(pod, 'cpu')).toBe(6.25)
})
