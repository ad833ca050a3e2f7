import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseProtobuf } from '#core/endpoints/protobuf-codec.ts'
import { startTestServer, type TestServer } from '#core/testing/test-server.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'
const protobuf = 'application/vnd.kubernetes.protobuf'
let server: TestServer

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
})
afterAll(() => server[Symbol.asyncDispose]())

/** The whole of a watch that the server ends, and its type. */
async function watch(query: string): Promise<{ type: string; body: Buffer }> {
  const session = server.session()
  const stream = session.request({ ':path': `${configMaps}?watch=1&${query}`, accept: protobuf })
  const { promise, resolve } = Promise.withResolvers<string>()
  stream.on('response', (head) => resolve(String(head['content-type'])))
  const body = Buffer.concat(await stream.toArray())
  session.close()
  return { type: await promise, body }
}

test('a watch from a past that is forgotten is told so in a frame of its kind', async () => {
  const made = await server.request('POST', configMaps, { metadata: { name: 'large' }, data: { a: '' } })
  const { resourceVersion } = made.json<{ metadata: { resourceVersion: string } }>().metadata
  // More than the changes that are kept at hand.
  for (let at = 0; at < 20; at++) {
    const body = { metadata: { name: 'large' }, data: { a: String.fromCharCode(97 + at).repeat(1_000_000) } }
    expect((await server.request('PUT', `${configMaps}/large`, body)).status).toBe(200)
  }
  const { type, body } = await watch(`resourceVersion=${resourceVersion}`)
  expect(type).toBe(`${protobuf};stream=watch`)
  expect(body.readUInt32BE()).toBe(body.length - 4)
  expect(body.subarray(4, 11).toString('latin1')).toBe('\n\x05ERROR')
  expect(parseProtobuf(body.subarray(body.indexOf('k8s\0')))).toMatchObject({
    kind: 'Status',
    reason: 'Expired',
    code: 410,
  })
})
