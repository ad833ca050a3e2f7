import { expect, test } from 'vitest'
import { readAmounts, writeAmounts } from '#apis/core/v1/amounts.ts'
import { type Countable, evaluatorOf } from '#apis/core/v1/quota/evaluator.ts'
import type { ResourceQuota } from '#apis/core/v1/zz_generated.types.ts'
import { assess, type Demand, isRefusal } from './assess.ts'

const pod = (cpu: string | undefined, more: object = {}): Countable => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'main', ...(cpu && { resources: { requests: { cpu } } }) }], ...more },
})

const quota = (hard: Record<string, string>, used?: Record<string, string>, scopes?: string[]): ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q' },
  spec: { hard, scopes: scopes as never },
  status: { hard, used },
})

function demandFor(resource: string, object: Countable, old?: Countable): Demand {
  const evaluator = evaluatorOf({ group: '', resource })!
  const usage = evaluator.usage(object, 0)
  return { evaluator, object, usage, ...(old && { old: { object: old, usage: evaluator.usage(old, 0) } }) }
}

const cases: { name: string; quota: ResourceQuota; demand: Demand; want: string | object | undefined }[] = [
  {
    name: 'fits is charged to what is limited',
    quota: quota({ pods: '2', cpu: '1' }, { pods: '1', cpu: '500m' }),
    demand: demandFor('pods', pod('500m')),
    want: { pods: '1', cpu: '500m' },
  },
  {
    name: 'is too much is refused with what is exceeded',
    quota: quota({ pods: '1', 'requests.cpu': '1', cpu: '2' }, { pods: '1', 'requests.cpu': '700m', cpu: '700m' }),
    demand: demandFor('pods', pod('500m')),
    want: 'exceeded quota: q, requested: pods=1,requests.cpu=500m, used: pods=1,requests.cpu=700m, limited: pods=1,requests.cpu=1',
  },
  {
    name: 'says not enough is refused',
    quota: quota({ cpu: '1' }, { cpu: '0' }),
    demand: demandFor('pods', pod(undefined)),
    want: 'failed quota: q: must specify cpu for: main',
  },
  {
    name: 'comes before anything is counted is refused',
    quota: quota({ pods: '1', secrets: '1' }, {}),
    demand: demandFor('pods', pod(undefined)),
    want: 'status unknown for quota: q, resources: pods',
  },
  {
    name: 'is of another kind is no concern of it',
    quota: quota({ secrets: '1' }, {}),
    demand: demandFor('pods', pod(undefined)),
    want: undefined,
  },
  {
    name: 'is outside of its scopes is no concern of it',
    quota: quota({ pods: '0' }, { pods: '0' }, ['Terminating']),
    demand: demandFor('pods', pod(undefined)),
    want: undefined,
  },
  {
    name: 'grows is charged by how much it grows',
    quota: quota({ pods: '1', cpu: '1' }, { pods: '1', cpu: '500m' }),
    demand: demandFor('pods', pod('800m'), pod('500m')),
    want: { cpu: '300m' },
  },
  {
    name: 'shrinks is charged nothing, even where too much is used',
    quota: quota({ pods: '0', cpu: '1' }, { pods: '1', cpu: '2' }),
    demand: demandFor('pods', pod('100m'), pod('500m')),
    want: undefined,
  },
  {
    name: 'comes into its scopes is charged whole',
    quota: quota({ pods: '1' }, { pods: '0' }, ['NotBestEffort']),
    demand: demandFor('pods', pod('1'), pod(undefined)),
    want: { pods: '1' },
  },
]

test.each(cases)('what $name', ({ quota: of, demand, want }) => {
  const verdict = assess(of, demand, readAmounts(of.status?.used))
  expect(verdict && (isRefusal(verdict) ? verdict.refusal : writeAmounts(verdict.charge))).toEqual(want)
})
