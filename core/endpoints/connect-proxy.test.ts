import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, request as httpsRequest } from 'node:https'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import tls, { type TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { listen } from '#core/server/listener.ts'
import { newTestAuthority, testServing } from '#core/server/pki/test-authority.ts'
import { type ProxyTarget, proxyRequest, proxyUpgrade } from './connect-proxy.ts'

const authority = newTestAuthority()
const serving = testServing(authority)
const client = authority.issue({ subject: { commonName: 'the-api-server' }, usage: 'client' })
const credentials = { cert: client.certPem, key: client.keyPem }
const log = { debug() {}, info() {}, warn() {}, error() {} }
const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void
type OnRequest = (request: IncomingMessage, response: ServerResponse) => void

/** A stand-in for a kubelet: TLS that asks for a client certificate. */
async function startKubelet(handlers: { onUpgrade?: OnUpgrade; onRequest?: OnRequest }): Promise<ProxyTarget> {
  const server = createServer({ ...serving, requestCert: true, rejectUnauthorized: false })
  if (handlers.onRequest) server.on('request', handlers.onRequest)
  if (handlers.onUpgrade) server.on('upgrade', handlers.onUpgrade)
  const sockets = new Set<Duplex>()
  server.on('secureConnection', (socket) => sockets.add(socket.on('error', () => {})))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    path: '/exec/x?command=ls',
    tls: credentials,
  }
}

/** The API server, which proxies every request to `target`. */
async function startProxy(target: ProxyTarget, errorsAsStatus = false) {
  const settled: Promise<void>[] = []
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    tls: serving,
    onExchange: (exchange) => proxyRequest(exchange, target, log, { errorsAsStatus }),
    onUpgrade: (upgrade) => {
      settled.push(proxyUpgrade(upgrade, target, log))
    },
  })
  closers.push(() => listener.close({ graceMs: 0 }))
  return { port: listener.address.port, settled }
}

async function connectTo(port: number): Promise<TLSSocket> {
  const socket = tls.connect({ port, host: '127.0.0.1', ca: serving.ca, ALPNProtocols: ['http/1.1'] })
  closers.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

const upgradeRequest = (...headers: string[]) =>
  ['POST /api/v1/x HTTP/1.1', 'Host: api', 'Connection: Upgrade', 'Upgrade: SPDY/3.1', ...headers, '', ''].join('\r\n')

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n'

const echo: OnUpgrade = (_request, socket, head) => {
  socket.write(switching)
  socket.write(head)
  socket.pipe(socket)
}

test('bytes pass both ways behind the 101, those sent too early included', async () => {
  const { port, settled } = await startProxy(await startKubelet({ onUpgrade: echo }))
  const socket = await connectTo(port)
  const payload = randomBytes(3_000_000)
  socket.write(Buffer.concat([Buffer.from(upgradeRequest()), Buffer.from('early')]))
  socket.write(payload)
  const want = Buffer.concat([Buffer.from(`${switching}early`), payload])
  const answer: Buffer[] = []
  await new Promise<void>((resolve) => {
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      answer.push(chunk)
      bytes += chunk.length
      if (bytes >= want.length) resolve()
    })
  })
  expect(Buffer.concat(answer).equals(want)).toBe(true)
  socket.end()
  await Promise.all(settled)
})

test('the target sees who this server is, and nothing of who the client is', async () => {
  const seen = Promise.withResolvers<IncomingMessage>()
  const onUpgrade: OnUpgrade = (request, socket) => {
    seen.resolve(request)
    socket.end(switching)
  }
  const { port } = await startProxy(await startKubelet({ onUpgrade }))
  const socket = await connectTo(port)
  socket.write(
    upgradeRequest(
      'Authorization: Bearer secret',
      'Impersonate-User: someone',
      'X-Remote-User: someone',
      'Sec-WebSocket-Protocol: v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0',
      'X-Stream-Protocol-Version: v4.channel.k8s.io',
      'X-Stream-Protocol-Version: v3.channel.k8s.io',
    ),
  )
  const request = await seen.promise
  expect((request.socket as TLSSocket).getPeerCertificate().subject.CN).toBe('the-api-server')
  expect(request.method).toBe('POST')
  expect(request.url).toBe('/exec/x?command=ls')
  expect(request.rawHeaders.join()).not.toMatch(/secret|someone|c2VjcmV0/)
  expect(request.headers).toMatchObject({
    upgrade: 'SPDY/3.1',
    'sec-websocket-protocol': 'v4.channel.k8s.io',
    'x-stream-protocol-version': 'v4.channel.k8s.io, v3.channel.k8s.io',
  })
  await text(socket)
})

test('bytes sent early never become a request of their own', async () => {
  const requests: string[] = []
  const onRequest: OnRequest = (request, response) => {
    requests.push(request.url!)
    response.writeHead(404).end('container not found ("main")')
  }
  const onUpgrade: OnUpgrade = (request, socket) => {
    requests.push(request.url!)
    socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 28\r\n\r\ncontainer not found ("main")')
    socket.on('data', (chunk) => requests.push(chunk.toString()))
  }
  const { port, settled } = await startProxy(await startKubelet({ onRequest, onUpgrade }))
  const socket = await connectTo(port)
  socket.write(`${upgradeRequest()}POST /run HTTP/1.1\r\nHost: api\r\nContent-Length: 0\r\n\r\n`)
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1.1 404 /)
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
    kind: 'Status',
    reason: 'NotFound',
    message: 'unable to upgrade connection: container not found ("main")',
    code: 404,
  })
  await Promise.all(settled)
  expect(requests).toEqual(['/exec/x?command=ls'])
})

const refusals = [
  {
    name: 'with a length',
    raw: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno',
    want: 'upgrade connection: no',
  },
  {
    name: 'in chunks',
    raw: 'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
    want: ': no"',
  },
  { name: 'to the end of the connection', raw: 'HTTP/1.1 403 Forbidden\r\n\r\nnever', want: ': never"' },
  {
    name: 'in JSON, as it is',
    raw: 'HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}',
    want: '\r\n\r\n{"a":1}',
  },
]

test.each(refusals)('a refusal $name is passed on', async ({ raw, want }) => {
  const { port } = await startProxy(await startKubelet({ onUpgrade: (_request, socket) => void socket.end(raw) }))
  const socket = await connectTo(port)
  socket.write(upgradeRequest())
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1.1 403 /)
  expect(answer).toContain(want)
})

test('a target that cannot be reached is a Status', async () => {
  const { port } = await startProxy({ host: '127.0.0.1', port: 1, path: '/', tls: credentials })
  const socket = await connectTo(port)
  socket.write(upgradeRequest())
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1.1 500 /)
  expect(answer).toContain('error dialing backend: connect ECONNREFUSED')
})

const authorities = [
  { name: 'its own authority', ca: serving.ca, want: 101 },
  { name: 'another authority', ca: newTestAuthority('other').caPem, want: 500 },
  { name: 'no authority', ca: undefined, want: 101 },
]

test.each(authorities)('a target is verified against $name', async ({ ca, want }) => {
  const kubelet = await startKubelet({ onUpgrade: (_request, socket) => void socket.end(switching) })
  const { port } = await startProxy({ ...kubelet, tls: { ...credentials, ...(ca && { ca }) } })
  const socket = await connectTo(port)
  socket.write(upgradeRequest())
  expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${want} `))
})

test.each(['before', 'after'])(
  'a client that leaves %s the 101 takes the connection to the target with it',
  async (when) => {
    const upgraded = Promise.withResolvers<Duplex>()
    const onUpgrade: OnUpgrade = (_request, socket) => {
      if (when === 'after') socket.write(switching)
      upgraded.resolve(socket)
    }
    const { port, settled } = await startProxy(await startKubelet({ onUpgrade }))
    const socket = await connectTo(port)
    socket.write(upgradeRequest())
    const far = await upgraded.promise
    far.resume()
    const ended = once(far, 'close')
    if (when === 'after') await once(socket, 'data')
    socket.destroy()
    await ended
    await Promise.all(settled)
  },
)

test('a target that answers nonsense or nothing is a Status', async () => {
  for (const answer of ['nonsense\r\n\r\n', '']) {
    const server = createTcp(
      (socket) =>
        void socket
          .on('error', () => {})
          .resume()
          .end(answer),
    )
    await once(server.listen(0, '127.0.0.1'), 'listening')
    closers.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = await startProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, path: '/' })
    const socket = await connectTo(port)
    socket.write(upgradeRequest())
    expect(await text(socket)).toMatch(/^HTTP\/1.1 502 .*error dialing backend/s)
  }
})

/** A plain request through the proxy. */
async function ask(port: number, path: string, method = 'GET', headers = {}, body = ''): Promise<IncomingMessage> {
  const request = httpsRequest({ port, host: '127.0.0.1', ca: serving.ca, path, method, headers, agent: false })
  request.end(body)
  const [answer] = await once(request, 'response')
  return answer
}

test('a plain request goes along with its body, and its answer comes back with headers', async () => {
  const onRequest: OnRequest = async (request, response) => {
    response.setHeader(
      'X-Seen',
      `${request.method} ${request.url} ${request.headers['x-custom']} ${request.headers.authorization}`,
    )
    response.setHeader('Content-Type', 'text/html')
    response.writeHead(201)
    response.end(`got ${await text(request)}`)
  }
  const { port } = await startProxy(await startKubelet({ onRequest }))
  const answer = await ask(port, '/x', 'PUT', { 'x-custom': 'yes', authorization: 'Bearer t' }, 'data')
  expect(answer.statusCode).toBe(201)
  expect(answer.headers).toMatchObject({
    'content-type': 'text/html',
    'x-seen': 'PUT /exec/x?command=ls yes undefined',
  })
  expect(await text(answer)).toBe('got data')
})

test('an answer is passed on as it comes, and ends with the client', async () => {
  const closed = Promise.withResolvers<void>()
  const onRequest: OnRequest = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.write('first line\n')
    response.on('close', closed.resolve)
  }
  const { port } = await startProxy(await startKubelet({ onRequest }))
  const answer = await ask(port, '/log?follow=true')
  const [first] = await once(answer, 'data')
  expect(first.toString()).toBe('first line\n')
  answer.destroy()
  await closed.promise
})

test.each([true, false])('errors of the target, as Status: %s', async (errorsAsStatus) => {
  const onRequest: OnRequest = (_request, response) => void response.writeHead(400).end('no such container')
  const { port } = await startProxy(await startKubelet({ onRequest }), errorsAsStatus)
  const answer = await ask(port, '/log')
  expect(answer.statusCode).toBe(400)
  const body = await text(answer)
  if (errorsAsStatus) expect(JSON.parse(body)).toMatchObject({ reason: 'BadRequest', message: 'no such container' })
  else expect(body).toBe('no such container')
})

test('plain HTTP targets are reached without TLS', async () => {
  const server = createHttp((_request, response) => void response.end('plain'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closers.push(() => new Promise((resolve) => server.close(resolve)))
  const { port } = await startProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, path: '/' })
  expect(await text(await ask(port, '/'))).toBe('plain')
})

test('a path that would end the request line early is refused', async () => {
  const { port } = await startProxy({ host: '127.0.0.1', port: 1, path: '/ HTTP/1.1\r\nX: y' })
  const answer = await ask(port, '/')
  expect(answer.statusCode).toBe(400)
})
