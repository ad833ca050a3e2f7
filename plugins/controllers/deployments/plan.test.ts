import type { Deployment, ReplicaSet } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { planDeployment } from './plan.ts'
import { newReplicaSet } from './revisions.ts'
import { limitsOf } from './rollout.ts'

interface Shape {
  replicas?: number
  image?: string
  surge?: number | string
  unavailable?: number | string
  type?: 'Recreate' | 'RollingUpdate'
  paused?: boolean
  revision?: number
  status?: Deployment['status']
  history?: number
}

function deployment(shape: Shape = {}): Deployment {
  const { replicas = 10, image = 'v1', surge = 3, unavailable = 2, type = 'RollingUpdate', revision, history } = shape
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'd',
      generation: 1,
      ...(revision && { annotations: { 'deployment.kubernetes.io/revision': String(revision) } }),
    },
    spec: {
      replicas,
      paused: shape.paused,
      revisionHistoryLimit: history,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type, rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
    },
    status: shape.status,
  }
}

interface Size {
  image: string
  size: number
  available?: number
  revision?: number
  desired?: number
  max?: number
  terminating?: number
}

function replicaSet({
  image,
  size,
  available = size,
  revision = 1,
  desired = 10,
  max = 13,
  terminating = 0,
}: Size): ReplicaSet {
  const made = newReplicaSet(deployment({ image, replicas: desired }), revision, size, max)
  return {
    ...made,
    metadata: { ...made.metadata, uid: image, generation: 1, creationTimestamp: `2026-01-0${revision}T00:00:00Z` },
    status: { replicas: size, availableReplicas: available, terminatingReplicas: terminating, observedGeneration: 1 },
  }
}

/** The sizes a plan gives, by image. */
function sizes(shape: Shape, all: Size[]): Record<string, number> {
  const { updates } = planDeployment(deployment(shape), all.map(replicaSet))
  const resized = updates.filter(({ from, to }) => from.spec.replicas !== to.spec.replicas)
  return Object.fromEntries(resized.map(({ from, to }) => [from.metadata.uid!, to.spec.replicas!]))
}

const v2 = { image: 'v2' }
const steps = [
  {
    name: 'grows the new one into the surge',
    shape: v2,
    all: [
      { image: 'v1', size: 10 },
      { image: 'v2', size: 0, revision: 2 },
    ],
    want: { v2: 3 },
  },
  {
    name: 'shrinks the old one as far as enough stay available',
    shape: v2,
    all: [
      { image: 'v1', size: 10 },
      { image: 'v2', size: 3, available: 0, revision: 2 },
    ],
    want: { v1: 8 },
  },
  {
    name: 'waits while nothing may be given up',
    shape: v2,
    all: [
      { image: 'v1', size: 8 },
      { image: 'v2', size: 5, available: 0, revision: 2 },
    ],
    want: {},
  },
  {
    name: 'keeps even unready old pods while new ones are on their way',
    shape: v2,
    all: [
      { image: 'v1', size: 8, available: 6 },
      { image: 'v2', size: 5, available: 0, revision: 2 },
    ],
    want: {},
  },
  {
    name: 'gives up old pods that do not serve first',
    shape: { ...v2, unavailable: 2 },
    all: [
      { image: 'v0', size: 3, available: 0 },
      { image: 'v1', size: 7, revision: 2 },
      { image: 'v2', size: 3, available: 1, revision: 3 },
    ],
    want: { v0: 0 },
  },
  {
    name: 'ends with the new one alone',
    shape: v2,
    all: [
      { image: 'v1', size: 2 },
      { image: 'v2', size: 10, revision: 2 },
    ],
    want: { v1: 0 },
  },
  {
    name: 'rounds percentages',
    shape: { ...v2, replicas: 3, surge: '25%', unavailable: '25%' },
    all: [
      { image: 'v1', size: 3, desired: 3 },
      { image: 'v2', size: 0, desired: 3, revision: 2 },
    ],
    want: { v2: 1 },
  },
  { name: 'scales the only one', shape: { replicas: 4 }, all: [{ image: 'v1', size: 10 }], want: { v1: 4 } },
  {
    name: 'scales in proportion in the middle of a rollout',
    shape: { ...v2, replicas: 20, unavailable: 2 },
    all: [
      { image: 'v1', size: 8 },
      { image: 'v2', size: 5, available: 0, revision: 2 },
    ],
    want: { v1: 14, v2: 9 },
  },
  {
    name: 'scales to nothing',
    shape: { ...v2, replicas: 0 },
    all: [
      { image: 'v1', size: 8 },
      { image: 'v2', size: 5, available: 0, revision: 2 },
    ],
    want: { v1: 0, v2: 0 },
  },
  {
    name: 'scales a paused one without rolling it on',
    shape: { ...v2, replicas: 5, paused: true },
    all: [{ image: 'v1', size: 10 }],
    want: { v1: 5 },
  },
  {
    name: 'ends all old pods of Recreate first',
    shape: { ...v2, type: 'Recreate' },
    all: [
      { image: 'v1', size: 10 },
      { image: 'v2', size: 0, revision: 2 },
    ],
    want: { v1: 0 },
  },
  {
    name: 'waits for the last old pod of Recreate',
    shape: { ...v2, type: 'Recreate' },
    all: [
      { image: 'v1', size: 0, terminating: 1 },
      { image: 'v2', size: 0, revision: 2 },
    ],
    want: {},
  },
  {
    name: 'starts the new pods of Recreate',
    shape: { ...v2, type: 'Recreate' },
    all: [
      { image: 'v1', size: 0 },
      { image: 'v2', size: 0, revision: 2 },
    ],
    want: { v2: 10 },
  },
] satisfies { name: string; shape: Shape; all: Size[]; want: Record<string, number> }[]
test.each(steps)('a rollout $name', ({ shape, all, want }) => expect(sizes(shape, all)).toEqual(want))

const limits = [
  {
    name: 'rounds surge up and unavailability down',
    shape: { replicas: 10, surge: '25%', unavailable: '25%' },
    want: [3, 2],
  },
  {
    name: 'lets one pod be unavailable when both are 0',
    shape: { replicas: 3, surge: 0, unavailable: '1%' },
    want: [0, 1],
  },
  { name: 'has none for Recreate', shape: { type: 'Recreate' as const }, want: [0, 0] },
]
test.each(limits)('the limit of a rollout $name', ({ shape, want }) => {
  const { maxSurge, maxUnavailable } = limitsOf(deployment(shape))
  expect([maxSurge, maxUnavailable]).toEqual(want)
})

test('a new template becomes a ReplicaSet with a hash, the next revision and no kubectl annotation', () => {
  const changed = deployment(v2)
  changed.metadata.annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'kubernetes.io/change-cause': 'because',
  }
  const plan = planDeployment(changed, [replicaSet({ image: 'v1', size: 10, revision: 4 })])
  const hash = plan.create!.metadata.labels!['pod-template-hash']!
  expect(plan.create).toMatchObject({
    metadata: {
      name: `web-${hash}`,
      labels: { app: 'web', 'pod-template-hash': hash },
      annotations: {
        'deployment.kubernetes.io/revision': '5',
        'deployment.kubernetes.io/desired-replicas': '10',
        'deployment.kubernetes.io/max-replicas': '13',
        'kubernetes.io/change-cause': 'because',
      },
      ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } },
      template: { metadata: { labels: { 'pod-template-hash': hash } } },
    },
  })
  expect(Object.keys(plan.create!.metadata.annotations!)).not.toContain(
    'kubectl.kubernetes.io/last-applied-configuration',
  )
  expect(plan.annotate).toEqual({ 'deployment.kubernetes.io/revision': '5' })
})

test('a template seen before is rolled back to: its ReplicaSet becomes the newest revision', () => {
  const all = [replicaSet({ image: 'v1', size: 0, revision: 1 }), replicaSet({ image: 'v2', size: 10, revision: 2 })]
  const plan = planDeployment(deployment({ image: 'v1', revision: 2 }), all)
  expect(plan.create).toBeUndefined()
  const { to } = plan.updates.find(({ from }) => from.metadata.uid === 'v1')!
  expect(to.metadata.annotations).toMatchObject({
    'deployment.kubernetes.io/revision': '3',
    'deployment.kubernetes.io/revision-history': '1',
  })
  expect(plan.annotate).toEqual({ 'deployment.kubernetes.io/revision': '3' })
})

test('nothing is decided twice: what a plan leads to needs no further step', () => {
  const settled = replicaSet({ image: 'v1', size: 10, revision: 1 })
  const plan = planDeployment(deployment({ revision: 1 }), [settled])
  expect(plan).toMatchObject({ create: undefined, updates: [], remove: [], annotate: undefined })
})

const idle = [
  { name: 'paused', shape: { ...v2, paused: true }, all: [{ image: 'v1', size: 10 }] },
  {
    name: 'Recreate with old pods',
    shape: { ...v2, type: 'Recreate' as const },
    all: [{ image: 'v1', size: 0, terminating: 1 }],
  },
]
test.each(idle)('a new template waits while $name', ({ shape, all }) => {
  expect(planDeployment(deployment(shape), all.map(replicaSet)).create).toBeUndefined()
})

test('empty revisions beyond the history limit go, the oldest first, once the rollout is complete', () => {
  const all = ['a', 'b', 'c'].map((image, at) => replicaSet({ image, size: image === 'b' ? 1 : 0, revision: at + 1 }))
  const newest = replicaSet({ image: 'v1', size: 10, revision: 4 })
  const done = { observedGeneration: 1, replicas: 10, updatedReplicas: 10, availableReplicas: 10 }
  const removed = (shape: Shape) =>
    planDeployment(deployment(shape), [...all, newest]).remove.map((one) => one.metadata.uid)
  expect(removed({ history: 1, status: done })).toEqual(['a'])
  expect(removed({ history: 0, status: done })).toEqual(['a', 'c'])
  expect(removed({ history: 1 })).toEqual([])
  expect(removed({ status: done })).toEqual([])
})
