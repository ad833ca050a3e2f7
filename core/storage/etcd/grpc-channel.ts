/**
 * gRPC over one HTTP/2 connection: calls with one answer, and streams. Says of every failed call whether the server may have
 * acted on it, because that decides whether it may be made again.
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'

/** The status codes of gRPC that the driver tells apart. @see https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const grpcCode = {
  ok: 0,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  outOfRange: 11,
  unavailable: 14,
} as const

export class GrpcError extends Error {
  readonly code: number
  /** False when it is certain that the server has not begun to act on the call. */
  readonly isBegun: boolean

  constructor(code: number, message: string, isBegun: boolean, options?: ErrorOptions) {
    super(message, options)
    this.name = 'GrpcError'
    this.code = code
    this.isBegun = isBegun
  }
}

/** PEM texts. */
export interface TlsFiles {
  ca?: string
  cert?: string
  key?: string
}

export interface StreamSink {
  /** The messages that came together, in order. */
  onMessages(messages: readonly Buffer[]): void
  /** Once; nothing comes after. */
  onEnd(error: GrpcError): void
}

export interface GrpcStream {
  send(message: Buffer): void
  close(): void
}

const windowBytes = 16 << 20
/** etcd hangs up on whoever pings more often than every five seconds, or while no stream is open. */
const pingEveryMs = 10_000
const pingTimeoutMs = 5_000

export class GrpcChannel {
  readonly endpoint: string
  readonly #session: ClientHttp2Session
  readonly #authority: string
  #streams = 0
  #pinging: NodeJS.Timeout | undefined

  private constructor(endpoint: string, session: ClientHttp2Session) {
    this.endpoint = endpoint
    this.#authority = new URL(endpoint).host
    this.#session = session
    session.on('error', () => {})
    session.setMaxListeners(0)
  }

  /** @param endpoint `http://host:port` or `https://host:port` @throws GrpcError Unavailable, not begun */
  static connect(endpoint: string, tls: TlsFiles, timeoutMs: number): Promise<GrpcChannel> {
    return new Promise((resolve, reject) => {
      const session = connect(endpoint, { ...tls, settings: { initialWindowSize: windowBytes, enablePush: false } })
      const fail = (cause: Error) => {
        clearTimeout(timer)
        session.destroy()
        reject(new GrpcError(grpcCode.unavailable, `connect to ${endpoint}: ${cause.message}`, false, { cause }))
      }
      const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
      session.on('error', fail)
      session.once('connect', () => {
        clearTimeout(timer)
        session.setLocalWindowSize(windowBytes)
        resolve(new GrpcChannel(endpoint, session))
      })
    })
  }

  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed
  }

  /** Lets calls under way end, and takes no new ones. */
  close(): void {
    this.#session.close()
  }

  /** Ends calls under way with an error. */
  destroy(): void {
    this.#session.destroy()
  }

  /** One message for one message. @throws GrpcError */
  call(path: string, message: Buffer, timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#request(path)
      const chunks: Buffer[] = []
      const outcome = new Outcome(this.endpoint, stream)
      const timer = setTimeout(() => outcome.expire(timeoutMs), timeoutMs)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('close', () => {
        clearTimeout(timer)
        const failure = outcome.failure()
        if (failure) return reject(failure)
        const [answer] = new MessageReader().push(Buffer.concat(chunks))
        if (answer) resolve(answer)
        else reject(new GrpcError(grpcCode.unknown, `${this.endpoint} answered without a message`, true))
      })
      stream.end(framed(message))
    })
  }

  /** Messages both ways until either side ends it. @throws GrpcError */
  stream(path: string, sink: StreamSink): GrpcStream {
    const stream = this.#request(path)
    const outcome = new Outcome(this.endpoint, stream)
    const reader = new MessageReader()
    this.#streams++
    this.#pinging ??= setInterval(() => this.#ping(), pingEveryMs).unref()
    stream.on('data', (chunk: Buffer) => {
      const messages = reader.push(chunk)
      if (messages.length > 0) sink.onMessages(messages)
    })
    stream.on('close', () => {
      if (--this.#streams === 0) {
        clearInterval(this.#pinging)
        this.#pinging = undefined
      }
      sink.onEnd(outcome.failure() ?? new GrpcError(grpcCode.unavailable, `${this.endpoint} ended the stream`, true))
    })
    return {
      send: (message) => void stream.write(framed(message)),
      close: () => stream.close(constants.NGHTTP2_CANCEL),
    }
  }

  #request(path: string): ClientHttp2Stream {
    try {
      return this.#session.request(
        {
          ':method': 'POST',
          ':path': path,
          ':authority': this.#authority,
          'content-type': 'application/grpc',
          te: 'trailers',
          // A member that has lost its leader then says so instead of waiting for one.
          hasleader: 'true',
        },
        { endStream: false },
      )
    } catch (cause) {
      throw new GrpcError(grpcCode.unavailable, `${this.endpoint} has hung up`, false, { cause })
    }
  }

  /** Nobody else would notice that the other machine is gone while a stream waits for what may not come for hours. */
  #ping(): void {
    if (this.isClosed) return
    const timer = setTimeout(() => this.#session.destroy(), pingTimeoutMs)
    const sent = this.#session.ping(() => clearTimeout(timer))
    if (!sent) clearTimeout(timer)
  }
}

/** Gathers how a stream ends. */
class Outcome {
  readonly #endpoint: string
  readonly #stream: ClientHttp2Stream
  #status: number | undefined
  #message = ''
  #error: Error | undefined
  #expiredAfterMs = 0

  constructor(endpoint: string, stream: ClientHttp2Stream) {
    this.#endpoint = endpoint
    this.#stream = stream
    const read = (headers: Record<string, unknown>) => {
      const status = headers['grpc-status']
      if (status === undefined) return
      this.#status = Number(status)
      this.#message = decodeMessage(String(headers['grpc-message'] ?? ''))
    }
    // A call that fails at once has its status in the only head there is.
    stream.on('response', read)
    stream.on('trailers', read)
    stream.on('error', (error) => {
      this.#error = error
    })
  }

  expire(afterMs: number): void {
    this.#expiredAfterMs = afterMs
    this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  failure(): GrpcError | undefined {
    if (this.#status === grpcCode.ok) return undefined
    if (this.#status !== undefined) return new GrpcError(this.#status, this.#message, !isRefusal(this.#message))
    if (this.#expiredAfterMs > 0) {
      const message = `${this.#endpoint} did not answer within ${Math.round(this.#expiredAfterMs)} ms`
      return new GrpcError(grpcCode.deadlineExceeded, message, true)
    }
    // A stream without a number has not left this process.
    const isRefused = this.#stream.id === undefined || this.#stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
    const why = this.#error?.message ?? 'the connection was lost'
    return new GrpcError(grpcCode.unavailable, `${this.#endpoint}: ${why}`, !isRefused, { cause: this.#error })
  }
}

/** What etcd says when it has not handed a request to its log. */
const refusals = ['etcdserver: no leader', 'raft proposal dropped', 'etcdserver: too many requests']

function isRefusal(message: string): boolean {
  return refusals.includes(message)
}

function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const headBytes = 5

function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  message.copy(frame, headBytes)
  return frame
}

/** Cuts a stream of bytes into the messages it is made of. */
class MessageReader {
  #chunks: Buffer[] = []
  #length = 0

  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    const messages: Buffer[] = []
    for (let message = this.#take(); message; message = this.#take()) messages.push(message)
    return messages
  }

  #take(): Buffer | undefined {
    if (this.#length < headBytes) return undefined
    const needed = headBytes + this.#joined(headBytes).readUInt32BE(1)
    if (this.#length < needed) return undefined
    const bytes = this.#joined(needed)
    const rest = bytes.subarray(needed)
    this.#chunks = rest.length > 0 ? [rest, ...this.#chunks.slice(1)] : this.#chunks.slice(1)
    this.#length -= needed
    return bytes.subarray(headBytes, needed)
  }

  /** The first chunk, made to hold at least `length` bytes: a large message is copied once, when it is there. */
  #joined(length: number): Buffer {
    if (this.#chunks[0]!.length < length) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }
}
