import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestServer, type TestServer } from '#core/testing/test-server.ts'

/**
 * Clients of one priority level against each other, on a server with few seats. What is judged is order and counts: how
 * many of the noisy client's answers go by for each of the quiet one's.
 */
let server: TestServer

const group = 'rbac.authorization.k8s.io'
const configMaps = '/api/v1/namespaces/default/configmaps'
const objects = 300

beforeAll(async () => {
  server = await startTestServer([
    '--log-level=error',
    '--max-requests-inflight=40',
    '--max-mutating-requests-inflight=20',
    '--request-timeout=20s',
  ])
  await grantAll()
  const made = Array.from({ length: objects }, (_, at) =>
    server.request('POST', configMaps, { metadata: { name: `one-${at}` }, data: { text: 'x'.repeat(2_000) } }),
  )
  await Promise.all(made)
})

afterAll(() => server[Symbol.asyncDispose]())

/** Everyone who is somebody may do everything: this is not about rights. */
async function grantAll(): Promise<void> {
  const { status } = await server.request('POST', `/apis/${group}/v1/clusterrolebindings`, {
    metadata: { name: 'everyone' },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: group, kind: 'Group', name: 'system:authenticated' }],
  })
  expect(status).toBe(201)
}

interface Answer {
  status: number
  headers: Record<string, unknown>
}

/** Asks as some user, over a connection of his. */
function client(session: ClientHttp2Session, user: string) {
  return async (method: string, path: string, body?: object): Promise<Answer> => {
    const stream = open(session, user, method, path)
    stream.end(body && JSON.stringify(body))
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    stream.resume()
    await once(stream, 'end')
    return { status: Number(headers[':status']), headers }
  }
}

function open(session: ClientHttp2Session, user: string, method: string, path: string): ClientHttp2Stream {
  const stream = session.request({
    ':method': method,
    ':path': path,
    'impersonate-user': user,
    ...(method === 'POST' && { 'content-type': 'application/json' }),
  })
  stream.on('error', () => {})
  return stream
}

const count = (answers: readonly number[], status: number) => answers.filter((one) => one === status).length

test('a client with hundreds of lists and writes does not keep another from its single requests', async () => {
  const [loud, calm] = [server.session(), server.session()]
  const noisy = client(loud, 'noisy')
  const quiet = client(calm, 'quiet')
  const noise: number[] = []
  const note = ({ status }: Answer) => void noise.push(status)
  let isOver = false
  // Each of these asks again as soon as it is answered.
  const asking = Array.from({ length: 300 }, async (_, at) => {
    for (let turn = 0; !isOver; turn++) {
      const name = `noise-${at}-${turn}`
      note(await (at % 2 ? noisy('GET', configMaps) : noisy('POST', configMaps, { metadata: { name } })))
    }
  })
  const answered: { status: number; noiseBefore: number }[] = []
  for (let turn = 0; turn < 40; turn++) {
    const noiseBefore = noise.length
    const { status } = await quiet(...quietRequest(turn))
    answered.push({ status, noiseBefore: noise.length - noiseBefore })
  }
  isOver = true
  await Promise.all(asking)
  loud.destroy()
  calm.destroy()
  expect(answered.map(({ status }) => status).filter((status) => status >= 300)).toEqual([])
  // The noisy one had 300 requests under way all the time: without turns, as many would go before each of these.
  const before = answered.map(({ noiseBefore }) => noiseBefore).sort((a, b) => a - b)
  expect(before[Math.floor(before.length / 2)]).toBeLessThan(100)
  expect(count(noise, 200) + count(noise, 201) + count(noise, 429)).toBe(noise.length)
})

function quietRequest(turn: number): [method: string, path: string, body?: object] {
  const name = `quiet-${turn}`
  return turn % 2 ? ['GET', `${configMaps}/one-1`] : ['POST', configMaps, { metadata: { name } }]
}

test('what is too much for the queues is told to come again; who asks little is not', async () => {
  const [loud, calm] = [server.session(), server.session()]
  // Bodies that never come: each holds a seat until its deadline.
  const held = Array.from({ length: 600 }, () => open(loud, 'noisy', 'POST', `${configMaps}?timeout=3s`))
  const statuses = await Promise.all(
    held.map(async (stream) => {
      const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
      if (headers[':status'] === 429) expect(headers['retry-after']).toBe('1')
      return Number(headers[':status'])
    }),
  )
  const quiet = await client(calm, 'quiet')('GET', `${configMaps}/one-1`)
  loud.destroy()
  calm.destroy()
  expect(count(statuses, 429)).toBeGreaterThan(0)
  expect(count(statuses, 504)).toBeGreaterThan(0)
  expect(count(statuses, 429) + count(statuses, 504)).toBe(600)
  expect(quiet.status).toBe(200)
})

async function seatsInUse(): Promise<number> {
  const { text } = await server.request('GET', '/metrics')
  const line = /^apiserver_flowcontrol_current_executing_seats\{.*flow_schema="global-default"\} (\d+)$/m.exec(text)
  return Number(line?.[1])
}

test('watches hold no seat once they have begun', async () => {
  const session = server.session()
  const watches = Array.from({ length: 200 }, () => open(session, 'watcher', 'GET', `${configMaps}?watch=1`))
  for (const stream of watches) stream.resume()
  const statuses = await Promise.all(watches.map(async (stream) => (await once(stream, 'response'))[0][':status']))
  expect(new Set(statuses)).toEqual(new Set([200]))
  await vi.waitFor(async () => expect(await seatsInUse()).toBe(0))
  const calm = server.session()
  expect((await client(calm, 'watcher')('GET', `${configMaps}/one-1`)).status).toBe(200)
  session.destroy()
  calm.destroy()
})
