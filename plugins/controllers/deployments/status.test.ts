import type { Deployment, DeploymentCondition, ReplicaSet } from '@keelson/apis/apps/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { msUntilDeadline, type Progress, planStatus } from './status.ts'

const start = Date.parse('2026-01-01T00:00:00Z')
const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')

const deployment = (status: Deployment['status'] = {}, paused = false): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', generation: 2 },
  spec: {
    replicas: 4,
    paused,
    progressDeadlineSeconds: 60,
    selector: {},
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    template: { spec: { containers: [] } },
  },
  status,
})

const replicaSet = (name: string, size: number, ready = size, conditions?: DeploymentCondition[]): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name },
  spec: { replicas: size, selector: {} },
  status: { replicas: size, readyReplicas: ready, availableReplicas: ready, conditions },
})

const progressing = (status: string, reason: string): DeploymentCondition => ({
  type: 'Progressing',
  status,
  reason,
  lastUpdateTime: time(start),
  lastTransitionTime: time(start),
})

test('replicas of all revisions are counted, those of the newest as updated', () => {
  const old = [replicaSet('old', 2)]
  const status = planStatus({ deployment: deployment(), newest: replicaSet('new', 3, 1), old, now: start })
  expect(status).toMatchObject({
    observedGeneration: 2,
    replicas: 5,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    unavailableReplicas: 2,
  })
})

const moved = { replicas: 4, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }
const created: Progress = { reason: 'NewReplicaSetCreated', name: 'new' }
const cases = [
  {
    name: 'a new ReplicaSet',
    old: {},
    newest: replicaSet('new', 0),
    progress: created,
    after: 0,
    want: ['True', 'NewReplicaSetCreated'],
  },
  {
    name: 'movement',
    old: { conditions: [progressing('True', 'NewReplicaSetCreated')] },
    newest: replicaSet('new', 4, 2),
    after: 10,
    want: ['True', 'ReplicaSetUpdated'],
  },
  {
    name: 'the end of the rollout',
    old: { ...moved, conditions: [progressing('True', 'ReplicaSetUpdated')] },
    newest: replicaSet('new', 4, 4),
    after: 10,
    want: ['True', 'NewReplicaSetAvailable'],
  },
  {
    name: 'no movement before the deadline',
    old: { ...moved, conditions: [progressing('True', 'ReplicaSetUpdated')] },
    newest: replicaSet('new', 4, 2),
    after: 59,
    want: ['True', 'ReplicaSetUpdated'],
  },
  {
    name: 'no movement until the deadline',
    old: { ...moved, updatedReplicas: 4, conditions: [progressing('True', 'ReplicaSetUpdated')] },
    newest: replicaSet('new', 4, 2),
    after: 60,
    want: ['False', 'ProgressDeadlineExceeded'],
  },
  {
    name: 'pods lost after the rollout',
    old: {
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas: 4,
      availableReplicas: 4,
      conditions: [progressing('True', 'NewReplicaSetAvailable')],
    },
    newest: replicaSet('new', 4, 1),
    after: 600,
    want: ['True', 'NewReplicaSetAvailable'],
  },
  {
    name: 'lost pods coming back',
    old: {
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas: 1,
      conditions: [progressing('True', 'NewReplicaSetAvailable')],
    },
    newest: replicaSet('new', 4, 3),
    after: 600,
    want: ['True', 'NewReplicaSetAvailable'],
  },
  {
    name: 'a refused ReplicaSet',
    old: {},
    newest: undefined,
    progress: { reason: 'ReplicaSetCreateError', message: 'quota' } as Progress,
    after: 0,
    want: ['False', 'ReplicaSetCreateError'],
  },
  {
    name: 'a pause',
    old: {},
    newest: replicaSet('new', 1),
    paused: true,
    after: 0,
    want: ['Unknown', 'DeploymentPaused'],
  },
  {
    name: 'the end of a pause',
    old: { conditions: [progressing('Unknown', 'DeploymentPaused')] },
    newest: replicaSet('new', 1),
    after: 0,
    want: ['Unknown', 'DeploymentResumed'],
  },
]
test.each(cases)('Progressing after $name', ({ old, newest, progress, paused, after, want }) => {
  const now = start + after * 1000
  const status = planStatus({ deployment: deployment(old, paused), newest, old: [], progress, now })
  const condition = status.conditions!.find((one) => one.type === 'Progressing')!
  expect([condition.status, condition.reason]).toEqual(want)
})

test.each([
  { available: 3, want: ['True', 'MinimumReplicasAvailable'] },
  { available: 2, want: ['False', 'MinimumReplicasUnavailable'] },
])('Available with $available of 4', ({ available, want }) => {
  const status = planStatus({ deployment: deployment(), newest: replicaSet('new', 4, available), old: [], now: start })
  const condition = status.conditions!.find((one) => one.type === 'Available')!
  expect([condition.status, condition.reason]).toEqual(want)
})

test('a failure of a ReplicaSet is the failure of its Deployment', () => {
  const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }
  const newest = replicaSet('new', 4, 0, [failure])
  const failed = planStatus({ deployment: deployment(), newest, old: [], now: start })
  expect(failed.conditions).toContainEqual(expect.objectContaining(failure))
  const healed = planStatus({ deployment: deployment(failed), newest: replicaSet('new', 4), old: [], now: start })
  expect(healed.conditions!.map((one) => one.type)).not.toContain('ReplicaFailure')
})

test('a status that says the same again is the same', () => {
  const observed = { newest: replicaSet('new', 4), old: [], now: start }
  const first = planStatus({ deployment: deployment(), ...observed })
  expect(planStatus({ deployment: deployment(first), ...observed, now: start + 99_000 })).toEqual(first)
})

test('the deadline is looked at again when it is due, and only while a rollout is under way', () => {
  const status = { ...moved, conditions: [progressing('True', 'ReplicaSetUpdated')] }
  expect(msUntilDeadline(deployment(), status, start + 20_000)).toBe(41_000)
  expect(msUntilDeadline(deployment({}, true), status, start)).toBeUndefined()
  expect(
    msUntilDeadline(deployment(), { conditions: [progressing('False', 'ProgressDeadlineExceeded')] }, start),
  ).toBeUndefined()
})
