import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { UpgradeExchange } from './exchange.ts'
import { http } from './node-http.ts'
import { pathOf, queryOf } from './request-target.ts'

/** An answer written past node's response object, for connections that it has let go of; the connection ends behind it. */
export function writeLastAnswer(socket: Duplex, status: number, contentType: string, body: Buffer | string): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const bytes = Buffer.from(body)
  const head = [
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Unknown'}`,
    'connection: close',
    `content-type: ${contentType}`,
    `content-length: ${bytes.length}`,
    `date: ${new Date().toUTCString()}`,
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]), () => socket.destroy())
}

/** The protocols that exec, attach, port-forward and log streaming are spoken in; other upgrades are served as plain requests. */
export function isStreamingUpgrade(request: IncomingMessage): boolean {
  return /^(websocket|spdy\/3\.1)$/i.test(request.headers.upgrade ?? '')
}

export class RequestUpgrade implements UpgradeExchange {
  readonly method: string
  readonly target: string
  readonly socket: TLSSocket
  readonly head: Buffer
  readonly #request: IncomingMessage

  constructor(request: IncomingMessage, target: string, head: Buffer) {
    this.method = request.method as string
    this.target = target
    this.socket = request.socket as TLSSocket
    this.head = head
    this.#request = request
  }

  get path(): string {
    return pathOf(this.target)
  }

  get query(): URLSearchParams {
    return queryOf(this.target)
  }

  get rawHeaders(): readonly string[] {
    return this.#request.rawHeaders
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name]
    return typeof value === 'object' ? value.join(', ') : value
  }

  refuse(status: number, contentType: string, body: Buffer | string): void {
    writeLastAnswer(this.socket, status, contentType, body)
  }
}
