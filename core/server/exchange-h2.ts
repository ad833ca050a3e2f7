import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { BaseExchange, type ExchangeContext } from './base-exchange.ts'
import type { ReplyStream } from './exchange.ts'
import { SinkReplyStream } from './reply-stream.ts'
import { isDeclaredTooLarge, readBody } from './request-body.ts'

/** What the streams of one connection share. */
export interface H2Connection {
  readonly socket: TLSSocket
  /** Answers being written in pieces: while there are any, the connection is not idle. */
  streaming: number
}

/** An exchange on one HTTP/2 stream, without node's compatibility layer. */
export class H2Exchange extends BaseExchange {
  readonly protocol = 'h2'
  readonly rawHeaders: readonly string[]
  readonly #stream: ServerHttp2Stream
  readonly #connection: H2Connection
  readonly #headers: IncomingHttpHeaders

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    target: string,
    connection: H2Connection,
    context: ExchangeContext,
  ) {
    super(headers[':method'] as string, target, connection.socket, context)
    this.#connection = connection
    this.#stream = stream
    this.#headers = headers
    this.rawHeaders = rawHeaders
  }

  header(name: string): string | undefined {
    const value = this.#headers[name] ?? (name === 'host' ? this.#headers[':authority'] : undefined)
    return typeof value === 'object' ? value.join(', ') : value
  }

  protected get gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  protected watchClose(listener: () => void): void {
    this.#stream.once('close', listener)
  }

  protected readBody(limitBytes: number): Promise<Buffer> {
    const stream = this.#stream
    const declared = this.#headers['content-length']
    if (!isDeclaredTooLarge({ declared, limitBytes })) this.#continue()
    return readBody(stream, { limitBytes, timeoutMs: this.context.bodyTimeoutMs, declared })
  }

  openBody(): Readable | undefined {
    if (this.#stream.endAfterHeaders) return undefined
    this.#continue()
    return this.#stream
  }

  /** Tells a client that waits for it to send the body. */
  #continue(): void {
    if (this.#headers.expect?.toLowerCase() !== '100-continue' || this.answered || this.gone) return
    this.#stream.additionalHeaders({ ':status': 100 })
  }

  protected writeHead(status: number, contentType: string, length: number | undefined): void {
    const headers: (string | number)[] = [':status', status]
    if (status !== 204 && status !== 304) {
      headers.push('content-type', contentType)
      if (length !== undefined) headers.push('content-length', length)
    }
    this.addOtherHeaders(headers)
    this.#stream.respond(headers as unknown as string[])
  }

  protected writeBody(body: Buffer): void {
    const stream = this.#stream
    // Node has ended the stream itself after a head that allows no body.
    if (!stream.writableEnded) stream.end(body)
    // A request that was not read to its end (too large, refused) would hold its stream for as long as the client likes.
    if (!stream.readableEnded && stream.readableFlowing) {
      stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR))
    }
  }

  protected openStream(): ReplyStream {
    const connection = this.#connection
    const reply = new SinkReplyStream(
      this.#stream,
      this.replyHooks(() => this.abort()),
    )
    connection.streaming++
    reply.onClose(() => connection.streaming--)
    return reply
  }

  abort(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }
}
