import type { Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { type AnyCondition, setCondition } from './conditions.ts'
import { isPodActive, isPodAvailable, msUntilAvailable, podFromTemplate } from './pods.ts'
import { toleratesTaint } from './taints.ts'
import { hashOf } from './template-hash.ts'

const at = '2026-01-01T00:00:00Z'
const now = Date.parse(at) + 5_000
const ready = { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at }] }
const pod = (status: Pod['status'], deletionTimestamp?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', ...(deletionTimestamp && { deletionTimestamp }) },
  spec: { containers: [] },
  status,
})

const states = [
  { name: 'a pending pod', pod: pod({ phase: 'Pending' }), active: true, available: false, wait: undefined },
  { name: 'a ready pod', pod: pod({ phase: 'Running', ...ready }), active: true, available: false, wait: 5_000 },
  { name: 'a failed pod', pod: pod({ phase: 'Failed' }), active: false, available: false, wait: undefined },
  { name: 'a pod being deleted', pod: pod({}, at), active: false, available: false, wait: undefined },
]
test.each(states)('$name is active: $active, available after 10 s: $available', ({ pod, active, available, wait }) => {
  expect(isPodActive(pod)).toBe(active)
  expect(isPodAvailable(pod, 10, now)).toBe(available)
  expect(msUntilAvailable(pod, 10, now)).toBe(wait)
})

test('a ready pod is available at once without minReadySeconds', () => {
  expect(isPodAvailable(pod({ ...ready }), 0, Date.parse(at))).toBe(true)
})

test('a pod made from a template is managed by its owner', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web', namespace: 'x', uid: 'u' } }
  const made = podFromTemplate({ metadata: { labels: { app: 'web' } }, spec: { containers: [] } }, owner)
  expect(made.metadata).toMatchObject({ generateName: 'web-', namespace: 'x', labels: { app: 'web' } })
  expect(made.metadata.ownerReferences).toEqual([
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true, blockOwnerDeletion: true },
  ])
})

test('the hash of a template depends on its content, not on the order of its fields', () => {
  expect(hashOf({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(hashOf({ b: { c: [1, 2] }, a: 1 }))
  expect(hashOf({ a: [1, 2] })).not.toBe(hashOf({ a: [2, 1] }))
  expect(hashOf({ a: 1 }, 1)).not.toBe(hashOf({ a: 1 }))
  expect(hashOf({})).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/)
})

const taint = { key: 'k', value: 'v', effect: 'NoExecute' } as const
const tolerations = [
  { name: 'same value', toleration: { key: 'k', value: 'v' }, want: true },
  { name: 'other value', toleration: { key: 'k', value: 'w' }, want: false },
  { name: 'any value', toleration: { key: 'k', operator: 'Exists' }, want: true },
  { name: 'anything', toleration: { operator: 'Exists' }, want: true },
  { name: 'other effect', toleration: { key: 'k', operator: 'Exists', effect: 'NoSchedule' }, want: false },
] as const
test.each(tolerations)('a toleration of $name covers: $want', ({ toleration, want }) =>
  expect(toleratesTaint(toleration, taint)).toBe(want),
)

test('the time of a transition stays while the status does', () => {
  const first = setCondition<AnyCondition>([], { type: 'Ready', status: 'True', reason: 'A' }, 't1')
  const second = setCondition(first, { type: 'Ready', status: 'True', reason: 'B' }, 't2')
  const third = setCondition(second, { type: 'Ready', status: 'False', reason: 'B' }, 't3')
  expect([first, second, third].map(([one]) => [one!.reason, one!.lastTransitionTime])).toEqual([
    ['A', 't1'],
    ['B', 't1'],
    ['B', 't3'],
  ])
})
