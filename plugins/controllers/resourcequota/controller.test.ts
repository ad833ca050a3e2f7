import {
  configmaps,
  type Pod,
  pods,
  type ResourceQuotaSpec,
  resourcequotas,
} from '@keelson/apis/core/v1/zz_generated.types.ts'
import { ApiError } from '@keelson/client'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { createFakeClock, settle } from '@keelson/kit/testing/fake-clock.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runResourceQuotas } from './controller.ts'

const namespace = 'shop'
const quota = (spec: ResourceQuotaSpec, used?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace },
  spec,
  ...(used && { status: { hard: spec.hard, used } }),
})
const config = (name: string, of = namespace) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: of },
})
const pod = (name: string, cpu: string, more: Partial<Pod> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: 'main', resources: { requests: { cpu } } }] },
  ...more,
})

const conflict = new ApiError({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  reason: 'Conflict',
  code: 409,
})

function setUp() {
  const clock = createFakeClock()
  const client = createFakeClient({ clock, resources: [configmaps, pods, resourcequotas] })
  const status = () => client.stored(resourcequotas)[0]?.status
  /** What admission does before an object is stored. */
  const charge = (used: Record<string, string>) =>
    client
      .resource(resourcequotas)
      .in(namespace)
      .updateStatus({ ...client.stored(resourcequotas)[0]!, status: { ...status(), used } })
  /** Lets what is due within `ms` happen. */
  const pass = async (ms: number) => {
    await settle()
    await clock.advance(ms)
    await settle()
  }
  const start = () => startComponent((host) => runResourceQuotas(client, host, clock))
  return { clock, client, status, charge, pass, start }
}

test('a quota is given the usage of its namespace', async () => {
  const { client, status, start } = setUp()
  client.seed(configmaps, config('a'), config('b'), config('a', 'other'))
  client.seed(pods, pod('a', '100m'), pod('b', '1'), pod('c', '5', { status: { phase: 'Failed' } }))
  const hard = { configmaps: '5', pods: '3', cpu: '2', 'count/pods': '9', 'count/nothing.acme': '1' }
  client.seed(resourcequotas, quota({ hard }))
  await using component = start()
  await component.ready
  const want = { configmaps: '2', pods: '2', cpu: '1100m', 'count/pods': '3' }
  expect(await client.waitFor(() => status()?.used && status())).toEqual({ hard, used: want })
})

test('other limits are shown as soon as they are set', async () => {
  const { client, status, start } = setUp()
  client.seed(resourcequotas, quota({ hard: { pods: '1' } }))
  await using component = start()
  await component.ready
  await client.waitFor(() => status()?.hard?.pods === '1')
  const hard = { configmaps: '2' }
  await client
    .resource(resourcequotas)
    .in(namespace)
    .update({ ...client.stored(resourcequotas)[0]!, spec: { hard } })
  await client.waitFor(() => status()?.hard?.configmaps === '2')
  expect(status()).toEqual({ hard, used: { configmaps: '0' } })
})

test('what is deleted or has ended is given back, what was charged for another stays', async () => {
  const { client, status, charge, pass, start } = setUp()
  client.seed(pods, pod('a', '1'), pod('b', '1'))
  client.seed(resourcequotas, quota({ hard: { pods: '9', 'count/pods': '9' } }))
  await using component = start()
  await component.ready
  await client.waitFor(() => status()?.used?.pods === '2')
  await charge({ pods: '3', 'count/pods': '3' })
  await client.resource(pods).in(namespace).delete('a')
  await pass(50)
  expect(status()?.used).toEqual({ pods: '2', 'count/pods': '2' })
  await client
    .resource(pods)
    .in(namespace)
    .updateStatus(pod('b', '1', { status: { phase: 'Succeeded' } }))
  await pass(50)
  expect(status()?.used).toEqual({ pods: '1', 'count/pods': '2' })
})

test('what was charged for nothing is given back after a while', async () => {
  const { client, status, charge, pass, start } = setUp()
  client.seed(configmaps, config('a'))
  client.seed(resourcequotas, quota({ hard: { configmaps: '5' } }))
  await using component = start()
  await component.ready
  await client.waitFor(() => status()?.used?.configmaps === '1')
  await charge({ configmaps: '2' })
  await pass(9_000)
  expect(status()?.used).toEqual({ configmaps: '2' })
  await pass(2_000)
  expect(status()?.used).toEqual({ configmaps: '1' })
})

test('an object that has not been heard of is looked for before its charge is given back', async () => {
  const { client, status, charge, pass, start } = setUp()
  client.seed(resourcequotas, quota({ hard: { configmaps: '5' } }))
  await using component = start()
  await component.ready
  await client.waitFor(() => status()?.used?.configmaps === '0')
  await charge({ configmaps: '2' })
  await settle()
  client.pauseWatches()
  await client.resource(configmaps).in(namespace).create(config('a'))
  await pass(11_000)
  expect(status()?.used).toEqual({ configmaps: '1' })
})

test('a start believes what was charged, since it may be for what is on its way', async () => {
  const { client, status, pass, start } = setUp()
  client.seed(configmaps, config('a'))
  client.seed(resourcequotas, quota({ hard: { configmaps: '5' } }, { configmaps: '4' }))
  await using component = start()
  await component.ready
  await pass(5_000)
  expect(status()?.used).toEqual({ configmaps: '4' })
  await pass(6_000)
  expect(status()?.used).toEqual({ configmaps: '1' })
})

test('a pod that should be gone by now stops to count', async () => {
  const { clock, client, status, pass, start } = setUp()
  const deletionTimestamp = new Date(clock.now() + 15_000).toISOString()
  const metadata = { name: 'a', namespace, deletionTimestamp, deletionGracePeriodSeconds: 15 }
  client.seed(pods, pod('a', '1', { metadata }))
  client.seed(resourcequotas, quota({ hard: { pods: '5' } }))
  await using component = start()
  await component.ready
  await client.waitFor(() => status()?.used?.pods === '1')
  await pass(29_000)
  expect(status()?.used).toEqual({ pods: '1' })
  await pass(2_000)
  expect(status()?.used).toEqual({ pods: '0' })
})

test('a write that somebody was faster than is made again, and takes off once what departed', async () => {
  const { client, status, charge, pass, start } = setUp()
  client.seed(configmaps, config('a'), config('b'), config('c'))
  client.seed(resourcequotas, quota({ hard: { configmaps: '9' } }))
  await using component = start()
  await component.ready
  await client.waitFor(() => status()?.used?.configmaps === '3')
  await charge({ configmaps: '4' })
  await settle()
  const refused: string[] = []
  const allow = client.intercept(({ subresource }) => {
    if (subresource !== 'status') return
    refused.push(subresource)
    throw conflict
  })
  await client.resource(configmaps).in(namespace).delete('a')
  await pass(25)
  expect(refused).not.toEqual([])
  allow()
  await pass(1_000)
  expect(status()?.used).toEqual({ configmaps: '3' })
})
