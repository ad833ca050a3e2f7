import type { Node, Pod, Taint, Toleration } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { type AnyPod, planDisruption, planPod, planSilence, planTaints, planUnready } from './plan.ts'

const start = '2026-01-01T00:00:00Z'
const now = Date.parse(start) + 60_000

const node = (conditions: Record<string, string>, taints: Taint[] = [], unschedulable = false): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', creationTimestamp: start },
  spec: { taints, unschedulable },
  status: {
    conditions: Object.entries(conditions).map(([type, status]) => ({ type, status, lastHeartbeatTime: start })),
  },
})

const text = (taints: readonly Taint[] | undefined) => taints?.map(({ key, effect }) => `${key}:${effect}`).sort()
const key = (name: string) => `node.kubernetes.io/${name}`
const unreachable: Taint[] = [
  { key: key('unreachable'), effect: 'NoSchedule' },
  { key: key('unreachable'), effect: 'NoExecute' },
]
const foreign: Taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }

const states = [
  { name: 'ready', node: node({ Ready: 'True' }), want: undefined },
  {
    name: 'not ready',
    node: node({ Ready: 'False' }),
    want: [`${key('not-ready')}:NoExecute`, `${key('not-ready')}:NoSchedule`],
  },
  {
    name: 'dead',
    node: node({ Ready: 'Unknown' }, [foreign]),
    want: ['dedicated:NoSchedule', `${key('unreachable')}:NoExecute`, `${key('unreachable')}:NoSchedule`],
  },
  { name: 'back', node: node({ Ready: 'True' }, [foreign, ...unreachable]), want: ['dedicated:NoSchedule'] },
  { name: 'new', node: node({}), want: [`${key('not-ready')}:NoSchedule`] },
  {
    name: 'new, tainted by admission',
    node: node({}, [{ key: key('not-ready'), effect: 'NoSchedule' }]),
    want: undefined,
  },
  {
    name: 'short of memory and cordoned',
    node: node({ Ready: 'True', MemoryPressure: 'True', DiskPressure: 'False' }, [], true),
    want: [`${key('memory-pressure')}:NoSchedule`, `${key('unschedulable')}:NoSchedule`],
  },
]
test.each(states)('the taints of a node that is $name', ({ node, want }) => {
  expect(text(planTaints(node, true, now) as Taint[] | undefined)).toEqual(want)
})

test('while no node is ready, none is emptied', () => {
  const taints = planTaints(node({ Ready: 'Unknown' }, unreachable), false, now)
  expect(text(taints as Taint[])).toEqual([`${key('unreachable')}:NoSchedule`])
})

test('a taint that stays keeps the time since when it is there', () => {
  const old: Taint = { ...unreachable[1]!, timeAdded: start }
  const taints = planTaints(node({ Ready: 'Unknown' }, [old]), true, now)!
  expect(taints.map(({ effect, timeAdded }) => [effect, timeAdded])).toEqual([
    ['NoExecute', start],
    ['NoSchedule', '2026-01-01T00:01:00Z'],
  ])
})

test('what a silent node reported becomes unknown, once', () => {
  const conditions = planSilence(node({ Ready: 'True', NetworkUnavailable: 'False' }), now)!
  const byType = Object.fromEntries(conditions.map(({ type, status, reason }) => [type, [status, reason]]))
  expect(byType).toEqual({
    Ready: ['Unknown', 'NodeStatusUnknown'],
    NetworkUnavailable: ['False', undefined],
    MemoryPressure: ['Unknown', 'NodeStatusNeverUpdated'],
    DiskPressure: ['Unknown', 'NodeStatusNeverUpdated'],
    PIDPressure: ['Unknown', 'NodeStatusNeverUpdated'],
  })
  expect(planSilence({ ...node({}), status: { conditions } }, now)).toBeUndefined()
})

const pod = (more: Partial<Pod['spec']> = {}, metadata = {}, status: Pod['status'] = {}): AnyPod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [], nodeName: 'n1', ...more },
  status,
})
const tolerating = (tolerationSeconds?: number): Partial<Pod['spec']> => {
  const toleration: Toleration = { key: key('unreachable'), operator: 'Exists', effect: 'NoExecute', tolerationSeconds }
  return { tolerations: [toleration] }
}
const dead = node({ Ready: 'Unknown' }, [{ ...unreachable[1]!, timeAdded: start }])
const healthy = node({ Ready: 'True' })
const leaving = { deletionTimestamp: start }

const fates = [
  { name: 'on a healthy node', pod: pod(), node: healthy, want: { do: 'keep' } },
  { name: 'that tolerates nothing', pod: pod(), node: dead, want: { do: 'evict', at: now } },
  {
    name: 'that tolerates for a while',
    pod: pod(tolerating(300)),
    node: dead,
    want: { do: 'evict', at: Date.parse(start) + 300_000 },
  },
  { name: 'that tolerates for ever', pod: pod(tolerating()), node: dead, want: { do: 'keep' } },
  { name: 'that is being deleted', pod: pod({}, leaving), node: dead, want: { do: 'keep' } },
  { name: 'that has ended', pod: pod({}, {}, { phase: 'Succeeded' }), node: dead, want: { do: 'keep' } },
  { name: 'without its node', pod: pod(), node: undefined, want: { do: 'remove', reason: 'NodeGone' } },
  { name: 'that waits for a node', pod: pod({ nodeName: undefined }), node: undefined, want: { do: 'keep' } },
  {
    name: 'deleted before it had a node',
    pod: pod({ nodeName: undefined }, leaving),
    node: undefined,
    want: { do: 'remove', reason: 'NeverScheduled' },
  },
]
test.each(fates)('a pod $name', ({ pod, node, want }) => expect(planPod(pod, node, now)).toEqual(want))

test('a pod of a dead node is not ready, and says so once', () => {
  const ready = {
    conditions: [
      { type: 'PodScheduled', status: 'True' },
      { type: 'Ready', status: 'True' },
    ],
  }
  const conditions = planUnready(pod({}, {}, ready), now)!
  expect(conditions).toMatchObject([
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status: 'False' },
  ])
  expect(planUnready(pod({}, {}, { conditions }), now)).toBeUndefined()
})

test.each([
  { phase: 'Running', isLost: true, want: 'Failed' },
  { phase: 'Running', isLost: false, want: 'Running' },
  { phase: 'Succeeded', isLost: true, want: 'Succeeded' },
] as const)('a $phase pod that is taken away (lost: $isLost) is $want', ({ phase, isLost, want }) => {
  const status = planDisruption(pod({}, {}, { phase }), 'DeletionByPodGC', 'gone', isLost, now)!
  expect(status.phase).toBe(want)
  expect(status.conditions).toMatchObject([{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' }])
})
