import { expect, test } from 'vitest'
import type { Pod } from '../../core/v1/zz_generated.types.ts'
import { needsBudget, planEviction } from './eviction.ts'
import type { PodDisruptionBudget } from './zz_generated.types.ts'

const now = '2030-01-01T00:00:00Z'
const pod = (phase: string, isReady = true): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-0' },
  spec: { containers: [] },
  status: { phase: phase as 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
})
const budget = (status: object, spec: object = {}): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', generation: 1 },
  spec,
  status: {
    observedGeneration: 1,
    currentHealthy: 1,
    desiredHealthy: 1,
    disruptionsAllowed: 0,
    expectedPods: 1,
    ...status,
  },
})

test.each([
  { name: 'runs', phase: 'Running', want: true },
  { name: 'waits', phase: 'Pending', want: false },
  { name: 'has ended', phase: 'Succeeded', want: false },
  { name: 'has failed', phase: 'Failed', want: false },
])('needs a budget for a pod that $name: $want', ({ phase, want }) => expect(needsBudget(pod(phase))).toBe(want))

test.each<[string, PodDisruptionBudget, Pod, object]>([
  [
    'spends what is left',
    budget({ disruptionsAllowed: 2, disruptedPods: { a: now } }),
    pod('Running'),
    { action: 'spend', status: { disruptionsAllowed: 1, disruptedPods: { a: now, 'web-0': now } } },
  ],
  [
    'has nothing left',
    budget({ desiredHealthy: 2 }),
    pod('Running'),
    { action: 'later', why: 'The disruption budget web needs 2 healthy pods and has 1 currently' },
  ],
  [
    'has not been looked at yet',
    budget({ observedGeneration: 0, disruptionsAllowed: 1 }),
    pod('Running'),
    { action: 'later', retryAfterSeconds: 10 },
  ],
  ['is broken', budget({ disruptionsAllowed: -1 }), pod('Running'), { action: 'never' }],
  [
    'waits for the controller',
    budget({
      disruptionsAllowed: 1,
      disruptedPods: Object.fromEntries(Array.from({ length: 2_001 }, (_, n) => [n, now])),
    }),
    pod('Running'),
    { action: 'never' },
  ],
  ['spares an unhealthy pod where enough are healthy', budget({}), pod('Running', false), { action: 'spare' }],
  [
    'keeps an unhealthy pod where too few are healthy',
    budget({ desiredHealthy: 2 }),
    pod('Running', false),
    { action: 'later' },
  ],
  [
    'spares any unhealthy pod when told so',
    budget({ desiredHealthy: 2 }, { unhealthyPodEvictionPolicy: 'AlwaysAllow' }),
    pod('Running', false),
    { action: 'spare' },
  ],
])('a budget %s', (_, subject, whose, want) => expect(planEviction(subject, whose, now)).toMatchObject(want))
