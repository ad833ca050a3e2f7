import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { Authorizer, Decision, RequestAttributes } from '#apis/plugin/v1/authorizer.ts'

export type { Authorizer, Decision, RequestAttributes, UserInfo }

/** The head of a request. */
export interface RequestHead {
  readonly method: string
  /** Path and query as sent, still escaped. */
  readonly target: string
  /** The path, still escaped: split on `/` first, then decode each segment. */
  readonly path: string
  /** Parsed on first use. */
  readonly query: URLSearchParams
  /** @param name in lower case */
  header(name: string): string | undefined
  /** Header names and values alternating, as received: for headers that repeat, or whose names are not known before. */
  readonly rawHeaders: readonly string[]
  /** The connection, for its client certificate and addresses. */
  readonly socket: TLSSocket
}

/**
 * One request and its answer, the same for HTTP/1.1 and HTTP/2 so that nothing behind the listener knows which it is.
 * HTTP/2 is served through node's `stream` API: its compatibility layer costs 1.5-1.9 times as much on small GETs.
 */
export interface Exchange extends RequestHead {
  readonly protocol: 'h1' | 'h2'
  /** Aborted when the client is gone before the answer ended. Made on first use. */
  readonly signal: AbortSignal
  /** Reads the whole body. @throws StatusError `RequestEntityTooLarge` past `limitBytes`, `BadRequest` when cut short */
  body(limitBytes: number): Promise<Buffer>
  /** The body as it comes, for who passes it on; undefined when there is none. Instead of `body`, and at most once. */
  openBody(): Readable | undefined
  /** Adds a header to whatever answer follows. A repeated `warning` is appended, others replaced. */
  setHeader(name: string, value: string): void
  /** Answers in one piece. */
  send(status: number, contentType: string, body: Buffer | string): void
  /** Starts an answer that is written in pieces. */
  stream(status: number, contentType: string): ReplyStream
  /** Cuts the answer off so that the client notices: for failures after it began. */
  abort(): void
  /** True once `send` or `stream` was called. */
  readonly answered: boolean
  /** Status sent and body bytes written so far, for metrics and the access log. */
  readonly sent: { status: number; bytes: number }
  /** Calls once, when the answer is complete (handed to the connection) or the client is gone; at once when that has been. */
  onEnd(listener: () => void): void
}

export interface ReplyStream {
  /** @returns false when the client is slower than the writer: await `drained()` before writing more */
  write(chunk: Buffer): boolean
  /** Resolves when there is room again, or at once when the client is gone. */
  drained(): Promise<void>
  /** Bytes written and not yet taken by the connection. */
  readonly bufferedBytes: number
  end(chunk?: Buffer): void
  /** Ends the connection's share of this answer without a proper end. */
  destroy(): void
  /** True once the client is gone or the answer has ended. */
  readonly closed: boolean
  /** Calls once, when `closed` becomes true; at once when it is. */
  onClose(listener: () => void): void
  /** For answers without a natural end (a watch): the server ends it cleanly when it shuts down. */
  endOnShutdown(): void
}

/** An HTTP/1.1 `Upgrade` (SPDY or WebSocket): the raw connection and the bytes that came behind the request's head. */
export interface UpgradeExchange extends RequestHead {
  readonly head: Buffer
  /** Refuses the upgrade with an ordinary answer and closes the connection. */
  refuse(status: number, contentType: string, body: Buffer | string): void
}

/** Says who is asking, or undefined when it knows no credential of the request's. @throws StatusError `Unauthorized` for a bad credential */
export interface Authenticator {
  authenticate(
    exchange: Pick<Exchange, 'header' | 'rawHeaders' | 'socket'>,
  ): Promise<UserInfo | undefined> | UserInfo | undefined
}
