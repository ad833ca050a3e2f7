import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { constants } from 'node:http2'
import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '#core/testing/test-server.ts'

/** Clients that read slowly, not at all, vanish, or only stay. One server for all: it must be well after each. */
let server: TestServer

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
})

afterAll(async () => {
  expect((await server.request('GET', '/readyz')).status).toBe(200)
  // On a busy machine a start says that it takes its time.
  expect(server.stderr().replace('still starting ...\n', '')).toBe('')
  await server[Symbol.asyncDispose]()
})

const configMaps = '/api/v1/namespaces/default/configmaps'
const large = (name: string, fill: string) => ({ metadata: { name }, data: { text: fill.repeat(700_000) } })

/** How many watches the server says are open. */
async function openWatches(): Promise<number> {
  const { text } = await server.request('GET', '/metrics')
  const isWatch = /^apiserver_longrunning_requests\{(?=[^}]*verb="WATCH")(?=[^}]*resource="configmaps")/
  const counts = text.split('\n').filter((line) => isWatch.test(line))
  return counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

test('clients that stop reading a list hold up nobody else', async () => {
  for (let at = 0; at < 20; at++) {
    expect((await server.request('POST', configMaps, large(`large-${at}`, String.fromCharCode(97 + at)))).status).toBe(
      201,
    )
  }
  const session = server.session()
  const streams = Array.from({ length: 10 }, () => session.request({ ':path': configMaps }))
  const answered = Promise.all(streams.map((stream) => once(stream, 'response')))
  const sockets = await Promise.all(Array.from({ length: 5 }, () => server.socket()))
  for (const socket of sockets) {
    socket.pause()
    socket.write(`GET ${configMaps} HTTP/1.1\r\nhost: x\r\n\r\n`)
  }
  await answered
  expect((await server.request('GET', `${configMaps}/large-1`)).status).toBe(200)
  expect((await server.requestH1('POST', configMaps, { metadata: { name: 'beside' } })).status).toBe(201)
  session.destroy()
  for (const socket of sockets) socket.destroy()
})

test('lists that are read slowly arrive whole, however many are under way', async () => {
  const expected = (await server.request('GET', configMaps)).text
  const session = server.session()
  const h2 = Array.from({ length: 6 }, () => readSlowly(session.request({ ':path': configMaps })))
  const h1 = Array.from({ length: 4 }, async () => {
    const socket = await server.socket()
    socket.write(`GET ${configMaps} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    const text = await readSlowly(socket)
    return unchunked(text.slice(text.indexOf('\r\n\r\n') + 4))
  })
  for (const text of await Promise.all([...h2, ...h1])) expect(text === expected).toBe(true)
  session.destroy()
})

/** Reads with a pause behind each piece. */
async function readSlowly(source: Readable): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of source) {
    pieces.push(piece as Buffer)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return Buffer.concat(pieces).toString('latin1')
}

/** The text of a body in HTTP/1.1 chunks. */
function unchunked(body: string): string {
  let text = ''
  for (let at = 0; ; ) {
    const end = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.slice(at, end), 16)
    if (!size) return text
    text += body.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}

test('a watch whose client reads nothing is dropped, one that reads goes on', async () => {
  const others = await openWatches()
  const session = server.session()
  const idle = server.session()
  const reading = session.request({ ':path': `${configMaps}?watch=1&resourceVersion=0&labelSelector=none=such` })
  const deaf = idle.request({ ':path': `${configMaps}?watch=1` })
  deaf.on('error', () => {})
  deaf.pause()
  await Promise.all([once(reading, 'response'), once(deaf, 'response')])
  expect(await openWatches()).toBe(others + 2)
  for (let round = 0; (await openWatches()) === others + 2; round++) {
    expect(round).toBeLessThan(200)
    const patch = { data: { text: String.fromCharCode(97 + (round % 26)).repeat(700_000) } }
    const type = { 'content-type': 'application/merge-patch+json' }
    expect((await server.request('PATCH', `${configMaps}/large-0`, patch, type)).status).toBe(200)
  }
  expect(await openWatches()).toBe(others + 1)
  const heard = once(reading, 'data')
  await server.request('POST', configMaps, { metadata: { name: 'heard', labels: { none: 'such' } } })
  expect(String(await heard)).toContain('"name":"heard"')
  session.destroy()
  idle.destroy()
})

test('clients that vanish in the middle of a body leave nothing behind', async () => {
  const vanished = Array.from({ length: 20 }, (_, at) => `vanished-${at}`)
  for (const name of vanished) {
    const socket = await server.socket()
    socket.write(
      `POST ${configMaps} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n`,
    )
    socket.write(`{"metadata":{"name":"${name}"}}`)
    socket.destroy()
  }
  const session = server.session()
  for (const name of vanished) {
    const stream = session.request({ ':method': 'POST', ':path': configMaps, 'content-type': 'application/json' })
    stream.on('error', () => {})
    stream.write(`{"metadata":{"name":"${name}"}}`)
    stream.close(constants.NGHTTP2_CANCEL)
    await once(stream, 'close')
  }
  session.destroy()
  for (const name of vanished) expect((await server.request('GET', `${configMaps}/${name}`)).status).toBe(404)
})

test('a thousand idle connections cost little memory and hold up nobody', async () => {
  const before = residentKilobytes(server.pid)
  const sockets: TLSSocket[] = []
  for (let group = 0; group < 20; group++) {
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => server.socket('h2')))))
  }
  expect((await server.request('GET', `${configMaps}/large-1`)).status).toBe(200)
  expect((residentKilobytes(server.pid) - before) / sockets.length).toBeLessThan(200)
  for (const socket of sockets) socket.destroy()
}, 120_000)

function residentKilobytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}
