import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Exchange, ReplyStream } from './exchange.ts'
import { http } from './node-http.ts'
import { pathOf, queryOf } from './request-target.ts'

/** What the exchanges of one listener share. */
export interface ExchangeContext {
  /** Milliseconds a client has to send a request's body. */
  bodyTimeoutMs: number
  /** True once the listener shuts down: HTTP/1.1 answers then end their connection. */
  isClosing: boolean
  /** Answers to end when it does. */
  endless: Set<ReplyStream>
}

/** The half of an exchange that does not depend on the protocol. Everything a plain GET does not need is made on first use. */
export abstract class BaseExchange implements Exchange {
  abstract readonly protocol: 'h1' | 'h2'
  abstract readonly rawHeaders: readonly string[]
  readonly method: string
  readonly target: string
  readonly socket: TLSSocket
  answered = false

  protected readonly context: ExchangeContext
  /** Set by others; names and values alternating. */
  #extraHeaders: string[] | undefined
  #status = 0
  #bytes = 0
  #path: string | undefined
  #query: URLSearchParams | undefined
  #abort: AbortController | undefined
  #body: Promise<Buffer> | undefined
  /** All of the answer was written. */
  #complete = false
  /** It was, or it cannot be any more. */
  #ended = false
  #endListeners: (() => void)[] | undefined

  constructor(method: string, target: string, socket: TLSSocket, context: ExchangeContext) {
    this.method = method
    this.target = target
    this.socket = socket
    this.context = context
  }

  abstract header(name: string): string | undefined
  /** True when the client can no longer be answered. */
  protected abstract get gone(): boolean
  /** Calls `listener` when the client's share of this exchange is closed, for whatever reason. */
  protected abstract watchClose(listener: () => void): void
  protected abstract readBody(limitBytes: number): Promise<Buffer>
  /** @param length of the body; undefined when it is not known yet */
  protected abstract writeHead(status: number, contentType: string, length: number | undefined): void
  protected abstract writeBody(body: Buffer): void
  protected abstract openStream(): ReplyStream
  abstract openBody(): Readable | undefined
  abstract abort(): void

  get path(): string {
    return (this.#path ??= pathOf(this.target))
  }

  get query(): URLSearchParams {
    return (this.#query ??= queryOf(this.target))
  }

  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal
    const abort = new AbortController()
    this.#abort = abort
    const abortUnlessComplete = () => {
      if (!this.#complete) abort.abort()
    }
    if (this.gone) abortUnlessComplete()
    else this.watchClose(abortUnlessComplete)
    return abort.signal
  }

  body(limitBytes: number): Promise<Buffer> {
    return (this.#body ??= this.readBody(limitBytes))
  }

  setHeader(name: string, value: string): void {
    http.validateHeaderValue(name, value)
    const headers = (this.#extraHeaders ??= [])
    const at = name === 'warning' ? -1 : headers.findIndex((header, index) => index % 2 === 0 && header === name)
    if (at < 0) headers.push(name, value)
    else headers[at + 1] = value
  }

  send(status: number, contentType: string, body: Buffer | string): void {
    this.#begin(status)
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    if (!this.gone) {
      this.writeHead(status, contentType, bytes.length)
      if (this.method !== 'HEAD') this.#bytes = bytes.length
      this.writeBody(bytes)
    }
    this.#complete = true
    this.#end()
  }

  stream(status: number, contentType: string): ReplyStream {
    this.#begin(status)
    if (!this.gone) this.writeHead(status, contentType, undefined)
    const reply = this.openStream()
    if (this.method === 'HEAD') reply.end()
    return reply
  }

  get sent(): { status: number; bytes: number } {
    return { status: this.#status, bytes: this.#bytes }
  }

  onEnd(listener: () => void): void {
    if (this.#ended || this.gone) {
      this.#ended = true
      listener()
    } else if (this.#endListeners) this.#endListeners.push(listener)
    else {
      this.#endListeners = [listener]
      this.watchClose(() => this.#end())
    }
  }

  /** The headers every answer has, then those that were set. @param to names and values alternating */
  protected addOtherHeaders(to: (string | number)[]): void {
    const extra = this.#extraHeaders
    if (!extra?.includes('cache-control')) to.push('cache-control', 'no-cache, private')
    if (extra) for (const part of extra) to.push(part)
  }

  /** What a stream of this exchange reports back to it. */
  protected replyHooks(cut: () => void) {
    return {
      endless: this.context.endless,
      onWrite: (bytes: number) => {
        this.#bytes += bytes
      },
      onClose: (complete: boolean) => {
        this.#complete = complete
        this.#end()
      },
      cut,
    }
  }

  #begin(status: number): void {
    if (this.answered) throw new Error(`answer ${this.method} ${this.path} with ${status}: it was answered before`)
    this.answered = true
    this.#status = status
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#endListeners) for (const listener of this.#endListeners) listener()
  }
}
