import { endpoints, type Pod, pods, services } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { endpointslices } from '@keelson/apis/discovery/v1/zz_generated.types.ts'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { settle } from '@keelson/kit/testing/fake-clock.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runEndpointSlices } from './controller.ts'

const service = (name: string, app: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { selector: { app }, ports: [{ port: 80 }] },
})
const pod = (name: string, app: string, podIP: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app, tier: 'front' } },
  spec: { containers: [] },
  status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: [{ type: 'Ready', status: 'True' }] },
})

test('endpoints follow pods, labels and the Service', async () => {
  const client = createFakeClient()
  client.seed(services, service('web', 'web'), service('db', 'db'))
  client.seed(pods, pod('a', 'web', '10.0.0.1'))
  const addresses = (name: string) =>
    client
      .stored(endpointslices)
      .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === name)
      .flatMap((slice) => slice.endpoints ?? [])
      .flatMap((endpoint) => endpoint.addresses)
      .sort()
      .join(' ')
  await using component = startComponent((host) => runEndpointSlices(client, host))
  await component.ready
  await client.waitFor(() => addresses('web') === '10.0.0.1')
  client.seed(pods, pod('b', 'web', '10.0.0.2'), pod('c', 'web', '10.0.0.3'))
  await client.waitFor(() => addresses('web') === '10.0.0.1 10.0.0.2 10.0.0.3')
  await client
    .resource(pods)
    .in('shop')
    .patch('a', { type: 'merge', body: { metadata: { labels: { app: 'db' } } } })
  await client.waitFor(() => addresses('web') === '10.0.0.2 10.0.0.3' && addresses('db') === '10.0.0.1')
  await client.resource(pods).in('shop').delete('b')
  await client.waitFor(() => addresses('web') === '10.0.0.3')
  await settle()
  expect(client.stored(endpointslices)).toHaveLength(2)
  const legacy = client.stored(endpoints).find((one) => one.metadata.name === 'web')!
  expect(legacy.subsets).toMatchObject([{ addresses: [{ ip: '10.0.0.3' }], ports: [{ port: 80, protocol: 'TCP' }] }])
  await client.resource(services).in('shop').delete('web')
  await client.waitFor(() => client.stored(endpoints).length === 1)
})

test("Endpoints that are nobody else's are made good, those without a Service left alone", async () => {
  const client = createFakeClient()
  client.seed(services, service('web', 'web'))
  client.seed(endpoints, { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'lonely', namespace: 'shop' } })
  await using component = startComponent((host) => runEndpointSlices(client, host))
  await component.ready
  await client.waitFor(() => client.stored(endpoints).length === 2)
  await client.resource(endpoints).in('shop').delete('web')
  await client.waitFor(() => client.stored(endpoints).length === 2)
  const change = { type: 'merge', body: { metadata: { labels: { a: 'b' } } } } as const
  await client.resource(endpoints).in('shop').patch('lonely', change)
  await settle()
  expect(client.stored(endpoints).map((one) => one.metadata.name)).toContain('lonely')
})

test('Services without a selector are left alone', async () => {
  const client = createFakeClient()
  const external = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db', namespace: 'shop' }, spec: {} }
  client.seed(services, external, service('web', 'web'))
  client.seed(endpoints, { apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'db', namespace: 'shop' } })
  await using component = startComponent((host) => runEndpointSlices(client, host))
  await component.ready
  await client.waitFor(() => client.stored(endpoints).length === 2)
  await settle()
  expect(client.writes.filter((call) => call.name === 'db')).toEqual([])
})
