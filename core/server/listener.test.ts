import { execFile } from 'node:child_process'
import { once } from 'node:events'
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { text } from 'node:stream/consumers'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { newNotFound } from '#core/errors/status-error.ts'
import type { Exchange, ReplyStream } from './exchange.ts'
import { type Listener, type ListenOptions, listen } from './listener.ts'
import { newTestAuthority, testServing } from './pki/test-authority.ts'

const authority = newTestAuthority()
const serving = testServing(authority)
const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function start(onExchange: ListenOptions['onExchange'], more: Partial<ListenOptions> = {}): Promise<Listener> {
  const listener = await listen({ host: '127.0.0.1', port: 0, tls: serving, onExchange, ...more })
  closers.push(() => listener.close({ graceMs: 0 }))
  return listener
}

const echo = async (exchange: Exchange) => {
  const body = await exchange.body(1000)
  const { method, target, path } = exchange
  exchange.send(
    200,
    'application/json',
    JSON.stringify({ method, target, path, query: [...exchange.query], body: body.toString() }),
  )
}

function connectH2(listener: Listener, options: http2.SecureClientSessionOptions = {}): ClientHttp2Session {
  const session = http2.connect(`https://localhost:${listener.address.port}`, { ca: serving.ca, ...options })
  session.on('error', () => undefined)
  closers.push(() => session.destroy())
  return session
}

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: string
}

async function askH2(session: ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: string): Promise<Answer> {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const [answer] = await once(stream, 'response')
  return { status: answer[':status'], headers: answer, body: await text(stream) }
}

async function askH1(listener: Listener, options: https.RequestOptions, body?: string): Promise<Answer> {
  const request = https.request({
    host: '127.0.0.1',
    port: listener.address.port,
    ca: serving.ca,
    agent: false,
    ...options,
  })
  request.end(body)
  const [response] = await once(request, 'response')
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

const protocols = ['h1', 'h2'] as const

async function ask(
  protocol: (typeof protocols)[number],
  listener: Listener,
  method: string,
  path: string,
  body?: string,
) {
  return protocol === 'h1'
    ? askH1(listener, { method, path }, body)
    : askH2(connectH2(listener), { ':method': method, ':path': path }, body)
}

async function rawSocket(listener: Listener, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const socket = tls.connect({ host: '127.0.0.1', port: listener.address.port, ca: serving.ca, ...options })
  socket.on('error', () => undefined)
  closers.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

test.each(protocols)('%s carries method, target, query and body', async (protocol) => {
  const listener = await start(echo)
  const answer = await ask(protocol, listener, 'POST', '/api/v1/a%2Fb?x=1&x=2', 'hello')
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).toEqual({
    method: 'POST',
    target: '/api/v1/a%2Fb?x=1&x=2',
    path: '/api/v1/a%2Fb',
    query: [
      ['x', '1'],
      ['x', '2'],
    ],
    body: 'hello',
  })
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'content-length': String(answer.body.length),
    'cache-control': 'no-cache, private',
    date: expect.any(String),
  })
})

test.each(protocols)('%s repeats warnings and replaces other headers', async (protocol) => {
  const listener = await start((exchange) => {
    exchange.setHeader('retry-after', '1')
    exchange.setHeader('warning', '299 - "a"')
    exchange.setHeader('warning', '299 - "b"')
    exchange.setHeader('retry-after', '2')
    expect(() => exchange.setHeader('x-bad', 'a\r\nb: c')).toThrow()
    exchange.send(200, 'text/plain', 'ok')
  })
  const { headers } = await ask(protocol, listener, 'GET', '/')
  expect(headers).toMatchObject({ 'retry-after': '2', warning: '299 - "a", 299 - "b"' })
})

test.each(protocols)('%s answers HEAD and 204 without a body', async (protocol) => {
  const listener = await start((exchange) => exchange.send(exchange.path === '/none' ? 204 : 200, 'text/plain', 'four'))
  const head = await ask(protocol, listener, 'HEAD', '/')
  expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '4' } })
  expect(await ask(protocol, listener, 'GET', '/none')).toMatchObject({ status: 204, body: '' })
})

test.each(protocols)('%s answers 413 to a body past the limit, declared or not', async (protocol) => {
  const listener = await start(echo)
  const answer = await ask(protocol, listener, 'POST', '/', 'x'.repeat(200_000))
  expect(answer.status).toBe(413)
  expect(JSON.parse(answer.body)).toMatchObject({
    reason: 'RequestEntityTooLarge',
    message: 'Request entity too large: limit is 1000',
  })
  const declared =
    protocol === 'h1'
      ? await askH1(listener, { method: 'POST', headers: { 'content-length': '2000' } }, 'y'.repeat(2000))
      : await askH2(connectH2(listener), { ':method': 'POST', 'content-length': '2000' }, 'y'.repeat(2000))
  expect(declared.status).toBe(413)
})

test.each(protocols)('%s answers what the handler throws', async (protocol) => {
  const listener = await start((exchange) => {
    if (exchange.path === '/status') throw newNotFound({ group: 'apps', resource: 'deployments' }, 'web')
    return Promise.reject(new Error('no luck'))
  })
  const known = await ask(protocol, listener, 'GET', '/status')
  expect(known.status).toBe(404)
  expect(JSON.parse(known.body).message).toBe('deployments.apps "web" not found')
  const unknown = await ask(protocol, listener, 'GET', '/other')
  expect(unknown.status).toBe(500)
  expect(JSON.parse(unknown.body).reason).toBe('InternalError')
})

test.each(protocols)('%s aborts the signal and fails the body when the client goes', async (protocol) => {
  const seen = Promise.withResolvers<Exchange>()
  const failed = Promise.withResolvers<unknown>()
  const listener = await start(async (exchange) => {
    seen.resolve(exchange)
    await exchange.body(1e6).catch(failed.resolve)
  })
  const aborted = seen.promise.then((exchange) => once(exchange.signal, 'abort').then(() => exchange))
  if (protocol === 'h2') {
    const stream = connectH2(listener).request({ ':method': 'POST', ':path': '/', 'content-length': '10' })
    stream.on('error', () => undefined)
    stream.write('part')
    await seen.promise
    stream.close(http2.constants.NGHTTP2_CANCEL)
  } else {
    const socket = await rawSocket(listener)
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\npart')
    await seen.promise
    socket.destroy()
  }
  const exchange = await aborted
  expect(await failed.promise).toMatchObject({ status: { reason: 'BadRequest' } })
  const ended = Promise.withResolvers<void>()
  exchange.onEnd(ended.resolve)
  await ended.promise
  exchange.send(200, 'text/plain', 'into the void')
})

test.each(protocols)('%s streams pieces, counts them and ends', async (protocol) => {
  const totals = Promise.withResolvers<unknown>()
  const listener = await start(async (exchange) => {
    exchange.onEnd(() => totals.resolve(exchange.sent))
    const reply = exchange.stream(200, 'application/json')
    for (let i = 0; i < 40; i++) {
      if (!reply.write(Buffer.alloc(50_000, 97 + (i % 26)))) await reply.drained()
    }
    expect(reply.closed).toBe(false)
    reply.end(Buffer.from('!'))
    expect(reply.closed).toBe(true)
  })
  const { body, headers } = await ask(protocol, listener, 'GET', '/')
  expect(body.length).toBe(2_000_001)
  expect(headers['content-length']).toBeUndefined()
  expect(await totals.promise).toEqual({ status: 200, bytes: 2_000_001 })
})

test.each(protocols)('%s reports backpressure, and lets go when the client does', async (protocol) => {
  const opened = Promise.withResolvers<ReplyStream>()
  const listener = await start((exchange) => opened.resolve(exchange.stream(200, 'application/json')))
  const socket = await rawSocket(listener, { ALPNProtocols: protocol === 'h2' ? ['h2'] : ['http/1.1'] })
  if (protocol === 'h1') {
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  } else {
    const session = http2.connect('https://localhost', { createConnection: () => socket })
    session.on('error', () => undefined)
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => undefined)
    stream.pause()
  }
  const reply = await opened.promise
  while (reply.write(Buffer.alloc(100_000)));
  // The kernel takes some megabytes before it pushes back.
  for (let i = 0; i < 300; i++) reply.write(Buffer.alloc(100_000))
  expect(reply.bufferedBytes).toBeGreaterThan(1_000_000)
  const closed = Promise.withResolvers<void>()
  reply.onClose(closed.resolve)
  socket.destroy()
  await Promise.all([closed.promise, reply.drained()])
  expect(reply.closed).toBe(true)
  reply.end(Buffer.from('late'))
})

test('a connection pipelines requests and keeps answers in order', async () => {
  const waiting: Exchange[] = []
  const listener = await start((exchange) => {
    waiting.push(exchange)
    if (waiting.length === 3) for (const one of waiting.reverse()) one.send(200, 'text/plain', one.path)
  })
  const socket = await rawSocket(listener)
  const get = (path: string, close = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${close}\r\n`
  socket.write(get('/1') + get('/2') + get('/3', 'connection: close\r\n'))
  const bodies = (await text(socket)).match(/\/[123]$|\/[123](?=HTTP)/g)
  expect(bodies).toEqual(['/1', '/2', '/3'])
})

test('Expect: 100-continue is answered only when the body is read', async () => {
  const listener = await start(async (exchange) => {
    if (exchange.path === '/refuse') exchange.send(401, 'text/plain', 'no')
    else await echo(exchange)
  })
  const head = (path: string) => `PUT ${path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n`
  const refused = await rawSocket(listener)
  refused.write(head('/refuse'))
  expect(await text(refused)).toMatch(/^HTTP\/1.1 401 /)
  const welcome = await rawSocket(listener)
  welcome.write(head('/'))
  const [first] = await once(welcome, 'data')
  expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  welcome.write('body')
  const [second] = await once(welcome, 'data')
  expect(String(second)).toMatch(/^HTTP\/1.1 200 /)
})

const malformed = [
  { name: 'noise', bytes: '\0\x01\x02\x03nonsense\r\n\r\n', want: 400 },
  {
    name: 'two lengths',
    bytes: 'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    want: 400,
  },
  {
    name: 'length and chunks (request smuggling)',
    bytes: 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    want: 400,
  },
  { name: 'no host', bytes: 'GET / HTTP/1.1\r\n\r\n', want: 400 },
  {
    name: 'a head that is too large',
    bytes: `GET / HTTP/1.1\r\nhost: x\r\na: ${'b'.repeat(70_000)}\r\n\r\n`,
    want: 431,
  },
  { name: 'a target that is no path', bytes: 'OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', want: 400 },
  {
    name: 'a bad chunk size',
    bytes: 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    want: 400,
  },
]

test.each(malformed)('HTTP/1.1 with $name is answered $want', async ({ bytes, want }) => {
  const listener = await start(echo)
  const socket = await rawSocket(listener)
  socket.write(bytes, 'latin1')
  expect(await text(socket)).toMatch(new RegExp(`^HTTP/1.1 ${want} `))
  expect((await askH1(listener, { path: '/' })).status).toBe(200)
})

test('HTTP/2 noise ends its own connection only', async () => {
  const listener = await start(echo)
  const socket = await rawSocket(listener, { ALPNProtocols: ['h2'] })
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame, and it goes on for a while'.repeat(10))
  await once(socket.resume(), 'close')
  const plain = await rawSocket(listener, { ALPNProtocols: ['h2'] })
  plain.write('GET / HTTP/1.1\r\n\r\n')
  await once(plain.resume(), 'close')
  expect((await ask('h2', listener, 'GET', '/')).status).toBe(200)
})

test('what is not TLS is dropped, and a handshake that never ends does not hold up the shutdown', async () => {
  const listener = await start(echo)
  const plain = net.connect(listener.address.port, '127.0.0.1')
  plain.on('error', () => undefined)
  plain.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(plain.resume(), 'close')
  const silent = net.connect(listener.address.port, '127.0.0.1')
  silent.on('error', () => undefined)
  const gone = once(silent.resume(), 'close')
  expect((await ask('h1', listener, 'GET', '/')).status).toBe(200)
  await Promise.all([listener.close({ graceMs: 20_000 }), gone])
})

test('a slow head is cut off, a long watch is not', async () => {
  const listener = await start((exchange) => void exchange.stream(200, 'application/json').write(Buffer.from('{}')), {
    limits: { headersTimeoutMs: 60, requestTimeoutMs: 80, idleTimeoutMs: 50 },
  })
  const watcher = await rawSocket(listener)
  let watcherClosed = false
  watcher.on('close', () => {
    watcherClosed = true
  })
  watcher.write('GET /watch HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(watcher, 'data')
  const quietWatch = connectH2(listener).request({ ':path': '/watch' })
  await once(quietWatch, 'data')
  const idle = once(connectH2(listener), 'close')
  const slow = await rawSocket(listener)
  slow.write('GET / HTTP/1.1\r\nhost:')
  expect(await text(slow)).toMatch(/^HTTP\/1.1 408 /)
  await idle
  expect(watcherClosed).toBe(false)
  expect(quietWatch.closed).toBe(false)
})

test('an HTTP/2 connection is idle once its watch has ended', async () => {
  const opened = Promise.withResolvers<ReplyStream>()
  const listener = await start((exchange) => opened.resolve(exchange.stream(200, 'application/json')), {
    limits: { idleTimeoutMs: 30 },
  })
  const session = connectH2(listener)
  const closed = once(session, 'close')
  const other = once(connectH2(listener), 'close')
  session.request({ ':path': '/watch' }).resume()
  const reply = await opened.promise
  await other
  expect(session.closed).toBe(false)
  reply.end()
  await closed
})

test.each(protocols)('%s answers HEAD of a streamed answer, and lets cache-control be replaced', async (protocol) => {
  const listener = await start((exchange) => {
    exchange.setHeader('cache-control', 'public')
    const reply = exchange.stream(200, 'application/json')
    expect(reply.closed).toBe(true)
    reply.write(Buffer.from('not for HEAD'))
    reply.end()
  })
  const head = await ask(protocol, listener, 'HEAD', '/')
  expect(head).toMatchObject({ status: 200, body: '', headers: { 'cache-control': 'public' } })
})

test('HTTP/2 is told to continue only when the body is read', async () => {
  const listener = await start(echo)
  const session = connectH2(listener)
  const post = (length: number) =>
    session.request({ ':method': 'POST', ':path': '/', expect: '100-continue', 'content-length': length })
  const stream = post(4)
  await once(stream, 'continue')
  stream.end('body')
  const [answer] = await once(stream, 'response')
  expect(answer[':status']).toBe(200)
  const refused = post(2000)
  let continued = false
  refused.on('continue', () => {
    continued = true
  })
  const [refusal] = await once(refused, 'response')
  expect([refusal[':status'], continued]).toEqual([413, false])
})

test('an upgrade hands over the connection, and may be refused', async () => {
  const listener = await start(echo, {
    onUpgrade(upgrade) {
      if (upgrade.path === '/no') return upgrade.refuse(403, 'application/json', '{}')
      expect([upgrade.header('upgrade'), upgrade.query.get('stdin')]).toEqual(['SPDY/3.1', '1'])
      upgrade.socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      upgrade.socket.end(`got ${upgrade.head}`)
    },
  })
  const request = (path: string, protocol = 'SPDY/3.1') =>
    `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`
  const accepted = await rawSocket(listener)
  accepted.write(`${request('/exec?stdin=1')}early`)
  expect(await text(accepted)).toBe('HTTP/1.1 101 Switching Protocols\r\n\r\ngot early')
  const refused = await rawSocket(listener)
  refused.write(request('/no'))
  expect(await text(refused)).toMatch(/^HTTP\/1.1 403 Forbidden\r\n/)
  const other = await rawSocket(listener)
  other.write(request('/plain', 'h2c'))
  const [data] = await once(other, 'data')
  expect(String(data)).toMatch(/^HTTP\/1.1 200 /)
})

test('a thousand watches share one HTTP/2 connection', async () => {
  const replies: ReplyStream[] = []
  const all = Promise.withResolvers<void>()
  const listener = await start((exchange) => {
    if (replies.push(exchange.stream(200, 'application/json')) === 1000) all.resolve()
  })
  const session = connectH2(listener)
  await once(session, 'remoteSettings')
  const streams: ClientHttp2Stream[] = []
  for (let i = 0; i < 1000; i++) streams.push(session.request({ ':path': `/watch/${i}` }))
  await all.promise
  const received = Promise.all(streams.map((stream) => once(stream, 'data')))
  for (const reply of replies) reply.write(Buffer.from('event'))
  expect(String((await received).at(-1)?.[0])).toBe('event')
  expect(listener.connections()).toEqual({ h1: 0, h2: 1, upgraded: 0 })
})

test.each(protocols)('%s shuts down: watches end cleanly, requests in flight finish', async (protocol) => {
  const slow = Promise.withResolvers<Exchange>()
  const watching = Promise.withResolvers<void>()
  const listener = await start((exchange) => {
    if (exchange.path === '/slow') return slow.resolve(exchange)
    const reply = exchange.stream(200, 'application/json')
    reply.write(Buffer.from('event\n'))
    reply.endOnShutdown()
    watching.resolve()
  })
  const idle = await rawSocket(listener)
  const answers = Promise.all([ask(protocol, listener, 'GET', '/watch'), ask(protocol, listener, 'GET', '/slow')])
  const [pending] = await Promise.all([slow.promise, watching.promise])
  const closed = listener.close({ graceMs: 20_000 })
  pending.send(200, 'text/plain', 'done')
  const [watch, short] = await answers
  expect([watch.body, short.body]).toEqual(['event\n', 'done'])
  await closed
  expect(listener.connections()).toEqual({ h1: 0, h2: 0, upgraded: 0 })
  if (!idle.closed) await once(idle, 'close')
})

test('shutting down destroys what outlives the grace', async () => {
  const started = Promise.withResolvers<void>()
  const listener = await start((exchange) => {
    exchange.stream(200, 'application/json')
    started.resolve()
  })
  const stream = connectH2(listener).request({ ':path': '/' })
  stream.on('error', () => undefined)
  await started.promise
  await Promise.all([once(stream, 'close'), listener.close({ graceMs: 0 })])
})

test('a renewed certificate serves new connections', async () => {
  const listener = await start(echo)
  const next = testServing(authority)
  listener.renew(next)
  const socket = await rawSocket(listener)
  expect(socket.getPeerX509Certificate()?.toString()).toBe(next.cert)
})

test('curl gets the same over both protocols', async ({ skip }) => {
  const run = promisify(execFile)
  const version = await run('curl', ['--version']).catch(() => undefined)
  if (!version) return skip('curl is not installed')
  const listener = await start(echo)
  const url = `https://127.0.0.1:${listener.address.port}/version`
  for (const flag of ['--http1.1', '--http2']) {
    const { stdout } = await run('curl', ['-sk', flag, '-d', 'data', url])
    expect(JSON.parse(stdout)).toMatchObject({ method: 'POST', path: '/version', body: 'data' })
  }
})
