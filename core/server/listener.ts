import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import type { Status } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import {
  findStatusError,
  newBadRequest,
  newMethodNotAllowed,
  newTimeout,
  type StatusError,
  statusOf,
} from '#core/errors/status-error.ts'
import type { ExchangeContext } from './base-exchange.ts'
import type { Exchange, UpgradeExchange } from './exchange.ts'
import { H1Exchange } from './exchange-h1.ts'
import { H2Exchange } from './exchange-h2.ts'
import { originForm } from './request-target.ts'
import { TokenBucket } from './token-bucket.ts'
import { isStreamingUpgrade, RequestUpgrade, writeLastAnswer } from './upgrade.ts'

/** PEM. */
export interface TlsMaterial {
  cert: string
  key: string
  /** The authority of client certificates. */
  ca: string
}

export interface ListenLimits {
  /** For the TLS handshake. */
  handshakeTimeoutMs: number
  /** From the first byte of an HTTP/1.1 request (or the connection's start) to the end of its head. */
  headersTimeoutMs: number
  /** For all of a request to arrive; says nothing of the answer, so watches live on. */
  requestTimeoutMs: number
  /** A connection without a request or a watch is closed after this. */
  idleTimeoutMs: number
  maxHeaderBytes: number
  /** Per HTTP/2 connection. */
  maxConcurrentStreams: number
  /** Per HTTP/2 connection: requests a client may take back at once before it is cut off, and each second. */
  maxResets: { burst: number; perSecond: number }
  /** Per HTTP/2 connection: pings. Under a flood of them node may stop reading, and not hear that the client is gone. */
  maxPings: { burst: number; perSecond: number }
  /** Memory an HTTP/2 connection may hold, its unsent answers included. */
  maxSessionMegabytes: number
}

export const defaultLimits: ListenLimits = {
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 30_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 90_000,
  maxHeaderBytes: 64 * 1024,
  maxConcurrentStreams: 2048,
  maxResets: { burst: 8192, perSecond: 200 },
  maxPings: { burst: 256, perSecond: 10 },
  maxSessionMegabytes: 512,
}

export interface ListenOptions {
  host: string
  /** 0 lets the system choose. */
  port: number
  tls: TlsMaterial
  /** Whatever it throws is answered: a StatusError as itself, anything else as InternalError. */
  onExchange(exchange: Exchange): void | Promise<void>
  /** Absent: upgrades are refused. */
  onUpgrade?(upgrade: UpgradeExchange): void | Promise<void>
  limits?: Partial<ListenLimits>
  log?: Logger
}

export interface ConnectionCounts {
  h1: number
  h2: number
  upgraded: number
}

export interface Listener extends AsyncDisposable {
  readonly address: { host: string; port: number }
  connections(): ConnectionCounts
  /** New connections get the new certificate; open ones keep the one they began with. */
  renew(tls: TlsMaterial): void
  /**
   * Stops accepting, ends the answers marked `endOnShutdown`, lets requests in flight finish, and after `graceMs` destroys what is left.
   * Resolves when every connection is closed.
   */
  close(options: { graceMs: number }): Promise<void>
}

/** Uploads seldom pass the 3 MB a request may have: room for one without waiting, and a few at once. */
const streamWindowBytes = 1024 * 1024
const connectionWindowBytes = 16 * 1024 * 1024

const noLimit = 2 ** 31 - 1

const json = 'application/json'
const ignore = () => undefined

/** Opens the one port of the API server: TLS, with HTTP/2 and HTTP/1.1 behind it. @throws when the address cannot be had */
export async function listen(options: ListenOptions): Promise<Listener> {
  const front = new Front(options)
  await front.open()
  return front
}

/** A connection after its TLS handshake. */
interface Connection {
  kind: keyof ConnectionCounts
  socket: TLSSocket
  /** HTTP/2 only. */
  session?: ServerHttp2Session
  /** HTTP/2 only: answers being written in pieces. */
  streaming: number
  /** HTTP/1.1 only: answers not finished, the newest last. */
  open: ServerResponse[]
}

class Front implements Listener {
  readonly #options: ListenOptions
  readonly #limits: ListenLimits
  readonly #server: Server
  readonly #connections = new Map<TLSSocket, Connection>()
  /** Below TLS: also those whose handshake is not done. */
  readonly #sockets = new Set<Socket>()
  readonly #counts: ConnectionCounts = { h1: 0, h2: 0, upgraded: 0 }
  readonly #context: ExchangeContext
  #closed: Promise<void> | undefined

  constructor(options: ListenOptions) {
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#context = { bodyTimeoutMs: this.#limits.requestTimeoutMs, isClosing: false, endless: new Set() }
    this.#server = this.#createServer()
  }

  get address() {
    const { address, port } = this.#server.address() as AddressInfo
    return { host: address, port }
  }

  connections(): ConnectionCounts {
    return { ...this.#counts }
  }

  renew(tls: TlsMaterial): void {
    this.#server.setSecureContext(secureContext(tls))
  }

  open(): Promise<void> {
    const { host, port } = this.#options
    return new Promise((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException) => reject(whyNot(error, host, port))
      this.#server.once('error', refuse)
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', refuse)
        this.#server.on('error', (error) => this.#options.log?.error('listener failed', { error: error.message }))
        resolve()
      })
    })
  }

  close({ graceMs }: { graceMs: number }): Promise<void> {
    return (this.#closed ??= this.#close(graceMs))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ graceMs: 0 })
  }

  async #close(graceMs: number): Promise<void> {
    this.#context.isClosing = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const reply of [...this.#context.endless]) reply.end()
    for (const connection of this.#connections.values()) this.#endWhenDone(connection)
    this.#dropUnfinishedHandshakes()
    const deadline = setTimeout(() => this.#destroyAll(), graceMs)
    await closed
    // The sockets below are closed; those of TLS say so a little later.
    await Promise.all([...this.#connections.keys()].map((socket) => once(socket, 'close')))
    clearTimeout(deadline)
  }

  #endWhenDone({ kind, socket, session, open }: Connection): void {
    if (session) session.close()
    else if (kind === 'h1' && open.length === 0) socket.destroySoon()
  }

  /** When all that was served is closed, what remains never came to a request. */
  #dropUnfinishedHandshakes(): void {
    if (this.#context.isClosing && this.#connections.size === 0) this.#destroyAll()
  }

  #destroyAll(): void {
    for (const { session, socket } of this.#connections.values()) {
      session?.destroy()
      socket.destroy()
    }
    for (const socket of this.#sockets) socket.destroy()
  }

  /**
   * Node's HTTPS server accepts, does TLS and serves HTTP/1.1; the connections that chose HTTP/2 are taken from it.
   * That keeps node's checks of slow heads, which only run in a server that listens itself.
   */
  #createServer(): Server {
    const limits = this.#limits
    const server = createServer({
      ...secureContext(this.#options.tls),
      ALPNProtocols: ['h2', 'http/1.1'],
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
      maxHeaderSize: limits.maxHeaderBytes,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      shouldUpgradeCallback: isStreamingUpgrade,
    })
    const serveH1 = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
    server.removeAllListeners('secureConnection')
    server.on('connection', (socket) => this.#trackSocket(socket))
    server.on('secureConnection', (socket) => {
      const connection = this.#accept(socket)
      if (socket.alpnProtocol === 'h2') this.#serveH2(connection)
      else for (const serve of serveH1) serve.call(server, socket)
    })
    server.on('request', (request, response) => this.#onRequest(request, response, false))
    server.on('checkContinue', (request, response) => this.#onRequest(request, response, true))
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket as TLSSocket, head))
    server.on('clientError', (error, socket) => this.#onClientError(error, socket as TLSSocket))
    return server
  }

  #trackSocket(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', ignore)
  }

  #accept(socket: TLSSocket): Connection {
    const connection: Connection = { kind: socket.alpnProtocol === 'h2' ? 'h2' : 'h1', socket, streaming: 0, open: [] }
    this.#connections.set(socket, connection)
    this.#counts[connection.kind]++
    // A broken connection is its client's loss. Node takes its own handler away on an upgrade; this one stays.
    socket.on('error', ignore)
    socket.once('close', () => this.#forget(connection))
    if (this.#context.isClosing) socket.destroy()
    return connection
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection.socket)
    this.#counts[connection.kind]--
    this.#dropUnfinishedHandshakes()
  }

  #serveH2(connection: Connection): void {
    const { socket } = connection
    const limits = this.#limits
    if (socket.destroyed) return
    const session = performServerHandshake(socket, {
      maxSessionMemory: limits.maxSessionMegabytes,
      // Past its own limit node reads no more, and keeps the connection all the same.
      streamResetBurst: noLimit,
      streamResetRate: noLimit,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindowBytes,
        maxConcurrentStreams: limits.maxConcurrentStreams,
        maxHeaderListSize: limits.maxHeaderBytes,
      },
    })
    connection.session = session
    session.on('error', ignore)
    session.setLocalWindowSize(connectionWindowBytes)
    this.#closeWhenIdle(connection, session)
    const cutOff = () => session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
    const pings = new TokenBucket(limits.maxPings.burst, limits.maxPings.perSecond)
    session.on('ping', () => {
      if (!pings.take()) cutOff()
    })
    const resets = new TokenBucket(limits.maxResets.burst, limits.maxResets.perSecond)
    function countReset(this: ServerHttp2Stream): void {
      if (this.rstCode && !resets.take()) cutOff()
    }
    session.on('stream', (stream, headers, _flags, rawHeaders) => {
      stream.on('close', countReset)
      this.#onStream(connection, stream as ServerHttp2Stream, headers, rawHeaders as unknown as string[])
    })
  }

  /**
   * A connection is idle when nothing passed for a while and no answer is being written in pieces: a quiet watch is not idle.
   * It is closed gently, so a slow short request still ends; what has not ended a while later is stuck.
   */
  #closeWhenIdle(connection: Connection, session: ServerHttp2Session): void {
    const idleMs = this.#limits.idleTimeoutMs
    session.on('timeout', () => {
      if (connection.streaming === 0) {
        if (session.closed) session.destroy()
        else session.close()
      }
      // Not every end of an answer counts as activity, so the timer is wound again here.
      if (!session.destroyed) session.setTimeout(idleMs)
    })
    session.setTimeout(idleMs)
  }

  #onStream(
    connection: Connection,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: string[],
  ): void {
    stream.on('error', ignore)
    const target = originForm(headers[':path'] as string | undefined)
    const exchange = new H2Exchange(stream, headers, rawHeaders, target ?? '/', connection, this.#context)
    this.#dispatch(exchange, target !== undefined)
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void {
    const connection = this.#connections.get(request.socket as TLSSocket)
    connection?.open.push(response)
    response.on('error', ignore)
    response.once('close', () => {
      if (!connection) return
      connection.open.splice(connection.open.indexOf(response), 1)
      if (this.#context.isClosing) this.#endWhenDone(connection)
    })
    const target = originForm(request.url)
    const exchange = new H1Exchange(request, response, target ?? '/', awaitsContinue, this.#context)
    this.#dispatch(exchange, target !== undefined)
  }

  #dispatch(exchange: Exchange, isPath: boolean): void {
    try {
      if (!isPath) throw noPath(exchange.method)
      this.#options.onExchange(exchange)?.catch((error) => this.#fail(exchange, error))
    } catch (error) {
      this.#fail(exchange, error)
    }
  }

  #fail(exchange: Exchange, error: unknown): void {
    const status = this.#statusOfFailure(error, exchange)
    if (exchange.answered) exchange.abort()
    else exchange.send(status.code ?? 500, json, JSON.stringify(status))
  }

  #onUpgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    const connection = this.#connections.get(socket)
    if (connection) {
      this.#counts[connection.kind]--
      connection.kind = 'upgraded'
      this.#counts.upgraded++
    }
    const target = originForm(request.url)
    const upgrade = new RequestUpgrade(request, target ?? '/', head)
    const fail = (error: unknown) => {
      const status = this.#statusOfFailure(error, upgrade)
      upgrade.refuse(status.code ?? 500, json, JSON.stringify(status))
    }
    try {
      if (target === undefined || !this.#options.onUpgrade) throw newBadRequest('this path cannot be upgraded')
      this.#options.onUpgrade(upgrade)?.catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  #statusOfFailure(error: unknown, request: { method: string; path: string }): Status {
    if (!findStatusError(error)) {
      const { method, path } = request
      this.#options.log?.error('request failed', { method, path, error: error instanceof Error ? error.stack : error })
    }
    return statusOf(error)
  }

  /** Broken TLS, malformed HTTP/1.1, heads that are too large or too slow. */
  #onClientError(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const connection = this.#connections.get(socket)
    const status = statusOfClientError(error.code)
    const mayAnswer = connection && status && !connection.open.some((response) => response.headersSent)
    if (mayAnswer) writeLastAnswer(socket, status.code ?? 400, json, JSON.stringify(status))
    else socket.destroy()
  }
}

function whyNot(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code !== 'EADDRINUSE') return error
  return new Error(`port ${port} of ${host} is taken: end what listens there, or choose another with --port`)
}

function secureContext({ cert, key, ca }: TlsMaterial): SecureContextOptions {
  return { cert, key, ca, minVersion: 'TLSv1.2' }
}

function noPath(method: string): StatusError {
  return method === 'CONNECT' ? newMethodNotAllowed() : newBadRequest('the request target is not a path')
}

/** @returns undefined when nobody is left to be told */
function statusOfClientError(code: string | undefined): Status | undefined {
  if (code === 'ECONNRESET' || code === 'EPIPE') return undefined
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { ...newTimeout('the request did not arrive in time').status, code: 408 }
  if (code === 'HPE_HEADER_OVERFLOW') return { ...newBadRequest('the request head is too large').status, code: 431 }
  return newBadRequest('malformed HTTP request').status
}
