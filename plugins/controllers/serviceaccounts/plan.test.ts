import type { ConfigMap, Namespace, ServiceAccount } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { planNamespace } from './plan.ts'

const namespace = (phase: 'Active' | 'Terminating'): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop' },
  status: { phase },
})
const account: ServiceAccount = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
const configMap = (ca: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {},
  data: { 'ca.crt': ca },
})

const cases = [
  {
    name: 'new',
    phase: 'Active',
    account: undefined,
    configMap: undefined,
    want: ['createAccount', 'createConfigMap'],
  },
  { name: 'complete', phase: 'Active', account, configMap: configMap('CA'), want: [] },
  { name: 'with an old authority', phase: 'Active', account, configMap: configMap('old'), want: ['updateConfigMap'] },
  { name: 'being deleted', phase: 'Terminating', account: undefined, configMap: undefined, want: [] },
] as const
test.each(cases)('a namespace that is $name', ({ phase, account, configMap, want }) => {
  expect(Object.keys(planNamespace(namespace(phase), account, configMap, 'CA'))).toEqual(want)
})
