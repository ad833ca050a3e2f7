import { leases } from '@keelson/apis/coordination/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { runWithLeaderElection } from './leader-election.ts'
import { createFakeClient } from './testing/fake-client.ts'
import { createFakeClock, settle } from './testing/fake-clock.ts'

function setUp() {
  const clock = createFakeClock()
  const client = createFakeClient({ clock })
  const leading = new Set<string>()
  function compete(identity: string, lead?: () => Promise<void>) {
    const stopping = new AbortController()
    const run = runWithLeaderElection({
      client,
      clock,
      name: 'test',
      identity,
      signal: stopping.signal,
      random: () => 0,
      async lead(signal) {
        if (lead) return lead()
        leading.add(identity)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        leading.delete(identity)
      },
    })
    return { run, stop: () => stopping.abort() }
  }
  const holder = () => client.stored(leases)[0]?.spec
  return { clock, client, leading, compete, holder }
}

test('one leads at a time, and the other takes over at once when it stops', async () => {
  const { clock, leading, compete, holder } = setUp()
  const a = compete('a')
  await settle()
  const b = compete('b')
  await clock.advance(60_000)
  expect([...leading]).toEqual(['a'])
  expect(holder()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0, leaseDurationSeconds: 15 })
  a.stop()
  await a.run
  expect(holder()?.holderIdentity).toBe('')
  await clock.advance(2_000)
  expect([...leading]).toEqual(['b'])
  expect(holder()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
  b.stop()
  await b.run
})

test('a leader that cannot renew steps down before another takes over', async () => {
  const { clock, client, leading, compete } = setUp()
  const a = compete('a')
  await settle()
  client.intercept((call) => {
    const spec = (call.body as { spec?: { holderIdentity?: string } } | undefined)?.spec
    if (call.verb === 'update' && spec?.holderIdentity !== 'b') throw new Error('cut off')
  })
  const b = compete('b')
  await clock.advance(9_000)
  expect([...leading]).toEqual(['a'])
  await clock.advance(3_000)
  expect([...leading]).toEqual([])
  await clock.advance(6_000)
  expect([...leading]).toEqual(['b'])
  b.stop()
  a.stop()
  await clock.advance(2_000)
  await Promise.all([a.run, b.run])
})

test.each([
  { name: 'throws', lead: async () => Promise.reject(new Error('broken')), want: 'broken' },
  { name: 'returns early', lead: async () => {}, want: 'ended early' },
])('a lead that $name ends the run and gives the lease back', async ({ lead, want }) => {
  const { compete, holder } = setUp()
  await expect(compete('a', lead).run).rejects.toThrow(want)
  expect(holder()?.holderIdentity).toBe('')
})
