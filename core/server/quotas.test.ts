import { expect, test } from 'vitest'
import { raceForRoom } from '#core/testing/quota-race.ts'
import { startTestServer } from '#core/testing/test-server.ts'

test('however many come at once and go again, a namespace never has more than its quota', async () => {
  await using server = await startTestServer(['--log-level', 'error'])
  const room = 5
  const { most, answers, refusals, madeUntilFull } = await raceForRoom([server], { room, clients: 20, objects: 5 })
  expect(most).toBeLessThanOrEqual(room)
  expect([...answers.keys()].sort()).toEqual([201, 403])
  expect([...refusals]).toEqual(['exceeded quota: q, requested: secrets=N, used: secrets=N, limited: secrets=N'])
  expect(madeUntilFull).toBe(room)
})

test('a create of what is there already uses nothing', async () => {
  await using server = await startTestServer(['--log-level', 'error'])
  const path = '/api/v1/namespaces/default/secrets'
  const quotas = '/api/v1/namespaces/default/resourcequotas'
  const hard = { secrets: '5' }
  await server.request('POST', quotas, { metadata: { name: 'q' }, spec: { hard } })
  // As the controller writes it, which may not have come to it yet.
  const status = { hard, used: { secrets: '0' } }
  const merge = { 'content-type': 'application/merge-patch+json' }
  await server.request('PATCH', `${quotas}/q/status`, { status }, merge)
  const creates = [1, 2, 3].map(() => server.request('POST', path, { metadata: { name: 'a' } }))
  expect((await Promise.all(creates)).map((answer) => answer.status).sort()).toEqual([201, 409, 409])
  const quota = (await server.request('GET', `${quotas}/q`)).json<{ status: unknown }>()
  expect(quota.status).toEqual({ hard, used: { secrets: '1' } })
})
