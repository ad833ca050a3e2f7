import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '#core/testing/test-server.ts'

/**
 * HTTP/1.1 and HTTP/2 as no library speaks them. One server for all: each abuse ends its own request or connection, and
 * afterwards the server is as it was.
 */
let server: TestServer

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
  for (let n = 0; n < 100; n++) await server.request('GET', '/readyz')
})

afterAll(async () => {
  expect((await server.request('GET', '/readyz')).status).toBe(200)
  expect(server.stderr()).toBe('')
  await server[Symbol.asyncDispose]()
})

/** Everything the server sends until it closes, or until `isDone` says that is enough. */
async function exchange(socket: TLSSocket, bytes: Buffer, isDone: (answer: Buffer) => boolean): Promise<Buffer> {
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece)
    if (isDone(Buffer.concat(pieces))) socket.destroy()
  })
  const closed = once(socket, 'close')
  socket.write(bytes)
  await closed
  return Buffer.concat(pieces)
}

const post = 'POST /api/v1/namespaces/default/configmaps?dryRun=All HTTP/1.1\r\nhost: x\r\n'
const json = 'content-type: application/json\r\n'
const get = 'GET /readyz HTTP/1.1\r\n'

/** The connection is closed: an answer may be lost with what the client was still sending. */
const cutOff = 0

/** In Kubernetes, Go answers these; where it gives another status for the same fault, both are listed. */
test.each<[string, string, number[]]>([
  ['no host', `${get}\r\n`, [400]],
  ['two hosts', `${get}host: a\r\nhost: b\r\n\r\n`, [400, 200]],
  ['another version of HTTP', 'GET /readyz HTTP/9.9\r\nhost: x\r\n\r\n', [400, 505]],
  ['no version of HTTP', 'GET /readyz\r\nhost: x\r\n\r\n', [400, 200]],
  ['no path', 'GET  HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
  ['a path that does not begin', 'GET readyz HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
  ['spaces in the path', 'GET /ready z HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
  ['a method that is none', 'G\u0000T /readyz HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
  ['noise', '\u0001\u0002\u0003\u0004\r\n\r\n', [400]],
  ['a header without colon', `${get}host: x\r\nheader\r\n\r\n`, [400]],
  ['a header whose name has a space', `${get}host: x\r\na b: c\r\n\r\n`, [400]],
  ['a space ahead of the colon', `${get}host: x\r\ncontent-length : 5\r\n\r\n`, [400]],
  ['a header that goes on in the next line', `${get}host: x\r\na: b\r\n c\r\n\r\n`, [400, 200]],
  ['a zero byte in a header', `${get}host: x\r\na: b\u0000c\r\n\r\n`, [400]],
  ['a bare carriage return in a header', `${get}host: x\r\na: b\rc: d\r\n\r\n`, [400]],
  ['a head of 100 KB', `${get}host: x\r\na: ${'b'.repeat(100_000)}\r\n\r\n`, [431, cutOff]],
  ['a path of 100 KB', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, [414, 431, cutOff]],
  ['a length and chunks', `${post}${json}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, [400]],
  ['two lengths', `${post}${json}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `, [400]],
  ['a length below zero', `${post}${json}content-length: -2\r\n\r\n{}`, [400]],
  ['a length with a sign', `${post}${json}content-length: +2\r\n\r\n{}`, [400]],
  ['a length in hex', `${post}${json}content-length: 0x2\r\n\r\n{}`, [400]],
  ['a length beyond all bounds', `${post}${json}content-length: 99999999999999999999999\r\n\r\n{}`, [400, 413]],
  ['a length of 4 GB', `${post}${json}content-length: 4294967296\r\n\r\n`, [413]],
  ['an encoding nobody knows', `${post}${json}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`, [400, 501]],
  ['an encoding behind chunks', `${post}${json}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, [400, 501]],
  [
    'chunks twice',
    `${post}${json}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    [400, 501],
  ],
  ['a chunk of no size', `${post}${json}transfer-encoding: chunked\r\n\r\nz\r\n{}\r\n0\r\n\r\n`, [400]],
  ['a chunk below zero', `${post}${json}transfer-encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n`, [400]],
  [
    'a chunk that is longer than it says',
    `${post}${json}transfer-encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`,
    [400],
  ],
  ['a chunk beyond all bounds', `${post}${json}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}`, [400]],
  ['an expectation nobody meets', `${get}host: x\r\nexpect: wonders\r\n\r\n`, [417]],
  ['a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n', [400, 404, 405, cutOff]],
  ['another server’s URL', 'GET http://example.com/readyz HTTP/1.1\r\nhost: x\r\n\r\n', [200]],
  ['no path but a star', 'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n', [200, 400, 404, 405]],
  ['an upgrade of a page', `${get}host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`, [200, 400, 404]],
  [
    'an upgrade to nothing known',
    `${get}host: x\r\nconnection: upgrade\r\nupgrade: __proto__\r\n\r\n`,
    [200, 400, 404],
  ],
])('HTTP/1.1 with %s is answered', async (_, request, want) => {
  const isWhole = (answer: Buffer) => answer.includes('\r\n\r\n')
  const answer = await exchange(await server.socket(), Buffer.from(request, 'latin1'), isWhole)
  expect(want).toContain(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer.toString('latin1'))?.[1] ?? cutOff))
})

test('what follows a body in one piece is a request of its own, with rights of its own', async () => {
  const hidden = 'GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'
  const request = `${post}${json}content-length: 2\r\n\r\n{}${hidden}`
  const answers = (await exchange(await server.socket(), Buffer.from(request), () => false)).toString()
  expect(answers.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 422', 'HTTP/1.1 200'])
})

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const types = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, push: 5, ping: 6, window: 8, continuation: 9 }
const endStream = 1
const endHeaders = 4
const padded = 8

function frame(type: keyof typeof types, flags: number, stream: number, payload: Buffer | number[] = []): Buffer {
  const body = Buffer.from(payload as Buffer)
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = types[type]
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** Every field in full, as HPACK allows. */
function block(...fields: [string, string][]): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value, 'latin1')
    if (bytes.length < 127) return Buffer.from([bytes.length, ...bytes])
    const rest: number[] = []
    let left = bytes.length - 127
    for (; left >= 128; left >>= 7) rest.push((left % 128) | 128)
    return Buffer.concat([Buffer.from([127, ...rest, left]), bytes])
  }
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const setting = (id: number, value: number) => Buffer.concat([Buffer.from([0, id]), uint32(value)])
const request: [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'x'],
  [':path', '/readyz'],
]
const plain = (stream: number) => frame('headers', endStream | endHeaders, stream, block(...request))
const without = (name: string) => request.filter(([field]) => field !== name)
const withFields = (...fields: [string, string][]) =>
  frame('headers', endStream | endHeaders, 1, block(...request, ...fields))
const times = (count: number, make: (n: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, n) => make(n)))

/** The types of the frames in an answer. */
function framesOf(answer: Buffer): number[] {
  const found: number[] = []
  for (let at = 0; at + 9 <= answer.length; at += 9 + answer.readUIntBE(at, 3)) found.push(answer[at + 3]!)
  return found
}

const goAway = 7
/** A stream or the connection is ended, or its request refused: either way the client hears of it. */
const isEnded = (answer: Buffer) => framesOf(answer).some((type) => type === types.reset || type === goAway)
const isAnswered = (answer: Buffer) => isEnded(answer) || framesOf(answer).includes(types.headers)

test.each<[string, Buffer]>([
  ['no path', frame('headers', endStream | endHeaders, 1, block(...without(':path')))],
  ['no method', frame('headers', endStream | endHeaders, 1, block(...without(':method')))],
  ['no scheme', frame('headers', endStream | endHeaders, 1, block(...without(':scheme')))],
  ['an empty path', frame('headers', endStream | endHeaders, 1, block(...without(':path'), [':path', '']))],
  ['two paths', withFields([':path', '/livez'])],
  ['two methods', withFields([':method', 'DELETE'])],
  ['a pseudo header nobody knows', withFields([':user', 'system:admin'])],
  ['the status of an answer', withFields([':status', '200'])],
  [
    'a pseudo header behind others',
    frame('headers', 5, 1, block(...without(':path'), ['a', 'b'], [':path', '/readyz'])),
  ],
  ['a header in capitals', withFields(['Accept', 'a'])],
  ['a header with a line break', withFields(['a', 'b\r\nc: d'])],
  ['a header with a zero byte', withFields(['a', 'b\0c'])],
  ['a header of connections', withFields(['connection', 'close'])],
  ['a transfer encoding', withFields(['transfer-encoding', 'chunked'])],
  ['a length that is not true', withFields(['content-length', '5'])],
  [
    'a head that goes on in another frame',
    Buffer.concat([frame('headers', endStream, 1, block(...request)), frame('ping', 0, 0, Buffer.alloc(8))]),
  ],
  ['a continuation of nothing', frame('continuation', endHeaders, 1, block(...request))],
  [
    'a continuation without end',
    Buffer.concat([
      frame('headers', endStream, 1, block(...request)),
      times(5_000, () => frame('continuation', 0, 1, block(['a', 'b'.repeat(100)]))),
    ]),
  ],
  [
    'empty continuations without end',
    Buffer.concat([
      frame('headers', endStream, 1, block(...request)),
      times(20_000, () => frame('continuation', 0, 1)),
    ]),
  ],
  [
    'a head of a megabyte',
    Buffer.concat([
      frame('headers', endStream, 1, block(...request)),
      times(80, (n) => frame('continuation', n === 79 ? endHeaders : 0, 1, block(['a', 'b'.repeat(13_000)]))),
    ]),
  ],
  ['an index that is none', frame('headers', endStream | endHeaders, 1, [0xff, 0xff, 0xff, 0x0f])],
  ['a table of four gigabytes', frame('headers', endStream | endHeaders, 1, [0x3f, 0xff, 0xff, 0xff, 0xff, 0x0f])],
  ['a text that is longer than its block', frame('headers', endStream | endHeaders, 1, [0x00, 0x7f, 0x80, 0x01])],
  ['a head on stream 0', frame('headers', endStream | endHeaders, 0, block(...request))],
  ['a stream that is the server’s to open', frame('headers', endStream | endHeaders, 2, block(...request))],
  ['a stream of before', Buffer.concat([plain(5), plain(3)])],
  ['data for nobody', frame('data', endStream, 0, [1])],
  ['data ahead of its head', frame('data', endStream, 1, [1])],
  ['data behind its end', Buffer.concat([plain(1), frame('data', endStream, 1, [1])])],
  [
    'more padding than data',
    Buffer.concat([frame('headers', endHeaders, 1, block(...request)), frame('data', padded, 1, [200, 1])]),
  ],
  ['a promise', frame('push', endHeaders, 1, Buffer.concat([uint32(2), block(...request)]))],
  [
    'a stream that depends on itself',
    Buffer.concat([frame('priority', 0, 1, Buffer.concat([uint32(1), Buffer.from([16])])), frame('data', 0, 0)]),
  ],
  ['a window that grows by nothing', frame('window', 0, 0, uint32(0))],
  ['a window beyond all bounds', times(2, () => frame('window', 0, 0, uint32(2 ** 31 - 1)))],
  [
    'a stream’s window beyond all bounds',
    Buffer.concat([
      frame('headers', endHeaders, 1, block(...request)),
      times(2, () => frame('window', 0, 1, uint32(2 ** 31 - 1))),
    ]),
  ],
  ['a first window beyond all bounds', frame('settings', 0, 0, setting(4, 2 ** 31))],
  ['frames of no size', frame('settings', 0, 0, setting(5, 1))],
  ['settings of half a setting', frame('settings', 0, 0, [0, 1, 0])],
  ['settings of a stream', frame('settings', 0, 1, setting(3, 1))],
  ['a frame of four megabytes', Buffer.concat([Buffer.from([0x40, 0, 0, 0, 0, 0, 0, 0, 1]), Buffer.alloc(1024)])],
  ['a reset of nothing', frame('reset', 0, 1, uint32(8))],
  ['a ping of a byte', frame('ping', 0, 0, [1])],
  ['noise', Buffer.from('GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n')],
])('HTTP/2 with %s is ended or refused', async (_, frames) => {
  const socket = await server.socket('h2')
  // Ends when the stream or the connection does.
  await exchange(socket, Buffer.concat([preface, frame('settings', 0, 0), frames]), isAnswered)
  expect((await server.request('GET', '/readyz')).status).toBe(200)
})

test.each<[string, Buffer]>([
  [
    'streams that are reset at once',
    times(20_000, (n) => Buffer.concat([plain(2 * n + 1), frame('reset', 0, 2 * n + 1, uint32(8))])),
  ],
  ['settings without end', times(20_000, () => frame('settings', 0, 0, setting(3, 100)))],
  ['pings without end', times(20_000, () => frame('ping', 0, 0, Buffer.alloc(8)))],
  [
    'priorities without end',
    times(20_000, (n) => frame('priority', 0, 2 * n + 1, Buffer.concat([uint32(0), Buffer.from([16])]))),
  ],
  [
    'empty data without end',
    Buffer.concat([frame('headers', endHeaders, 1, block(...request)), times(20_000, () => frame('data', 0, 1))]),
  ],
  ['windows that grow by a byte', times(20_000, () => frame('window', 0, 0, uint32(1)))],
])('a flood of %s leaves the server as it was', async (_, frames) => {
  const before = open()
  for (let round = 0; round < 5; round++) {
    const socket = await server.socket('h2')
    const closed = once(socket, 'close')
    socket.resume()
    socket.write(Buffer.concat([preface, frame('settings', 0, 0), frames]), () => socket.destroySoon())
    expect((await server.request('GET', '/readyz')).status).toBe(200)
    await closed
  }
  await until(() => open() <= before)
})

test('more streams at once than are allowed are refused, and the others answered', async () => {
  const session = server.session()
  await once(session, 'remoteSettings')
  const path = '/api/v1/namespaces/default/configmaps?watch=1'
  const watches = Array.from({ length: session.remoteSettings.maxConcurrentStreams! }, () =>
    session.request({ ':path': path }),
  )
  for (const watch of watches) watch.on('error', () => {})
  await Promise.all(watches.map((watch) => once(watch, 'response')))
  expect((await server.request('GET', '/readyz')).status).toBe(200)
  session.destroy()
  expect((await server.request('GET', '/readyz')).status).toBe(200)
}, 60_000)

test('a client that takes nothing of what it asked for holds no memory once it is gone', async () => {
  const stingy = Buffer.concat([preface, frame('settings', 0, 0, setting(4, 0))])
  const lists = times(200, (n) =>
    frame('headers', endStream | endHeaders, 2 * n + 1, block(...without(':path'), [':path', '/openapi/v2'])),
  )
  const before = open()
  for (let round = 0; round < 5; round++) {
    const socket = await server.socket('h2')
    socket.resume()
    socket.write(Buffer.concat([stingy, lists]))
    await once(socket, 'data')
    expect((await server.request('GET', '/readyz')).status).toBe(200)
    socket.destroy()
  }
  await until(() => open() <= before)
}, 60_000)

test('after all that, memory and handles are what they were', async () => {
  const noise = async () => {
    const socket = await server.socket('h2')
    await exchange(socket, Buffer.concat([preface, frame('settings', 0, 0), withFields([':user', 'a'])]), isAnswered)
    const h1 = await server.socket()
    await exchange(h1, Buffer.from('\u0001\r\n\r\n'), (answer) => answer.includes('\r\n\r\n'))
  }
  for (let n = 0; n < 20; n++) await noise()
  const [handles, kilobytes] = [open(), resident()]
  for (let n = 0; n < 100; n++) await noise()
  await until(() => open() <= handles)
  expect(resident() - kilobytes).toBeLessThan(64 * 1024)
}, 120_000)

/** Files and connections the server has open. */
const open = () => readdirSync(`/proc/${server.pid}/fd`).length

const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1])

/** Asks the server until `holds`: it hears of closed connections in its own time. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await server.request('GET', '/readyz')
}
