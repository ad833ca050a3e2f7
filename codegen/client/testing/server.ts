import {
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { ApiAccess } from '@keelson/apis/plugin/v1/host.ts'
import { selfSigned } from './tls.ts'

/** A request as the handler of a test server sees it, with the means to answer. */
export interface Call {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
  stream: ServerHttp2Stream
  json(status: number, body: unknown, headers?: Record<string, string>): void
}

export interface TestServer extends AsyncDisposable {
  access: ApiAccess
  sessions: Set<Http2Session>
  /** Sessions accepted so far. */
  readonly accepted: number
}

/** A real HTTP/2 server with TLS on a port of its own, which answers with `handle`. For tests. */
export async function startServer(
  handle: (call: Call) => void,
  options: SecureServerOptions = {},
  port = 0,
  certificate = selfSigned(),
): Promise<TestServer> {
  const sessions = new Set<Http2Session>()
  let accepted = 0
  const server = createSecureServer({ ...certificate, ...options })
  server.on('session', (session) => {
    accepted++
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => handle(callOf(stream, headers, Buffer.concat(chunks).toString())))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    access: { server: `https://127.0.0.1:${address.port}`, caData: certificate.cert, token: () => 'secret' },
    sessions,
    get accepted() {
      return accepted
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const session of sessions) session.destroy()
      await closed
    },
  }
}

function callOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: string): Call {
  return {
    method: String(headers[':method']),
    path: String(headers[':path']),
    headers,
    body,
    stream,
    json(status, answer, extra = {}) {
      stream.respond({ ':status': status, 'content-type': 'application/json', ...extra })
      stream.end(JSON.stringify(answer))
    },
  }
}
