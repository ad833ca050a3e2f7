import type { ConfigMap, Namespace } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { type Plan, planTeam } from './plan.ts'

const namespace = (metadata: Partial<Namespace['metadata']> = {}): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', labels: { 'example.com/team': 'blue' }, ...metadata },
})

const configMap = (team: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'team', namespace: 'shop' },
  data: { team },
})

interface Case {
  name: string
  namespace: Namespace | undefined
  standing?: ConfigMap
  want: Plan
}

test.each<Case>([
  { name: 'creates what is missing', namespace: namespace(), want: { create: configMap('blue') } },
  { name: 'leaves what is right', namespace: namespace(), standing: configMap('blue'), want: undefined },
  {
    name: 'corrects another team',
    namespace: namespace(),
    standing: configMap('red'),
    want: { update: configMap('blue') },
  },
  {
    name: 'removes it with the label',
    namespace: namespace({ labels: {} }),
    standing: configMap('blue'),
    want: { remove: true },
  },
  { name: 'does nothing without a label', namespace: namespace({ labels: undefined }), want: undefined },
  {
    name: 'gives nothing to a namespace on its way out',
    namespace: namespace({ deletionTimestamp: '2026-01-01T00:00:00Z' }),
    want: undefined,
  },
  { name: 'forgets a namespace that is gone', namespace: undefined, standing: configMap('blue'), want: undefined },
])('planTeam $name', ({ namespace, standing, want }) => expect(planTeam(namespace, standing)).toEqual(want))
