import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { http } from '../node-http.ts'
import type { Upgrade } from './types.ts'

/** The two ways a client may ask for a streaming connection, and how each is granted or refused. */

const maxMessageBytes = 16 * 1024 * 1024

export function isWebSocketUpgrade(upgrade: Upgrade): boolean {
  return upgrade.request.headers.upgrade?.toLowerCase() === 'websocket'
}

export function queryOf(upgrade: Upgrade): URLSearchParams {
  const url = upgrade.request.url ?? ''
  const at = url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
}

/** Answers an upgrade that is not granted and closes the connection. */
export function refuseUpgrade(socket: Duplex, status: number, message: string, headers: readonly string[] = []): void {
  const body = `${message}\n`
  // A client that is gone already has nothing to be told.
  socket.on('error', () => {})
  socket.end(
    [
      `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      ...headers,
      '',
      body,
    ].join('\r\n'),
  )
}

/**
 * Grants SPDY/3.1, or refuses it.
 * @param supported values of X-Stream-Protocol-Version this end speaks; the client's order decides
 * @param fallback what a client speaks that names none; absent: such a client is refused
 * @returns the version to speak, or undefined when it was refused
 */
export function grantSpdy(upgrade: Upgrade, supported: readonly string[], fallback?: string): string | undefined {
  const { request, socket } = upgrade
  if (!request.headers.upgrade?.toLowerCase().includes('spdy/3.1')) {
    refuseUpgrade(socket, 400, 'unable to upgrade: missing upgrade headers in request')
    return undefined
  }
  const offered = listed(request.headers['x-stream-protocol-version'])
  const chosen = offered.length > 0 ? offered.find((one) => supported.includes(one)) : fallback
  if (!chosen) {
    refuseUpgrade(
      socket,
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${supported.join(' ')}]`,
      supported.map((one) => `X-Accepted-Stream-Protocol-Versions: ${one}`),
    )
    return undefined
  }
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n' +
      `X-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
  )
  return chosen
}

/**
 * Grants a WebSocket, or refuses it. Subprotocols are negotiated here because `SPDY/3.1+portforward.k8s.io` is not the
 * token RFC 6455 asks for, which `ws` insists on.
 * @param supported subprotocols; an empty one allows clients that name none
 */
export async function grantWebSocket(
  upgrade: Upgrade,
  supported: readonly string[],
): Promise<{ socket: WebSocket; protocol: string } | undefined> {
  const { 'sec-websocket-protocol': wanted, ...headers } = upgrade.request.headers
  const offered = wanted === undefined ? [''] : listed(wanted)
  const protocol = offered.find((one) => supported.includes(one))
  if (protocol === undefined) {
    const what = `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${supported.join(' ')}]`
    refuseUpgrade(upgrade.socket, 403, what)
    return undefined
  }
  const socket = await acceptWebSocket(upgrade, headers, protocol)
  return socket && { socket, protocol }
}

function acceptWebSocket(
  { request, socket, head }: Upgrade,
  headers: Upgrade['request']['headers'],
  protocol: string,
): Promise<WebSocket | undefined> {
  return new Promise((resolve) => {
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxMessageBytes })
    server.on('headers', (lines) => {
      if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
    })
    server.on('wsClientError', (error) => {
      refuseUpgrade(socket, 400, error.message)
      resolve(undefined)
    })
    socket.once('close', () => resolve(undefined))
    const bare = Object.assign(Object.create(request), { method: 'GET', url: request.url ?? '/', headers })
    server.handleUpgrade(bare, socket, head, resolve)
  })
}

function listed(header: string | readonly string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
