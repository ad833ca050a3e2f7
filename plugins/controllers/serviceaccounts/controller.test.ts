import { configmaps, namespaces, serviceaccounts } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { createFakeClient } from '@keelson/kit/testing/fake-client.ts'
import { startComponent } from '@keelson/kit/testing/fake-host.ts'
import { expect, test } from 'vitest'
import { runServiceAccounts } from './controller.ts'

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

test('every namespace is given its account and authority, and given them again', async () => {
  const client = createFakeClient()
  client.seed(namespaces, namespace('old'))
  await using component = startComponent((host) => runServiceAccounts(client, host))
  await component.ready
  client.seed(namespaces, namespace('new'))
  await client.waitFor(() => client.stored(serviceaccounts).length === 2 && client.stored(configmaps).length === 2)
  expect(client.stored(configmaps, 'new')[0]!.data).toEqual({ 'ca.crt': 'CA' })

  await client.resource(serviceaccounts).in('old').delete('default')
  const foreign = { type: 'merge', body: { data: { 'ca.crt': 'other' } } } as const
  await client.resource(configmaps).in('old').patch('kube-root-ca.crt', foreign)
  await client.waitFor(() => client.stored(serviceaccounts).length === 2)
  await client.waitFor(() => client.stored(configmaps, 'old')[0]?.data?.['ca.crt'] === 'CA')
})
