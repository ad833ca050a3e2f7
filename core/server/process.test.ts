import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runKeelson, startTestServer } from '#core/testing/test-server.ts'

const scratch = await mkdtemp(join(tmpdir(), 'keelson-process-'))
afterAll(() => rm(scratch, { recursive: true, force: true }))

const configMaps = '/api/v1/namespaces/default/configmaps'

test('SIGTERM ends a server with open watches cleanly: they end as streams do, and the exit status is 0', async () => {
  await using server = await startTestServer()
  const session = server.session()
  const h2 = Array.from({ length: 20 }, () => session.request({ ':path': `${configMaps}?watch=1` }))
  const answered = Promise.all(h2.map((stream) => once(stream, 'response')))
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = await server.socket()
      socket.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n`)
      await once(socket, 'data')
      return socket
    }),
  )
  await answered
  const ended = h2.map((stream) => once(stream.resume(), 'end'))
  expect(await server.stop()).toBe(0)
  await Promise.all(ended)
  session.destroy()
  expect(server.stderr()).not.toMatch(/"level":"error"/)
})

test('a port that is taken is one clear line and exit status 1', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const { status, stderr } = await runKeelson(['server', '--data-dir', join(scratch, 'port'), '--port', String(port)])
  taken.close()
  expect(status).toBe(1)
  expect(stderr).toBe(
    `keelson: port ${port} of 127.0.0.1 is taken: end what listens there, or choose another with --port\n`,
  )
})

test('a second server on the same data is refused in one clear line, and the first goes on', async () => {
  await using server = await startTestServer()
  const { status, stderr } = await runKeelson(['server', '--data-dir', server.directory, '--port', '0'])
  expect(status).toBe(1)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(stderr).toContain(String(server.pid))
  expect((await server.request('POST', configMaps, { metadata: { name: 'after' } })).status).toBe(201)
})

test('a data directory that cannot be is one clear line and exit status 1', async () => {
  const file = join(scratch, 'file')
  await writeFile(file, '')
  const { status, stderr } = await runKeelson(['server', '--data-dir', join(file, 'data'), '--port', '0'])
  expect(status).toBe(1)
  expect(stderr).toMatch(/^keelson: .*ENOTDIR.*\n$/)
  expect(stderr).toContain(file)
})

test('a server that was killed starts again on the same data and the same certificates', async () => {
  await using server = await startTestServer()
  const { tls } = server
  await server.request('POST', configMaps, { metadata: { name: 'kept' } })
  await server.kill9()
  await server.restart()
  expect(server.tls.ca).toBe(tls.ca)
  expect((await server.request('GET', `${configMaps}/kept`)).status).toBe(200)
})
