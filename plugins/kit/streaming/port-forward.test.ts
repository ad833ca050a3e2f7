import { randomBytes } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { kubectls, startKubectlServer, startPortForward } from './kubectl.fixture.ts'
import { handlePortForward } from './port-forward.ts'

/** A TCP server that answers what it is sent, upper-cased, once the client has finished. */
async function startEcho(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Dials loopback; port 1 refuses. */
const dial = (port: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    if (port === 1) throw new Error('connection refused')
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => resolve(socket))
    socket.once('error', reject)
  })

const pod = { name: 'web-0', uid: '1-2-3' }
const serve = () => startKubectlServer((upgrade) => handlePortForward(upgrade, dial, { pod }))

const protocols = [
  { protocol: 'SPDY', environment: { KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' } },
  { protocol: 'WebSockets', environment: { KUBECTL_PORT_FORWARD_WEBSOCKETS: 'true' } },
]
const neighbours = kubectls.flatMap((path) => protocols.map((one) => ({ path, ...one })))

test.each(neighbours)('$path forwards over $protocol, several connections at once', async ({ path, environment }) => {
  await using echo = await startEcho()
  await using server = await serve()
  await using forward = await startPortForward(path, server, echo.port, environment)
  const payloads = [randomBytes(500_000), randomBytes(10), randomBytes(200_000)]
  await Promise.all(
    payloads.map(async (payload) => {
      const socket = connect({ port: forward.localPort, host: '127.0.0.1', allowHalfOpen: true })
      socket.end(payload)
      expect((await buffer(socket)).equals(payload)).toBe(true)
    }),
  )
})

test.each(neighbours)('$path over $protocol says why a port cannot be reached', async ({ path, environment }) => {
  await using server = await serve()
  await using forward = await startPortForward(path, server, 1, environment)
  const socket = connect(forward.localPort, '127.0.0.1')
  await text(socket)
  expect(await forward.exited).toContain('error forwarding port 1 to pod web-0, uid 1-2-3: connection refused')
})

test('the older WebSocket form names its ports in the request', async () => {
  await using echo = await startEcho()
  await using server = await serve()
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/pf?ports=${echo.port}&ports=1`, 'v4.channel.k8s.io')
  const messages: Buffer[] = []
  const done = Promise.withResolvers<void>()
  socket.on('message', (data: Buffer) => {
    messages.push(data)
    if (data[0] === 0 && data.includes('ping')) done.resolve()
  })
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(Buffer.from('\x00ping'))
  await done.promise
  const little = (port: number) => [port & 0xff, port >> 8]
  const of = (channel: number) => messages.filter((one) => one[0] === channel).map((one) => one.subarray(1))
  expect([...of(0)[0]!]).toEqual(little(echo.port))
  expect([...of(1)[0]!]).toEqual(little(echo.port))
  expect([...of(2)[0]!]).toEqual(little(1))
  expect(Buffer.concat(of(3).slice(1)).toString()).toContain('error forwarding port 1 to pod web-0')
  socket.close()
  await new Promise((resolve) => socket.once('close', resolve))
})

test.each(['ports=http', 'ports=0', 'ports=65536', ''])('the query %j is refused', async (query) => {
  await using server = await serve()
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/pf?${query}`, 'v4.channel.k8s.io')
  const error = await new Promise<Error>((resolve) => socket.once('error', resolve))
  expect(error.message).toContain('400')
})
