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
