import { randomBytes } from 'node:crypto'
import { type Duplex, duplexPair } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpdyConnection, type SpdyStream } from './spdy.ts'
import { encodeFrame, type Frame, FrameDecoder, goAwayStatus } from './spdy-frames.ts'
import { HeaderBlockWriter } from './spdy-headers.ts'

function connect(onStream: (stream: SpdyStream) => void): { client: SpdyConnection; server: SpdyConnection } {
  const [near, far] = duplexPair()
  return {
    client: new SpdyConnection(near, { role: 'client' }),
    server: new SpdyConnection(far, { role: 'server', onStream }),
  }
}

const echo = (stream: SpdyStream) => {
  stream.accept()
  stream.pipe(stream)
}

test('a stream carries its headers and bytes both ways and ends', async () => {
  const seen: SpdyStream[] = []
  const { client, server } = connect((stream) => {
    seen.push(stream)
    echo(stream)
  })
  const stream = client.createStream({ streamType: 'data', port: '80' })
  await stream.replied
  stream.end('hello')
  expect(await text(stream)).toBe('hello')
  expect(seen[0]?.headers).toEqual(
    new Map([
      ['streamtype', 'data'],
      ['port', '80'],
    ]),
  )
  client.close()
  await Promise.all([client.closed, server.closed])
})

test('megabytes arrive whole on several streams at once', async () => {
  const { client, server } = connect(echo)
  const payloads = [1, 2, 3].map(() => randomBytes(1024 * 1024 + 7))
  await Promise.all(
    payloads.map(async (payload) => {
      const stream = client.createStream({})
      stream.end(payload)
      expect((await buffer(stream)).equals(payload)).toBe(true)
    }),
  )
  client.close()
  await server.closed
})

test('with flow control a stream nobody reads holds up only itself', async () => {
  const stuck: SpdyStream[] = []
  const { client, server } = connect((stream) => {
    if (stream.headers.get('read') === 'never') {
      stream.accept()
      stuck.push(stream)
    } else echo(stream)
  })
  const idle = client.createStream({ read: 'never' })
  await idle.replied
  // The first echo shows the server that this client does flow control, and the client that the server does.
  const first = client.createStream({})
  first.end(randomBytes(100_000))
  await buffer(first)
  idle.write(randomBytes(1024 * 1024))
  const second = client.createStream({})
  second.end('through')
  expect(await text(second)).toBe('through')
  expect(stuck[0]!.readableLength).toBeLessThanOrEqual(64 * 1024)
  client.close()
  await server.closed
})

test('a refused stream rejects `replied` and closes', async () => {
  const { client, server } = connect((stream) => stream.refuse())
  const stream = client.createStream({})
  await expect(stream.replied).rejects.toThrow('closed before it was accepted')
  client.close()
  await server.closed
})

test('destroying a stream at one end closes it at the other', async () => {
  const closed = Promise.withResolvers<void>()
  const { client, server } = connect((stream) => {
    stream.accept()
    stream.on('close', closed.resolve)
  })
  const stream = client.createStream({})
  await stream.replied
  stream.destroy()
  await closed.promise
  client.close()
  await server.closed
})

test('streams close when the transport breaks', async () => {
  const [near, far] = duplexPair()
  const streams: SpdyStream[] = []
  const client = new SpdyConnection(near, { role: 'client' })
  const server = new SpdyConnection(far, {
    role: 'server',
    onStream: (stream) => {
      stream.accept()
      streams.push(stream)
    },
  })
  await client.createStream({}).replied
  far.destroy()
  await server.closed
  expect(streams[0]?.destroyed).toBe(true)
  near.destroy()
  await client.closed
})

test('a connection that breaks while a stream is stuck still closes', async () => {
  const [near, far] = duplexPair()
  const full = Promise.withResolvers<SpdyStream>()
  const server = new SpdyConnection(far, {
    role: 'server',
    onStream: (stream) => {
      stream.accept()
      stream.once('readable', () => full.resolve(stream))
    },
  })
  near.resume()
  near.write(synStream(new HeaderBlockWriter(), 1))
  near.write(encodeFrame({ type: 'data', streamId: 1, data: randomBytes(200_000), fin: true }))
  expect((await full.promise).isFull).toBe(true)
  far.destroy()
  near.destroy()
  await server.closed
})

test('what a peer sent before it hung up is read to the end', async () => {
  const [near, far] = duplexPair()
  const read = near.read.bind(near)
  // Closed as soon as the bytes are taken: the reply's headers are still being decompressed then.
  near.read = (size) => {
    const chunk: unknown = read(size)
    if (chunk) near.destroy()
    return chunk
  }
  const client = new SpdyConnection(near, { role: 'client' })
  const stream = client.createStream({})
  const writer = new HeaderBlockWriter()
  far.write(
    Buffer.concat([
      encodeFrame({ type: 'syn-reply', streamId: 1, fin: false, block: writer.write(new Map()) }),
      encodeFrame({ type: 'data', streamId: 1, data: Buffer.from('last words'), fin: true }),
      encodeFrame({ type: 'rst-stream', streamId: 1, status: 5 }),
      encodeFrame({ type: 'goaway', lastStreamId: 1, status: 0 }),
    ]),
  )
  await client.closed
  expect(await text(stream)).toBe('last words')
})

/** Frames a server answers raw bytes with, until it closes. */
async function answersTo(bytes: Buffer, onStream: (stream: SpdyStream) => void = echo): Promise<Frame[]> {
  const [near, far] = duplexPair()
  const server = new SpdyConnection(far, { role: 'server', onStream })
  const answers = collectFrames(near)
  near.write(bytes)
  near.end()
  const frames = await answers
  near.destroy()
  await server.closed
  return frames
}

async function collectFrames(transport: Duplex): Promise<Frame[]> {
  const decoder = new FrameDecoder()
  return [...decoder.push(await buffer(transport))]
}

const synStream = (writer: HeaderBlockWriter, streamId: number, fin = false) =>
  encodeFrame({ type: 'syn-stream', streamId, fin, unidirectional: false, block: writer.write(new Map([['a', 'b']])) })

const misbehaviours = [
  { name: 'bytes that are no frames', bytes: () => Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  { name: 'an even stream id from a client', bytes: () => synStream(new HeaderBlockWriter(), 2) },
  {
    name: 'a stream id used twice',
    bytes: () => {
      const writer = new HeaderBlockWriter()
      return Buffer.concat([synStream(writer, 1), synStream(writer, 1)])
    },
  },
  {
    name: 'data for a stream never opened',
    bytes: () => encodeFrame({ type: 'data', streamId: 5, data: Buffer.from('x'), fin: false }),
  },
  {
    name: 'a header block that is not compressed',
    bytes: () =>
      encodeFrame({ type: 'syn-stream', streamId: 1, fin: false, unidirectional: false, block: Buffer.from('raw') }),
  },
  {
    name: 'a window past 2^31',
    bytes: () => encodeFrame({ type: 'window-update', streamId: 0, delta: 0x7fffffff }),
  },
]

test.each(misbehaviours)('$name ends the connection with GOAWAY protocol error', async ({ bytes }) => {
  const frames = await answersTo(bytes())
  expect(frames.find((frame) => frame.type === 'goaway')).toMatchObject({ status: goAwayStatus.protocolError })
})

test('pings of the client are answered', async () => {
  expect(await answersTo(encodeFrame({ type: 'ping', id: 7 }))).toContainEqual({ type: 'ping', id: 7 })
})

test('a stream opened already finished is read to its end', async () => {
  const read = Promise.withResolvers<string>()
  await answersTo(synStream(new HeaderBlockWriter(), 1, true), (stream) => {
    stream.accept()
    text(stream).then(read.resolve, read.reject)
  })
  expect(await read.promise).toBe('')
})

test('the server survives whatever it is sent', async () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.integer({ min: 0, max: 10 }), fc.uint8Array({ maxLength: 40 }))
      .map(([type, body]) => Buffer.concat([Buffer.from([0x80, 3, 0, type, 0, 0, 0, body.length]), body])),
    fc.integer({ min: 0, max: 9 }).map((id) => synStream(new HeaderBlockWriter(), id + 1)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), async (chunks) => {
      const frames = await answersTo(Buffer.concat(chunks))
      expect(frames.at(-1)?.type).toBe('goaway')
    }),
    { numRuns: 200 },
  )
})
