import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { BaseExchange, type ExchangeContext } from './base-exchange.ts'
import type { ReplyStream } from './exchange.ts'
import { SinkReplyStream } from './reply-stream.ts'
import { isDeclaredTooLarge, readBody } from './request-body.ts'

/** An exchange over HTTP/1.1; node's server takes care of pipelining, keep-alive and chunks. */
export class H1Exchange extends BaseExchange {
  readonly protocol = 'h1'
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  /** The client waits for `100 Continue` before it sends the body. */
  #awaitsContinue: boolean

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    target: string,
    awaitsContinue: boolean,
    context: ExchangeContext,
  ) {
    super(request.method as string, target, request.socket as TLSSocket, context)
    this.#request = request
    this.#response = response
    this.#awaitsContinue = awaitsContinue
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name]
    return typeof value === 'object' ? value.join(', ') : value
  }

  protected get gone(): boolean {
    return this.#response.destroyed || this.socket.destroyed
  }

  protected watchClose(listener: () => void): void {
    this.#response.once('close', listener)
  }

  protected readBody(limitBytes: number): Promise<Buffer> {
    const declared = this.#request.headers['content-length']
    if (this.#awaitsContinue && !isDeclaredTooLarge({ declared, limitBytes }) && !this.answered) {
      this.#awaitsContinue = false
      this.#response.writeContinue()
    }
    return readBody(this.#request, { limitBytes, timeoutMs: this.context.bodyTimeoutMs, declared })
  }

  openBody(): Readable | undefined {
    const { headers } = this.#request
    if (headers['transfer-encoding'] === undefined && !Number(headers['content-length'])) return undefined
    if (this.#awaitsContinue) {
      this.#awaitsContinue = false
      this.#response.writeContinue()
    }
    return this.#request
  }

  protected writeHead(status: number, contentType: string, length: number | undefined): void {
    const headers: string[] = []
    if (status !== 204 && status !== 304) {
      headers.push('content-type', contentType)
      if (length !== undefined) headers.push('content-length', String(length))
    }
    this.addOtherHeaders(headers)
    // Nobody can tell whether a client that was not told to continue sends its body all the same.
    if (this.#awaitsContinue || this.context.isClosing) headers.push('connection', 'close')
    this.#response.writeHead(status, headers)
  }

  protected writeBody(body: Buffer): void {
    this.#response.end(body)
  }

  protected openStream(): ReplyStream {
    const response = this.#response
    if (!this.gone) response.flushHeaders()
    return new SinkReplyStream(
      response,
      this.replyHooks(() => this.abort()),
    )
  }

  abort(): void {
    this.#response.destroy()
  }
}
