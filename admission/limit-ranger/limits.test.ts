import { expect, test } from 'vitest'
import type {
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
  ResourceRequirements,
} from '#apis/core/v1/zz_generated.types.ts'
import { claimFaults, fillDefaults, podFaults } from './limits.ts'

const range = (...limits: LimitRangeItem[]): LimitRange => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'r' },
  spec: { limits },
})
const pod = (...all: (ResourceRequirements | undefined)[]): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: all.map((resources, at) => ({ name: `c${at}`, ...(resources && { resources }) })) },
})

const type = 'Container'
const defaults = range({ type, default: { cpu: '2', memory: '1Gi' }, defaultRequest: { cpu: '1' } })

test('containers get what they do not name, and the pod says so', () => {
  const object = pod(undefined, { requests: { cpu: '3' }, limits: { cpu: '4', memory: '2Gi' } })
  object.spec!.initContainers = [{ name: 'i', resources: { limits: { cpu: '5', memory: '1' } } }]
  fillDefaults(defaults, object)
  expect(object.spec!.containers.map(({ resources }) => resources)).toEqual([
    { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } },
    { requests: { cpu: '3' }, limits: { cpu: '4', memory: '2Gi' } },
  ])
  expect(object.metadata.annotations).toEqual({
    'kubernetes.io/limit-ranger':
      'LimitRanger plugin set: cpu request for container c0; cpu, memory limit for container c0; cpu request for init container i',
  })
})

test('a pod that names everything is left as it is', () => {
  const object = pod({ requests: { cpu: '1' }, limits: { cpu: '1', memory: '1' } })
  const before = structuredClone(object)
  fillDefaults(defaults, object)
  expect(object).toEqual(before)
})

const item = (rest: Omit<LimitRangeItem, 'type'>, of = type): LimitRange =>
  range({ type: of, ...rest } as LimitRangeItem)
const cases: [LimitRange, ResourceRequirements, string[]][] = [
  [item({ min: { cpu: '1' } }), {}, ['minimum cpu usage per Container is 1.  No request is specified']],
  [
    item({ min: { cpu: '1' } }),
    { requests: { cpu: '500m' } },
    ['minimum cpu usage per Container is 1, but request is 500m'],
  ],
  [item({ min: { cpu: '1' } }), { requests: { cpu: '1' }, limits: { cpu: '1' } }, []],
  [
    item({ max: { cpu: '1' } }),
    { requests: { cpu: '1' } },
    ['maximum cpu usage per Container is 1.  No limit is specified'],
  ],
  [item({ max: { cpu: '1' } }), { limits: { cpu: '2' } }, ['maximum cpu usage per Container is 1, but limit is 2']],
  [item({ max: { cpu: '1' } }, 'Pod'), { limits: { cpu: '1' } }, ['maximum cpu usage per Pod is 1, but limit is 2']],
  [
    item({ maxLimitRequestRatio: { cpu: '2' } }),
    { limits: { cpu: '2' } },
    ['cpu max limit to request ratio per Container is 2, but no request is specified or request is 0'],
  ],
  [
    item({ maxLimitRequestRatio: { cpu: '2' } }),
    { requests: { cpu: '1' } },
    ['cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0'],
  ],
  [
    item({ maxLimitRequestRatio: { cpu: '1500m' } }),
    { requests: { cpu: '300m' }, limits: { cpu: '500m' } },
    ['cpu max limit to request ratio per Container is 1500m, but provided ratio is 1.666667'],
  ],
  [item({ maxLimitRequestRatio: { cpu: '2' } }), { requests: { cpu: '1' }, limits: { cpu: '2' } }, []],
  [item({ max: { storage: '1' } }, 'PersistentVolumeClaim'), {}, []],
]

test.each(cases)('%j of two containers with %j', (of, resources, want) => {
  expect([...new Set(podFaults(of, pod(resources, resources)))]).toEqual(want)
})

test.each([
  ['500Mi', ['minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi']],
  ['3Gi', ['maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi']],
  ['2Gi', []],
  [
    undefined,
    [
      'minimum storage usage per PersistentVolumeClaim is 1Gi.  No request is specified',
      'maximum storage usage per PersistentVolumeClaim is 2Gi.  No request is specified',
    ],
  ],
])('a claim of %s', (storage, want) => {
  const of = item({ min: { storage: '1Gi' }, max: { storage: '2Gi' } }, 'PersistentVolumeClaim')
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {},
    spec: { resources: { requests: storage ? { storage } : {} } },
  }
  expect(claimFaults(of, claim)).toEqual(want)
})
