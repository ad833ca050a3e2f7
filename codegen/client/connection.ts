import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { ApiAccess } from '@keelson/apis/plugin/v1/host.ts'
import { ConnectionError } from './errors.ts'

/** One HTTP/2 session, from its handshake to its end. It is never revived: dial another. */
export interface Connection {
  /** False once the session is closed, or the server said it takes no more requests. */
  readonly usable: boolean
  /** False while the server's limit of concurrent streams is reached. */
  readonly hasRoom: boolean
  /** Resolves with the answer's head. @throws ConnectionError, or the signal's reason */
  send(headers: OutgoingHttpHeaders, body: Buffer | undefined, signal?: AbortSignal): Promise<Reply>
  close(): void
}

export interface Reply {
  status: number
  header(name: string): string | undefined
  /** Iterate it or read it whole; `cancel` it when the body is not wanted. */
  body: AsyncIterable<Buffer>
  readBody(): Promise<Buffer>
  cancel(): void
}

export interface ConnectionOptions {
  /** Milliseconds between pings. */
  pingIntervalMs: number
  /** Milliseconds a ping may stay unanswered before the peer counts as dead. */
  pingTimeoutMs: number
  dialTimeoutMs: number
}

/** A stream may hold this much unread; a slow reader of one watch must not stall the other streams of the session. */
const streamWindowBytes = 4 << 20
const sessionWindowBytes = 256 << 20

/**
 * Resolves once the server's settings are known, so that its stream limit is respected from the first request on.
 * @throws ConnectionError
 */
export function dial(access: ApiAccess, options: ConnectionOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const session = connect(access.server, {
      ca: access.caData || undefined,
      cert: access.clientCertificate?.certData,
      key: access.clientCertificate?.keyData,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    })
    const fail = (cause?: unknown) => {
      session.destroy()
      reject(new ConnectionError(`connect to ${access.server}: ${messageOf(cause)}`, { cause, isUnsent: true }))
    }
    const timer = setTimeout(() => fail(new Error(`no answer in ${options.dialTimeoutMs} ms`)), options.dialTimeoutMs)
    session.once('error', fail)
    session.once('close', fail)
    session.once('remoteSettings', () => {
      clearTimeout(timer)
      session.off('error', fail).off('close', fail)
      resolve(connectionOver(session, options))
    })
    session.once('close', () => clearTimeout(timer))
  })
}

const messageOf = (cause: unknown) => (cause instanceof Error ? cause.message : 'the connection was closed')

function connectionOver(session: ClientHttp2Session, options: ConnectionOptions): Connection {
  let failure: Error | undefined
  let openStreams = 0
  session.setLocalWindowSize(sessionWindowBytes)
  session.on('error', (error) => {
    failure = error
  })
  keepAlive(session, options, (error) => {
    failure = error
    session.destroy()
  })

  return {
    get usable() {
      return !session.closed && !session.destroyed
    },
    get hasRoom() {
      return openStreams < (session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY)
    },
    send(headers, body, signal) {
      return new Promise((resolve, reject) => {
        const stream = openStream(session, headers, body, signal)
        openStreams++
        let streamError: Error | undefined
        const broken = () => brokenStream(stream, streamError ?? failure, signal)
        stream.once('response', (answer) => resolve(replyOver(stream, answer, broken)))
        stream.on('error', (error) => {
          streamError = error
        })
        stream.once('close', () => {
          openStreams--
          reject(broken())
        })
      })
    },
    close() {
      session.destroy()
    },
  }
}

function openStream(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body: Buffer | undefined,
  signal: AbortSignal | undefined,
): ClientHttp2Stream {
  signal?.throwIfAborted()
  try {
    const stream = session.request(headers, { endStream: body === undefined, signal })
    if (body) stream.end(body)
    return stream
  } catch (cause) {
    throw new ConnectionError('the connection was closed before the request', { cause, isUnsent: true })
  }
}

/** Why a stream ended early: the caller's wish, a refusal that is safe to repeat, or a break. */
function brokenStream(stream: ClientHttp2Stream, cause: Error | undefined, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  const isUnsent = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
  const why = cause?.message ?? `the server closed the stream (code ${stream.rstCode})`
  return new ConnectionError(`the connection broke: ${why}`, { cause, isUnsent })
}

function replyOver(stream: ClientHttp2Stream, head: Record<string, unknown>, broken: () => unknown): Reply {
  return {
    status: Number(head[':status']),
    header: (name) => head[name] as string | undefined,
    body: readChunks(stream, broken),
    readBody: () => readWhole(stream, broken),
    cancel: () => stream.close(constants.NGHTTP2_CANCEL),
  }
}

async function* readChunks(stream: ClientHttp2Stream, broken: () => unknown): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer
    if (isCut(stream)) throw broken()
  } catch {
    throw broken()
  } finally {
    stream.close(constants.NGHTTP2_CANCEL)
  }
}

function readWhole(stream: ClientHttp2Stream, broken: () => unknown): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.once('close', () => {
      if (isCut(stream) || !stream.readableEnded) reject(broken())
      else resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
    })
  })
}

/** Node ends the readable side of a reset stream as if it were whole; the code tells. */
const isCut = (stream: ClientHttp2Stream) => stream.aborted || (stream.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR

/** A peer that vanished without closing the connection is found by a ping it does not answer. */
function keepAlive(session: ClientHttp2Session, options: ConnectionOptions, onDead: (error: Error) => void): void {
  let isAnswered = true
  const expire = () => {
    if (!isAnswered && !session.destroyed) onDead(new Error(`no answer to a ping in ${options.pingTimeoutMs} ms`))
  }
  const ping = () => {
    if (session.destroyed || !isAnswered) return
    isAnswered = !session.ping(() => {
      isAnswered = true
    })
    // The answer may be waiting in the socket when this thread was busy: let the loop read it before judging.
    setTimeout(() => setImmediate(expire), options.pingTimeoutMs).unref()
  }
  const timer = setInterval(ping, options.pingIntervalMs).unref()
  session.once('close', () => clearInterval(timer))
}
