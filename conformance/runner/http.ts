/** Requests as they go over the wire, for what no client lets through: odd methods, headers and bodies. */

import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import type { ApiAccess } from '@keelson/apis/plugin/v1/host.ts'

export interface RawRequest {
  method?: string
  /** Escaped path and query. */
  path: string
  headers?: Record<string, string>
  /** Sent as JSON unless a string or Buffer. */
  body?: unknown
  signal?: AbortSignal
}

export interface RawResponse {
  status: number
  headers: IncomingHttpHeaders
  text: string
  bytes: Buffer
  /** The body as JSON. @throws when it is none */
  json<T = Record<string, unknown>>(): T
}

export interface HttpClient extends Disposable {
  send(request: RawRequest): Promise<RawResponse>
}

function encode(body: unknown): string | Buffer | undefined {
  return body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
}

/** HTTP/1.1, one connection a request under way; never repeats anything. */
export function openHttp(access: ApiAccess): HttpClient {
  const { clientCertificate } = access
  const { hostname, port, pathname } = new URL(access.server)
  const base = pathname.replace(/\/$/, '')
  const agent = new Agent({
    keepAlive: true,
    ...(access.caData && { ca: access.caData }),
    ...(clientCertificate && { cert: clientCertificate.certData, key: clientCertificate.keyData }),
  })

  return {
    send({ method = 'GET', path, headers = {}, body, signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<RawResponse>()
      const payload = encode(body)
      const outgoing = request({
        hostname,
        port,
        // As it is: a URL would resolve dots, escaped ones too.
        path: base + path,
        method,
        agent,
        signal,
        headers: {
          ...(access.token && { authorization: `Bearer ${access.token()}` }),
          ...(payload !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(payload),
          }),
          ...headers,
        },
      })
      outgoing.on('error', reject)
      outgoing.on('response', async (incoming) => {
        try {
          const bytes = Buffer.concat(await incoming.toArray())
          const text = bytes.toString()
          const { statusCode: status = 0, headers } = incoming
          resolve({ status, headers, text, bytes, json: () => JSON.parse(text) })
        } catch (error) {
          reject(error)
        }
      })
      outgoing.end(payload)
      return promise
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}
