import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { startTestServer, type TestObject } from '#core/testing/test-server.ts'

test('events go when their time has come, and nothing else does', async () => {
  await using server = await startTestServer(['--log-level', 'error', '--event-ttl', '1s'])
  const namespace = '/api/v1/namespaces/default'
  const event = { metadata: { name: 'short' }, involvedObject: { namespace: 'default' } }
  const made = await server.request('POST', `${namespace}/events`, event)
  expect((await server.request('POST', `${namespace}/configmaps`, { metadata: { name: 'kept' } })).status).toBe(201)
  const version = made.json().metadata.resourceVersion
  const session = server.session()
  const stream = session.request({ ':path': `${namespace}/events?watch=1&resourceVersion=${version}` })
  const seen: string[] = []
  for await (const line of createInterface({ input: stream })) {
    const { type, object } = JSON.parse(line) as { type: string; object: TestObject }
    if (object.metadata.name !== 'short') continue
    seen.push(type)
    break
  }
  session.destroy()
  expect(seen).toEqual(['DELETED'])
  expect((await server.request('GET', `${namespace}/events/short`)).status).toBe(404)
  expect((await server.request('GET', `${namespace}/configmaps/kept`)).status).toBe(200)
})
