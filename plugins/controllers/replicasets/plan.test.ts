import type { ReplicaSet } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import type { Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { nextAvailabilityMs, planScale, planStatus } from './plan.ts'

const now = Date.parse('2026-01-01T01:00:00Z')
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString()

interface Shape {
  name: string
  node?: string
  phase?: NonNullable<Pod['status']>['phase']
  readyFor?: number
  age?: number
  cost?: string
  restarts?: number
  deleted?: boolean
}

function pod({ name, node = 'n1', phase = 'Running', readyFor, age = 600, cost, restarts = 0, deleted }: Shape): Pod {
  const ready = readyFor !== undefined && { type: 'Ready', status: 'True', lastTransitionTime: ago(readyFor) }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      labels: { app: 'web' },
      creationTimestamp: ago(age),
      ...(cost && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
      ...(deleted && { deletionTimestamp: ago(1) }),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      conditions: ready ? [ready] : [],
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  }
}

const counts = [
  { name: 'creates what is missing', replicas: 3, pods: [pod({ name: 'a' })], create: 2, remove: 0 },
  { name: 'does nothing when there are as many', replicas: 1, pods: [pod({ name: 'a' })], create: 0, remove: 0 },
  { name: 'removes what is too much', replicas: 0, pods: [pod({ name: 'a' })], create: 0, remove: 1 },
  {
    name: 'does not count pods at their end',
    replicas: 1,
    pods: [pod({ name: 'a', phase: 'Failed' })],
    create: 1,
    remove: 0,
  },
  {
    name: 'does not count pods being deleted',
    replicas: 1,
    pods: [pod({ name: 'a', deleted: true })],
    create: 1,
    remove: 0,
  },
  { name: 'creates at most a burst', replicas: 5000, pods: [], create: 500, remove: 0 },
]
test.each(counts)('$name', ({ replicas, pods, create, remove }) => {
  const plan = planScale(replicas, pods, () => 1, now)
  expect([plan.create, plan.remove.length]).toEqual([create, remove])
})

const pairs = [
  { name: 'an unassigned pod before an assigned one', first: { node: '' }, second: {} },
  { name: 'a pending pod before a running one', first: { phase: 'Pending' }, second: {} },
  { name: 'an unready pod before a ready one', first: {}, second: { readyFor: 1 } },
  { name: 'a cheap pod before a dear one', first: { cost: '-5', readyFor: 500 }, second: { readyFor: 1 } },
  { name: 'a pod on a crowded node', first: { node: 'crowded', readyFor: 500 }, second: { readyFor: 1 } },
  { name: 'a pod that became ready later', first: { readyFor: 2 }, second: { readyFor: 500 } },
  { name: 'a pod that restarted more', first: { restarts: 3, readyFor: 9 }, second: { readyFor: 9 } },
  { name: 'a younger pod', first: { age: 5, readyFor: 4 }, second: { age: 5000, readyFor: 4 } },
] as const
test.each(pairs)('scaling down gives up $name', ({ first, second }) => {
  const pods = [pod({ name: 'a', ...second }), pod({ name: 'b', ...first })]
  const plan = planScale(1, pods, (node) => (node === 'crowded' ? 5 : 1), now)
  expect(plan.remove.map((one) => one.metadata.name)).toEqual(['b'])
})

const replicaSet: ReplicaSet = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', generation: 4 },
  spec: {
    selector: {},
    minReadySeconds: 10,
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
  },
}

test('the status counts ready, available and terminating pods', () => {
  const pods = [
    pod({ name: 'a', readyFor: 60 }),
    pod({ name: 'b', readyFor: 4 }),
    pod({ name: 'c' }),
    pod({ name: 'd', deleted: true }),
    pod({ name: 'e', phase: 'Failed' }),
  ]
  expect(planStatus(replicaSet, pods, undefined, ago(0), now)).toEqual({
    replicas: 3,
    fullyLabeledReplicas: 3,
    readyReplicas: 2,
    availableReplicas: 1,
    terminatingReplicas: 1,
    observedGeneration: 4,
    conditions: undefined,
  })
  expect(nextAvailabilityMs(pods, 10, now)).toBe(6_000)
})

test('a failure is a condition until scaling succeeds', () => {
  const status = planStatus(replicaSet, [], { reason: 'FailedCreate', message: 'quota' }, ago(0), now)
  expect(status.conditions).toMatchObject([
    { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' },
  ])
  const again = planStatus({ ...replicaSet, status }, [], { reason: 'FailedCreate', message: 'quota!' }, ago(0), now)
  expect(again).toEqual(status)
  const other = planStatus({ ...replicaSet, status }, [], { reason: 'FailedDelete', message: 'no' }, ago(0), now)
  expect(other.conditions).toMatchObject([{ reason: 'FailedDelete', message: 'no' }])
  expect(planStatus({ ...replicaSet, status }, [], undefined, ago(0), now).conditions).toBeUndefined()
})
