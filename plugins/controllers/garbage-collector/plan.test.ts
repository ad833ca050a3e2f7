import { expect, test } from 'vitest'
import { createGraph, type Node } from './graph.ts'
import { type Action, type OwnerState, planCollection, planDeletion } from './plan.ts'

const resource = {
  group: '',
  version: 'v1',
  resource: 'pods',
  kind: 'Pod',
  namespaced: true,
  verbs: [],
  subresources: [],
  isPreferred: true,
}
const owner = (uid: string, blockOwnerDeletion = false) => ({
  apiVersion: 'v1',
  kind: 'X',
  name: uid,
  uid,
  blockOwnerDeletion,
})
const node = (uid: string, more: Partial<Node> = {}): Node => ({
  uid,
  resource,
  namespace: 'x',
  name: uid,
  owners: [],
  finalizers: [],
  isDeleting: false,
  ...more,
})
const foreground = { isDeleting: true, finalizers: ['foregroundDeletion'] }

const collections: { name: string; node: Partial<Node>; states: OwnerState[]; dependents?: Node[]; want: Action }[] = [
  { name: 'held by its owner', node: { owners: [owner('a')] }, states: ['solid'], want: { do: 'nothing' } },
  {
    name: 'left behind',
    node: { owners: [owner('a')] },
    states: ['gone'],
    want: { do: 'delete', policy: 'Background', unblock: false },
  },
  {
    name: 'held by one of two owners',
    node: { owners: [owner('a'), owner('b')] },
    states: ['solid', 'gone'],
    want: { do: 'dropOwners', uids: ['b'] },
  },
  {
    name: 'held by one owner while another waits',
    node: { owners: [owner('a'), owner('b')] },
    states: ['waiting', 'solid'],
    want: { do: 'dropOwners', uids: ['a'] },
  },
  {
    name: 'waited for, without dependents',
    node: { owners: [owner('a')] },
    states: ['waiting'],
    want: { do: 'delete', policy: 'Background', unblock: false },
  },
  {
    name: 'waited for, with dependents',
    node: { owners: [owner('a')] },
    states: ['waiting'],
    dependents: [node('d')],
    want: { do: 'delete', policy: 'Foreground', unblock: false },
  },
  {
    name: 'in a circle',
    node: { owners: [owner('a')] },
    states: ['waiting'],
    dependents: [node('d', foreground)],
    want: { do: 'delete', policy: 'Foreground', unblock: true },
  },
  {
    name: 'left behind with an orphan finalizer',
    node: { owners: [owner('a')], finalizers: ['orphan'] },
    states: ['gone'],
    want: { do: 'delete', policy: 'Orphan', unblock: false },
  },
  {
    name: 'going already',
    node: { owners: [owner('a')], isDeleting: true },
    states: ['gone'],
    want: { do: 'nothing' },
  },
]
test.each(collections)('an object $name', ({ node: given, states, dependents = [], want }) => {
  expect(planCollection(node('n', given), states, dependents)).toEqual(want)
})

const blocking = node('d', { owners: [owner('n', true)] })
const loose = node('d', { owners: [owner('n')] })
const deletions: { name: string; node: Partial<Node>; dependents: Node[]; want: Action | undefined }[] = [
  { name: 'is not being deleted', node: {}, dependents: [blocking], want: undefined },
  { name: 'is deleted in the background', node: { isDeleting: true }, dependents: [blocking], want: { do: 'nothing' } },
  {
    name: 'has blocking dependents',
    node: foreground,
    dependents: [blocking],
    want: { do: 'collect', dependents: [blocking] },
  },
  { name: 'has dependents that do not block', node: foreground, dependents: [loose], want: { do: 'finishForeground' } },
  { name: 'has no dependents', node: foreground, dependents: [], want: { do: 'finishForeground' } },
  {
    name: 'orphans',
    node: { isDeleting: true, finalizers: ['orphan'] },
    dependents: [loose],
    want: { do: 'orphanDependents', dependents: [loose] },
  },
]
test.each(deletions)('an owner that $name', ({ node: given, dependents, want }) => {
  expect(planDeletion(node('n', given), dependents)).toEqual(want)
})

test('the graph follows owners that change, and keeps dependents of owners it never saw', () => {
  const graph = createGraph()
  const uids = (owner: string) => graph.dependentsOf(owner).map(({ uid }) => uid)
  graph.set(node('a', { owners: [owner('x'), owner('y')] }))
  graph.set(node('b', { owners: [owner('x')] }))
  expect([uids('x'), uids('y')]).toEqual([['a', 'b'], ['a']])
  graph.set(node('a', { owners: [owner('y')] }))
  expect([uids('x'), uids('y')]).toEqual([['b'], ['a']])
  graph.remove('b')
  expect([graph.hasDependents('x'), graph.hasDependents('y')]).toEqual([false, true])
})
