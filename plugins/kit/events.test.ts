import { events } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { expect, test } from 'vitest'
import { createEventRecorder } from './events.ts'
import { createFakeClient } from './testing/fake-client.ts'
import { createFakeClock, settle } from './testing/fake-clock.ts'
import { createMemoryLog } from './testing/fake-host.ts'

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'shop', uid: 'u1' } }
const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'u2' } }

function setUp(limit = 10) {
  const clock = createFakeClock()
  const client = createFakeClient({ clock })
  const log = createMemoryLog()
  return { clock, client, log, recorder: createEventRecorder(client, 'test', { clock, log, limit }) }
}

test('an event goes to the namespace of its object, or to default', async () => {
  const { client, recorder } = setUp()
  recorder.event(pod, 'Normal', 'Created', 'made it')
  recorder.event(node, 'Warning', 'Lost', 'cannot find it')
  await client.waitFor(() => client.stored(events).length === 2)
  expect(client.stored(events, 'shop')[0]).toMatchObject({
    involvedObject: { kind: 'Pod', name: 'web-0', uid: 'u1' },
    type: 'Normal',
    reason: 'Created',
    message: 'made it',
    count: 1,
    source: { component: 'test' },
  })
  expect(client.stored(events, 'default')[0]!.metadata.name).toMatch(/^n1\./)
})

test('repeats within a minute are counted, later ones are new', async () => {
  const { client, clock, recorder } = setUp()
  for (let times = 0; times < 3; times++) recorder.event(pod, 'Normal', 'Created', 'made it')
  recorder.event(pod, 'Normal', 'Created', 'made another')
  await settle()
  expect(client.stored(events).map((event) => event.count)).toEqual([3, 1])
  await clock.advance(60_001)
  recorder.event(pod, 'Normal', 'Created', 'made it')
  await settle()
  expect(client.stored(events)).toHaveLength(3)
})

test('a repeat of an event that is gone is recorded anew with its count', async () => {
  const { client, recorder } = setUp()
  recorder.event(pod, 'Normal', 'Created', 'made it')
  await settle()
  await client.resource(events).in('shop').deleteCollection()
  recorder.event(pod, 'Normal', 'Created', 'made it')
  await settle()
  expect(client.stored(events).map((event) => event.count)).toEqual([2])
})

test('what does not fit into the queue is dropped and failures are swallowed', async () => {
  const { client, recorder, log } = setUp(2)
  client.intercept(() => {
    throw new Error('down')
  })
  for (let at = 0; at < 5; at++) recorder.event(pod, 'Normal', 'Created', `made ${at}`)
  await settle()
  expect(log.lines.filter((line) => line.level === 'warn')).not.toHaveLength(0)
  expect(log.lines.at(-1)!.message).toBe('event not recorded')
})
