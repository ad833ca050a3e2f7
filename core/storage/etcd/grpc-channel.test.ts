import { once } from 'node:events'
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { GrpcChannel, GrpcError, grpcCode } from './grpc-channel.ts'

type Answer = (stream: ServerHttp2Stream) => void

/** A server that answers every call in one way. */
async function channelTo(answer: Answer): Promise<GrpcChannel> {
  const server = createServer()
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => sessions.add(session))
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {})
    answer(stream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const channel = await GrpcChannel.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {}, 1_000)
  onTestFinished(() => {
    channel.destroy()
    for (const session of sessions) session.destroy()
    server.close()
  })
  return channel
}

function frame(text: string): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(text), 1)
  return Buffer.concat([head, Buffer.from(text)])
}

/** Answers with these pieces of bytes and ends well. */
const pieces =
  (...chunks: Buffer[]): Answer =>
  (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
  }

const failing =
  (status: number, message: string): Answer =>
  (stream) =>
    stream.respond({ ':status': 200, 'grpc-status': String(status), 'grpc-message': message }, { endStream: true })

const request = Buffer.from('request')

test('a message that comes in pieces is put together', async () => {
  const whole = frame('x'.repeat(100_000))
  const channel = await channelTo(pieces(whole.subarray(0, 3), whole.subarray(3, 70_000), whole.subarray(70_000)))
  expect((await channel.call('/a/B', request, 5_000)).toString()).toBe('x'.repeat(100_000))
})

test.each<{ name: string; answer: Answer; code: number; isBegun: boolean; message: RegExp }>([
  {
    name: 'a status is told, its message decoded',
    answer: failing(11, 'etcdserver: mvcc%3A compacted'),
    code: 11,
    isBegun: true,
    message: /^etcdserver: mvcc: compacted$/,
  },
  {
    name: 'a member without leader has not begun',
    answer: failing(14, 'etcdserver: no leader'),
    code: 14,
    isBegun: false,
    message: /no leader/,
  },
  {
    name: 'a member that timed out may have done it',
    answer: failing(14, 'etcdserver: request timed out'),
    code: 14,
    isBegun: true,
    message: /timed out/,
  },
  {
    name: 'a refused stream has not begun',
    answer: (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
    code: 14,
    isBegun: false,
    message: /127\.0\.0\.1/,
  },
  {
    name: 'a connection lost under way may have carried it',
    answer: (stream) => stream.session?.destroy(),
    code: 14,
    isBegun: true,
    message: /127\.0\.0\.1/,
  },
  { name: 'silence may mean anything', answer: () => {}, code: 4, isBegun: true, message: /within 200 ms/ },
])('$name', async ({ answer, code, isBegun, message }) => {
  const channel = await channelTo(answer)
  const error = await channel.call('/a/B', request, 200).catch((error) => error)
  expect(error).toBeInstanceOf(GrpcError)
  expect(error).toMatchObject({ code, isBegun })
  expect(error.message).toMatch(message)
})

test('a stream hands over messages as they come and ends once', async () => {
  const channel = await channelTo(
    pieces(Buffer.concat([frame('one'), frame('two'), frame('three').subarray(0, 6)]), frame('three').subarray(6)),
  )
  const heard: string[] = []
  const error = await new Promise<GrpcError>((resolve) => {
    channel.stream('/a/B', { onMessages: (messages) => heard.push(...messages.map(String)), onEnd: resolve })
  })
  expect(heard).toEqual(['one', 'two', 'three'])
  expect(error.code).toBe(grpcCode.unavailable)
})

test('a call on a connection that has ended has not begun', async () => {
  const channel = await channelTo(pieces(frame('x')))
  channel.destroy()
  const error = await channel.call('/a/B', request, 200).catch((error) => error)
  expect(error).toMatchObject({ code: grpcCode.unavailable, isBegun: false })
})

test('an address where nobody listens is named', async () => {
  const error = await GrpcChannel.connect('http://127.0.0.1:1', {}, 1_000).catch((error) => error)
  expect(error).toMatchObject({ code: grpcCode.unavailable, isBegun: false })
  expect(error.message).toContain('http://127.0.0.1:1')
})
