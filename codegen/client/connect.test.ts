import { type AddressInfo, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import { expect, test } from 'vitest'
import { connect } from './connect.ts'
import { ApiError, isConflict, isConnectionError, isExpired, isNotFound } from './errors.ts'
import { type Call, startServer } from './testing/server.ts'
import { selfSigned } from './testing/tls.ts'

interface Pod extends KubeObject {
  spec?: { nodeName: string }
}
const pods: ResourceRef<Pod> = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true }
const nodes: ResourceRef = { group: '', version: 'v1', resource: 'nodes', kind: 'Node', namespaced: false }
const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-0', namespace: 'default' } }
const failure = (code: number, reason: string) => ({ kind: 'Status', status: 'Failure', code, reason, message: reason })

/** Runs `use` against a server that notes every call. */
async function withServer(
  handle: (call: Call) => void,
  use: (
    client: ReturnType<typeof connect>,
    calls: Call[],
    server: Awaited<ReturnType<typeof startServer>>,
  ) => Promise<void>,
  options = {},
) {
  const calls: Call[] = []
  await using server = await startServer((call) => {
    calls.push(call)
    handle(call)
  }, options)
  await using client = connect(server.access)
  await use(client, calls, server)
}

const requests = [
  { name: 'get', call: (c: Client) => c.in('a b').get('web-0'), want: 'GET /api/v1/namespaces/a%20b/pods/web-0' },
  {
    name: 'list with a limit',
    call: (c: Client) => c.list({ limit: 5, labelSelector: 'app=web' }),
    want: 'GET /api/v1/pods?limit=5&labelSelector=app%3Dweb',
  },
  {
    name: 'create in the namespace of the object',
    call: (c: Client) => c.create(pod, { dryRun: true }),
    want: 'POST /api/v1/namespaces/default/pods?dryRun=All',
  },
  { name: 'update', call: (c: Client) => c.update(pod), want: 'PUT /api/v1/namespaces/default/pods/web-0' },
  {
    name: 'update of the status',
    call: (c: Client) => c.updateStatus(pod),
    want: 'PUT /api/v1/namespaces/default/pods/web-0/status',
  },
  {
    name: 'forced apply',
    call: (c: Client) => c.in('x').patch('web-0', { type: 'apply', body: {}, force: true }, { fieldManager: 'me' }),
    want: 'PATCH /api/v1/namespaces/x/pods/web-0?fieldManager=me&force=true',
  },
  {
    name: 'eviction',
    call: (c: Client) => c.in('x').createSubresource('web-0', 'eviction', {}),
    want: 'POST /api/v1/namespaces/x/pods/web-0/eviction',
  },
  {
    name: 'delete',
    call: (c: Client) => c.in('x').delete('web-0', { preconditions: { uid: '1' } }),
    want: 'DELETE /api/v1/namespaces/x/pods/web-0',
  },
]
type Client = ReturnType<ReturnType<typeof connect>['resource']>

test('each verb has its method, path and headers', async () => {
  await withServer(
    (call) => call.json(200, pod),
    async (client, calls) => {
      for (const { call, want } of requests) {
        await call(client.resource(pods) as Client)
        const seen = calls.at(-1)!
        expect(`${seen.method} ${seen.path}`).toBe(want)
        expect(seen.headers.authorization).toBe('Bearer secret')
      }
      expect(JSON.parse(calls.at(-1)!.body)).toMatchObject({ kind: 'DeleteOptions', preconditions: { uid: '1' } })
      expect(calls.find((call) => call.method === 'PATCH')!.headers['content-type']).toBe(
        'application/apply-patch+yaml',
      )
    },
  )
})

test.each(['..', '.', ''])('the name %j is refused before it reaches a path', async (name) => {
  await withServer(
    (call) => call.json(200, {}),
    async (client, calls) => {
      await expect(client.resource(pods).in('x').get(name)).rejects.toThrow(TypeError)
      await expect(client.resource(pods).get('web-0')).rejects.toThrow('pods is namespaced')
      expect(calls).toHaveLength(0)
    },
  )
})

const failures = [
  { name: 'the Status it carries', code: 409, body: failure(409, 'Conflict'), is: isConflict },
  { name: 'a page of something between', code: 404, body: 'not here', is: isNotFound },
]
test.each(failures)('a failed answer becomes an ApiError with $name', async ({ code, body, is }) => {
  await withServer(
    (call) => call.json(code, body),
    async (client) => {
      const error = await client
        .resource(pods)
        .create(pod)
        .catch((reason) => reason)
      expect(error).toBeInstanceOf(ApiError)
      expect(is(new Error('outer', { cause: error }))).toBe(true)
    },
  )
})

test('Retry-After is waited for on a GET and reported on a POST', async () => {
  await withServer(
    (call) => {
      const isFirst = call.headers['x-seen'] === undefined && call.path.endsWith('busy') && busy-- > 0
      if (call.method === 'POST' || isFirst) call.json(429, failure(429, 'TooManyRequests'), { 'retry-after': '0' })
      else call.json(200, pod)
    },
    async (client, calls) => {
      await client.resource(pods).in('x').get('busy')
      expect(calls).toHaveLength(3)
      await expect(client.resource(pods).create(pod)).rejects.toThrow('TooManyRequests')
      expect(calls).toHaveLength(4)
    },
  )
})
let busy = 2

test('a watch yields events split anywhere, passes bookmarks and ends when the server ends it', async () => {
  const events = [
    { type: 'ADDED', object: { ...pod, metadata: { name: 'é'.repeat(300) } } },
    { type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } },
  ]
  await withServer(
    async ({ stream, path }) => {
      expect(path).toBe('/api/v1/pods?watch=true&allowWatchBookmarks=true')
      stream.respond({ ':status': 200 })
      const bytes = Buffer.from(events.map((event) => JSON.stringify(event)).join('\n'))
      for (let at = 0; at < bytes.length; at += 7) {
        await new Promise((resolve) => stream.write(bytes.subarray(at, at + 7), resolve))
      }
      stream.end()
    },
    async (client) => {
      const seen = await Array.fromAsync(client.resource(pods).watch({ allowWatchBookmarks: true }))
      expect(seen).toEqual(events)
    },
  )
})

test('a watch throws the Status of an ERROR event', async () => {
  await withServer(
    ({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.end(`${JSON.stringify({ type: 'ERROR', object: failure(410, 'Expired') })}\n`)
    },
    async (client) => {
      const error = await Array.fromAsync(client.resource(pods).watch()).catch((reason) => reason)
      expect(isExpired(error)).toBe(true)
    },
  )
})

test('leaving a watch closes its stream', async () => {
  let closed: Promise<void> | undefined
  await withServer(
    ({ stream }) => {
      closed = new Promise((resolve) => stream.once('close', () => resolve()))
      stream.respond({ ':status': 200 })
      stream.write(`${JSON.stringify({ type: 'ADDED', object: pod })}\n`)
    },
    async (client) => {
      for await (const event of client.resource(pods).watch()) {
        expect(event.type).toBe('ADDED')
        break
      }
      await closed
    },
  )
})

test('an aborted call rejects with the reason of its signal', async () => {
  const aborting = new AbortController()
  await withServer(
    () => aborting.abort(new Error('no longer wanted')),
    async (client) => {
      const getting = client.resource(pods).in('x').get('a', { signal: aborting.signal })
      await expect(getting).rejects.toThrow('no longer wanted')
    },
  )
})

test('a watch that is cut off is a ConnectionError, and the next call connects again', async () => {
  await withServer(
    (call) => {
      if (!call.path.includes('watch')) return call.json(200, pod)
      call.stream.respond({ ':status': 200 })
      call.stream.write(`${JSON.stringify({ type: 'ADDED', object: pod })}\n`)
    },
    async (client, _, server) => {
      const watch = client.resource(pods).watch()[Symbol.asyncIterator]()
      await watch.next()
      for (const session of server.sessions) session.destroy()
      const error = await watch.next().catch((reason) => reason)
      expect(isConnectionError(error)).toBe(true)
      expect(await client.resource(pods).in('x').get('a')).toEqual(pod)
      expect(server.accepted).toBe(2)
    },
  )
})

test.each([
  { verb: 'GET', calls: 2 },
  { verb: 'POST', calls: 1 },
])('a $verb that was cut off before its answer is sent $calls times', async ({ verb, calls: want }) => {
  let cuts = 1
  await withServer(
    (call) => (cuts-- > 0 ? call.stream.session!.destroy() : call.json(200, pod)),
    async (client, calls) => {
      const sending = verb === 'GET' ? client.resource(pods).in('x').get('a') : client.resource(pods).create(pod)
      const outcome = await sending.catch((reason) => reason)
      expect(isConnectionError(outcome)).toBe(verb === 'POST')
      expect(calls).toHaveLength(want)
    },
  )
})

test('after GOAWAY new calls go over a new connection while old streams finish', async () => {
  await withServer(
    ({ stream, json, path }) => {
      if (!path.includes('watch')) return json(200, pod)
      stream.respond({ ':status': 200 })
      stream.session!.goaway(0, stream.id)
      stream.write(`${JSON.stringify({ type: 'ADDED', object: pod })}\n`)
      release = () => stream.end()
    },
    async (client, _, server) => {
      const watch = client.resource(pods).watch()[Symbol.asyncIterator]()
      expect((await watch.next()).value.type).toBe('ADDED')
      await client.resource(pods).in('x').get('a')
      expect(server.accepted).toBe(2)
      release()
      expect(await watch.next()).toEqual({ done: true, value: undefined })
    },
  )
})
let release = () => {}

test('another connection is opened when the server limits streams', async () => {
  await withServer(
    (call) => {
      if (!call.path.includes('watch')) return call.json(200, pod)
      call.stream.respond({ ':status': 200 })
      call.stream.write(`${JSON.stringify({ type: 'ADDED', object: pod })}\n`)
    },
    async (client, _, server) => {
      const watches = [1, 2, 3].map(() => client.resource(pods).watch()[Symbol.asyncIterator]())
      await Promise.all(watches.map((watch) => watch.next()))
      await client.resource(pods).in('x').get('a')
      expect(server.accepted).toBe(2)
      await Promise.all(watches.map((watch) => watch.return?.()))
    },
    { settings: { maxConcurrentStreams: 2 } },
  )
})

test('a server that is down is a ConnectionError, and the client finds it when it is up', async () => {
  const certificate = selfSigned()
  const first = await startServer((call) => call.json(200, pod), {}, 0, certificate)
  const port = Number(new URL(first.access.server).port)
  await using client = connect(first.access)
  await client.resource(nodes).get('a')
  await first[Symbol.asyncDispose]()
  const error = await client
    .resource(nodes)
    .get('a')
    .catch((reason) => reason)
  expect(isConnectionError(error)).toBe(true)
  await using _second = await startServer((call) => call.json(200, pod), {}, port, certificate)
  expect(await client.resource(nodes).get('a')).toEqual(pod)
})

test('a peer that answers no ping is given up', async () => {
  const certificate = selfSigned()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const secure = new TLSSocket(socket, { isServer: true, ...certificate, ALPNProtocols: ['h2'] })
    // An empty SETTINGS frame, and never another byte: a machine that lost its network after the handshake.
    secure.once('data', () => secure.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])))
    secure.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const access = { server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caData: certificate.cert }
  await using client = connect(access, { pingIntervalMs: 5, pingTimeoutMs: 20 })
  const error = await client
    .resource(pods)
    .create(pod)
    .catch((reason) => reason)
  expect(String(error)).toContain('no answer to a ping')
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

test('a closed client refuses calls', async () => {
  await using server = await startServer((call) => call.json(200, pod))
  const client = connect(server.access)
  await client[Symbol.asyncDispose]()
  await expect(client.resource(nodes).get('a')).rejects.toThrow('the client is closed')
})

test('metadata is asked for as PartialObjectMetadata', async () => {
  await withServer(
    (call) => call.json(200, pod),
    async (client, calls) => {
      await client.metadata(pods).in('x').get('a')
      expect(calls[0]!.headers.accept).toMatch('as=PartialObjectMetadata;')
      await client.metadata(pods).list()
      expect(calls[1]!.headers.accept).toMatch('as=PartialObjectMetadataList;')
    },
  )
})
