import { createFakeClock } from '@keelson/kit/testing/fake-clock.ts'
import { expect, test, vi } from 'vitest'
import { prioritySort } from '../builtin/priority-sort.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import type { ClusterEvent, Plugin } from '../framework/types.ts'
import { makeNodeInfo, makePod, makePodInfo, type PodSketch } from '../testing/objects.ts'
import { backoffMs, maxUnschedulableMs, SchedulingQueue } from './queue.ts'

const fit: Plugin = { name: 'fit' }
const taints: Plugin = { name: 'taints' }
const nodeAdded: ClusterEvent = { type: 'node added', node: makeNodeInfo() }

function open() {
  const clock = createFakeClock()
  const onReady = vi.fn()
  const queue = new SchedulingQueue({
    clock,
    onReady,
    compare: prioritySort.compare,
    isGated: ({ pod }) => Boolean(pod.spec?.schedulingGates?.length),
    couldHelp: (rejectedBy) => rejectedBy.has(fit),
  })
  const add = (of: PodSketch = {}) => {
    const pod = makePodInfo(of)
    queue.set(pod)
    return pod
  }
  return { clock, onReady, queue, add }
}

test('pods leave by priority, then in the order they came', async () => {
  const { queue, add, clock } = open()
  for (const [name, priority] of [
    ['a', 0],
    ['b', 5],
    ['c', 0],
    ['d', 5],
  ] as const) {
    add({ name, spec: { priority } })
    await clock.advance(1)
  }
  expect([1, 2, 3, 4, 5].map(() => queue.pop()?.info.name)).toEqual(['b', 'd', 'a', 'c', undefined])
})

test.each([
  [1, 1_000],
  [2, 2_000],
  [4, 8_000],
  [5, 10_000],
  [60, 10_000],
])('after attempt %i a pod waits %i ms', (attempts, want) => expect(backoffMs(attempts)).toBe(want))

test('a failed pod comes back when its backoff is over, and no sooner', async () => {
  const { queue, add, clock } = open()
  const pod = add()
  queue.pop()
  queue.retry(pod.uid)
  await clock.advance(999)
  expect(queue.pop()).toBeUndefined()
  await clock.advance(1)
  expect(queue.pop()?.attempts).toBe(2)
})

test('an event revives only the pods that it could help', async () => {
  const { queue, add, clock } = open()
  const [helped, other] = [add({ name: 'helped' }), add({ name: 'other' })]
  queue.pop()
  queue.pop()
  queue.park(helped.uid, new Set([taints, fit]))
  queue.park(other.uid, new Set([taints]))
  await clock.advance(5_000)
  queue.notify(nodeAdded)
  expect(queue.pop()?.info.name).toBe('helped')
  expect(queue.counts).toEqual({ active: 0, backoff: 0, unschedulable: 1 })
})

test('a revived pod still serves its backoff', async () => {
  const { queue, add, clock } = open()
  const pod = add()
  queue.pop()
  queue.park(pod.uid, new Set([fit]))
  queue.notify(nodeAdded)
  expect(queue.counts).toMatchObject({ active: 0, backoff: 1 })
  await clock.advance(1_000)
  expect(queue.pop()?.info).toBe(pod)
})

test('an unschedulable pod is tried again after five minutes in any case', async () => {
  const { queue, add, clock } = open()
  const pod = add()
  queue.pop()
  queue.park(pod.uid, new Set([taints]))
  await clock.advance(maxUnschedulableMs - 1)
  expect(queue.pop()).toBeUndefined()
  await clock.advance(1)
  expect(queue.pop()?.info).toBe(pod)
})

test('a gated pod enters when its gates are gone', () => {
  const { queue, onReady } = open()
  const pod = makePod({ spec: { schedulingGates: [{ name: 'wait' }] } })
  queue.set(podInfoOf(pod))
  expect(queue.pop()).toBeUndefined()
  expect(onReady).not.toHaveBeenCalled()
  queue.set(podInfoOf({ ...pod, spec: { ...pod.spec, schedulingGates: [] } }))
  expect(queue.pop()?.attempts).toBe(1)
})

test('a change of its spec revives an unschedulable pod, a change of its status does not', async () => {
  const { queue, clock } = open()
  const pod = makePod()
  queue.set(podInfoOf(pod))
  queue.pop()
  queue.park(pod.metadata.uid!, new Set([taints]))
  await clock.advance(5_000)
  queue.set(podInfoOf({ ...pod, status: { phase: 'Pending' } }))
  expect(queue.pop()).toBeUndefined()
  queue.set(podInfoOf({ ...pod, spec: { ...pod.spec, tolerations: [{ operator: 'Exists' }] } }))
  expect(queue.pop()?.info.pod.spec.tolerations).toHaveLength(1)
})

test('a pod that is being tried is not handed out twice', () => {
  const { queue, add } = open()
  const pod = add()
  queue.pop()
  queue.set({ ...pod, labels: { changed: 'yes' } })
  expect(queue.pop()).toBeUndefined()
})

test('a deleted pod leaves from wherever it is', async () => {
  const { queue, add, clock } = open()
  const [active, parked, failed, taken] = ['active', 'parked', 'failed', 'taken'].map((name) => add({ name }))
  for (let at = 0; at < 4; at++) queue.pop()
  queue.park(parked!.uid, new Set([fit]))
  queue.retry(failed!.uid)
  for (const pod of [active, parked, failed, taken]) queue.delete(pod!.uid)
  queue.park(taken!.uid, new Set([fit]))
  queue.notify(nodeAdded)
  await clock.advance(maxUnschedulableMs)
  expect(queue.pop()).toBeUndefined()
  expect(queue.counts).toEqual({ active: 0, backoff: 0, unschedulable: 0 })
})
