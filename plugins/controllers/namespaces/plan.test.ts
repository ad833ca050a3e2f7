import type { ServedResource } from '@keelson/client'
import { expect, test } from 'vitest'
import { finalized, isEmpty, isEnding, planStages, planStatus } from './plan.ts'

const served = (resource: string, more: Partial<ServedResource> = {}): ServedResource => ({
  group: '',
  version: 'v1',
  resource,
  kind: resource,
  namespaced: true,
  verbs: ['list', 'delete'],
  subresources: [],
  isPreferred: true,
  ...more,
})

test('pods are deleted first; what cannot be deleted, is elsewhere or twice is left out', () => {
  const resources = [
    served('configmaps'),
    served('pods'),
    served('nodes', { namespaced: false }),
    served('tokenreviews', { verbs: ['create'] }),
    served('horizontalpodautoscalers', { isPreferred: false }),
    served('events', { group: 'events.k8s.io' }),
  ]
  const stages = planStages({ resources, failed: [] }).map((stage) => stage.map((one) => one.resource))
  expect(stages).toEqual([['pods'], ['configmaps']])
})

const namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', deletionTimestamp: 'now' },
  spec: { finalizers: ['acme.dev/x', 'kubernetes'] },
}
const clean = { undiscovered: [], failures: [], remaining: [] }
const left = [{ resource: served('pods'), count: 2, finalizers: new Map() }]

const cases = [
  { name: 'nothing', findings: clean, want: {} },
  {
    name: 'a group that is down',
    findings: { ...clean, undiscovered: ['acme.dev/v1'] },
    want: { NamespaceDeletionDiscoveryFailure: 'DiscoveryFailed' },
  },
  {
    name: 'a failed deletion',
    findings: { ...clean, failures: ['pods: no'] },
    want: { NamespaceDeletionContentFailure: 'ContentDeletionFailed' },
  },
  {
    name: 'content',
    findings: { ...clean, remaining: left },
    want: { NamespaceContentRemaining: 'SomeResourcesRemain' },
  },
]
test.each(cases)('what keeps the namespace is told by conditions: $name', ({ findings, want }) => {
  const { phase, conditions } = planStatus(namespace, findings, 'now')
  const holding = conditions!.filter((one) => one.status === 'True').map((one) => [one.type, one.reason])
  expect(Object.fromEntries(holding)).toEqual(want)
  expect(conditions).toHaveLength(5)
  expect(phase).toBe('Terminating')
  expect(isEmpty(findings)).toBe(Object.keys(want).length === 0)
})

test('only our finalizer is removed, and only it makes a namespace ours', () => {
  const after = finalized(namespace)
  expect(after.spec!.finalizers).toEqual(['acme.dev/x'])
  expect([isEnding(namespace), isEnding(after)]).toEqual([true, false])
})
