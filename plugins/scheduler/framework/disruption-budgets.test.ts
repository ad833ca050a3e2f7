import { expect, test } from 'vitest'
import { makePodInfo } from '../testing/objects.ts'
import { budgetOf, overdrawing } from './disruption-budgets.ts'

const web = { app: 'web' }
const budget = (disruptionsAllowed: number, disruptedPods: Record<string, string> = {}) =>
  budgetOf({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { matchLabels: web } },
    status: { disruptionsAllowed, disruptedPods },
  })

const [first, second] = ['first', 'second'].map((name) => makePodInfo({ name, labels: web }))
const others = [
  makePodInfo({ name: 'third', labels: { app: 'db' } }),
  makePodInfo({ name: 'fourth', labels: web, namespace: 'other' }),
]
const pods = [first!, second!, ...others]

test.each([
  { name: 'nothing is left', budgets: [budget(0)], want: ['first', 'second'] },
  { name: 'one is left', budgets: [budget(1)], want: ['second'] },
  { name: 'the strictest of two counts', budgets: [budget(2), budget(1)], want: ['second'] },
  { name: 'one is counted already', budgets: [budget(0, { first: '2026-01-01T00:00:00Z' })], want: ['second'] },
  { name: 'there is none', budgets: [], want: [] },
])('budgets are overdrawn when $name', ({ budgets, want }) => {
  expect([...overdrawing(pods, budgets)].map((pod) => pod.name)).toEqual(want)
})
