import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import type { Authorize, Verdict } from './authorize.ts'
import type { Route, Routes } from './routes.ts'

export interface KubeletServerOptions {
  address: string
  /** 0 takes a free one. */
  port: number
  tls: { cert: string; key: string }
  /** PEM of the authority that clients' certificates are checked against. */
  caData: string
  /** Whose permissions count for requests that concern no pod. */
  nodeName: string
  authorize: Authorize
  routes: Routes
  log: Logger
}

/** The HTTPS API of a kubelet: what an API server, and metrics collectors, ask of a node. */
export interface KubeletServer extends AsyncDisposable {
  readonly port: number
}

export async function startKubeletServer(options: KubeletServerOptions): Promise<KubeletServer> {
  const { tls, caData, address, port } = options
  const server = createServer({ ...tls, ca: caData, requestCert: true, rejectUnauthorized: false })
  server.on('request', (request, response) => void answer(options, request, response))
  server.on('upgrade', (request, socket, head) => void upgrade(options, request, socket, head))
  server.on('tlsClientError', (_, socket) => socket.destroy())
  const sockets = openSockets(server)
  server.listen(port, address)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => close(server, sockets),
  }
}

/** The server itself forgets those that were upgraded, and those whose handshake is not done. */
function openSockets(server: Server): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>()
  const keep = (socket: Duplex) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  server.on('connection', keep).on('secureConnection', keep)
  return sockets
}

async function close(server: Server, sockets: ReadonlySet<Duplex>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  for (const socket of sockets) socket.destroy()
  await closed
}

/** Anyone may ask whether the agent is alive. */
const isOpen = ({ url = '' }: IncomingMessage) => url.split('?')[0] === '/healthz'

async function admit(
  { routes, authorize, nodeName }: KubeletServerOptions,
  request: IncomingMessage,
): Promise<Verdict | Route> {
  const route = routes.match(request)
  if (isOpen(request)) return route ?? { code: 401, message: 'Unauthorized' }
  const verdict = await authorize(request, route?.nodeName ?? nodeName)
  return verdict.code === 200 && route ? route : verdict
}

async function answer(
  options: KubeletServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const admitted = await admit(options, request)
    if ('code' in admitted)
      return refuse(response, admitted.code === 200 ? 404 : admitted.code, admitted.message || 'Not found')
    if (!admitted.respond) return refuse(response, 400, 'you must upgrade this request')
    await admitted.respond(request, response)
  } catch (error) {
    if (!response.headersSent) refuse(response, statusOf(error), (error as Error).message)
    else response.destroy()
  }
}

async function upgrade(
  options: KubeletServerOptions,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy())
  const refuseSocket = (code: number, message: string) => {
    const body = Buffer.from(`${message}\n`)
    const lines = [
      `HTTP/1.1 ${code} Refused`,
      'Content-Type: text/plain',
      `Content-Length: ${body.length}`,
      'Connection: close',
    ]
    socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]))
  }
  try {
    const admitted = await admit(options, request)
    if ('code' in admitted) refuseSocket(admitted.code === 200 ? 404 : admitted.code, admitted.message || 'Not found')
    else if (!admitted.upgrade) refuseSocket(400, 'this request cannot be upgraded')
    else await admitted.upgrade({ request, socket, head })
  } catch (error) {
    options.log.debug('streaming request failed', { url: request.url, error })
    refuseSocket(statusOf(error), (error as Error).message)
  }
}

/** A failure that says with which HTTP status it is to be reported. */
export class RequestError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const statusOf = (error: unknown) => (error instanceof RequestError ? error.code : 500)

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`)
}
