/** Kills a server in the middle of writes that want the same values: afterwards who has a value has it, and the others are free. */
import { expect, test } from 'vitest'
import { startTestServer, type TestObject, type TestServer } from '#core/testing/test-server.ts'
import { definition, group } from './testing.ts'

const widgets = `/apis/${group}/v1/namespaces/default/widgets`
const hosts = Array.from({ length: 24 }, (_, at) => `h-${at}`)
const writers = 16

const body = (name: string, host: string) => ({
  apiVersion: `${group}/v1`,
  kind: 'Widget',
  metadata: { name },
  spec: { host },
})

/** Creates and deletes objects, whose hosts others want as well, until the server is gone. */
async function writeUntilGone(server: TestServer, writer: number, onWrite: () => void): Promise<void> {
  for (let at = 0; ; at++) {
    const name = `w-${writer}`
    const made = await server
      .request('POST', widgets, body(name, hosts[(writer * 7 + at) % hosts.length]!))
      .catch(() => undefined)
    if (!made) return
    expect([201, 409, 422]).toContain(made.status)
    onWrite()
    const removed = await server.request('DELETE', `${widgets}/${name}`).catch(() => undefined)
    if (!removed) return
    expect([200, 404]).toContain(removed.status)
  }
}

test('a server that is killed leaves every unique value with one object or with none', async () => {
  await using server = await startTestServer(['--log-level', 'error'])
  const schema = { host: { type: 'string', 'x-keelson-unique': 'namespace' } } as const
  const made = await server.request(
    'POST',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    definition(schema),
  )
  expect(made.status).toBe(201)
  for (let round = 0; round < 3; round++) {
    const enough = Promise.withResolvers<void>()
    let count = 0
    const onWrite = () => void (++count === 100 && enough.resolve())
    const writing = Array.from({ length: writers }, (_, writer) => writeUntilGone(server, writer, onWrite))
    await enough.promise
    await server.kill9()
    await Promise.all(writing)
    await server.restart()
    const { items } = (await server.request('GET', widgets)).json<{
      items: (TestObject & { spec: { host: string } })[]
    }>()
    const taken = items.map(({ spec }) => spec.host)
    expect(new Set(taken).size).toBe(taken.length)
    for (const host of hosts) {
      const probe = await server.request('POST', widgets, body('probe', host))
      expect(probe.status).toBe(taken.includes(host) ? 422 : 201)
      if (probe.status === 201) await server.request('DELETE', `${widgets}/probe`)
    }
  }
})
