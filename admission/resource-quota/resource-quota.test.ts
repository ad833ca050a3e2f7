import { expect, test } from 'vitest'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { isForbidden } from '#core/errors/status-error.ts'
import { FakeReader, requestOf } from '../testing/request.ts'
import { type QuotaWriter, resourceQuota } from './resource-quota.ts'

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }
const ofSecrets = { kind: 'Secret', resource: 'secrets', object: secret }
const quota = (hard: string, used: string) => ({
  metadata: { name: 'q', namespace: 'default' },
  spec: { hard: { secrets: hard, pods: hard } },
  status: { hard: { secrets: hard, pods: hard }, used: { secrets: used, pods: used } },
})

/** @returns what was charged */
async function validate(request: Partial<AdmissionRequest>, ...quotas: ReturnType<typeof quota>[]) {
  const reader = new FakeReader()
  for (const one of quotas) reader.add('resourcequotas', one)
  const charged: unknown[] = []
  const writer: QuotaWriter = {
    updateStatus: async (_namespace, name, change) => {
      const [latest] = reader.list<Parameters<typeof change>[0]>('', 'resourcequotas')
      charged.push([name, change(latest!)?.used])
    },
  }
  await resourceQuota(reader, writer).validate!(requestOf(request))
  return charged
}

test('a create is charged to the quotas of its namespace', async () => {
  expect(await validate(ofSecrets, quota('5', '2'))).toEqual([['q', { pods: '2', secrets: '3' }]])
})

test.each([
  { name: 'a create', request: ofSecrets },
  { name: 'a dry run', request: { ...ofSecrets, dryRun: true } },
])('$name that there is no room for is refused', async ({ request }) => {
  const error = await validate(request, quota('2', '2')).catch((reason: unknown) => reason)
  expect(isForbidden(error)).toBe(true)
  expect(String(error)).toContain(
    'secrets "s" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=2, limited: secrets=2',
  )
})

test.each<{ name: string; request: Partial<AdmissionRequest> }>([
  { name: 'a dry run', request: { ...ofSecrets, dryRun: true } },
  { name: 'a write in another namespace', request: { ...ofSecrets, namespace: 'other' } },
  { name: 'a write in no namespace', request: { ...ofSecrets, namespace: '' } },
  { name: 'an update of what only counts', request: { ...ofSecrets, operation: 'UPDATE', oldObject: secret } },
  { name: 'a status', request: { ...ofSecrets, operation: 'UPDATE', subresource: 'status' } },
  { name: 'a deletion', request: { ...ofSecrets, operation: 'DELETE', object: undefined, oldObject: secret } },
  { name: 'an event', request: { resource: 'events', kind: 'Event', object: secret } },
  { name: 'what no quota limits', request: { resource: 'configmaps', kind: 'ConfigMap', object: secret } },
])('$name is charged nothing', async ({ request }) => {
  expect(await validate(request, quota('5', '0'))).toEqual([])
})

test('where there is no quota the step is over at once', () => {
  const writer: QuotaWriter = { updateStatus: () => Promise.reject(new Error('nothing to write')) }
  expect(resourceQuota(new FakeReader(), writer).validate!(requestOf(ofSecrets))).toBeUndefined()
})
