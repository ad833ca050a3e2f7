import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, request as requestTls } from 'node:https'
import type { Readable } from 'node:stream'
import type { Logger } from '#apis/plugin/v1/host.ts'
import {
  answeredHeaders,
  checkPath,
  forwardedHeaders,
  hostHeader,
  type ProxyTarget,
  tlsOptions,
} from '#core/endpoints/connect-proxy-target.ts'
import { findStatusError, newServiceUnavailable, newTimeout } from '#core/errors/status-error.ts'
import type { Exchange, ReplyStream } from '#core/server/exchange.ts'
import { readText } from '#core/server/read-text.ts'

/** Requests to an aggregated API server, over connections that are kept for the next ones: who asks is told by headers. */

const idleSocketMs = 60_000
/** As Kubernetes gives every request that is not a watch. */
const answerWithinMs = 60_000

export function newAgent(): Agent {
  return new Agent({ keepAlive: true, timeout: idleSocketMs })
}

/**
 * Passes a request on and its answer back, both as they come. Resolves when the answer has ended or the client is gone; of
 * a watch, when the answer has begun.
 * @param isWatch it may take as long as it likes, and ends when this server shuts down
 * @throws StatusError `ServiceUnavailable` when there is no answer, `Timeout` when none came in 60 seconds
 */
export async function forward(
  exchange: Exchange,
  target: ProxyTarget,
  agent: Agent,
  isWatch: boolean,
  log: Logger,
): Promise<void> {
  checkPath(target.path)
  const body = exchange.openBody()
  const { answer, request } = await send(exchange, target, agent, body, isWatch ? undefined : answerWithinMs)
  for (const [name, value] of answeredHeaders(answer.rawHeaders)) {
    if (name.toLowerCase() !== 'content-type') exchange.setHeader(name.toLowerCase(), value)
  }
  const reply = exchange.stream(answer.statusCode ?? 502, answer.headers['content-type'] ?? 'application/octet-stream')
  reply.onClose(() => request.destroy())
  const copied = copy(answer, reply).catch((error) => {
    log.warn('proxied answer was cut short', { path: exchange.path, host: target.host, error: String(error) })
    reply.destroy()
  })
  if (isWatch) reply.endOnShutdown()
  else await copied
}

interface Answered {
  request: ClientRequest
  answer: IncomingMessage
}

async function send(
  exchange: Exchange,
  target: ProxyTarget,
  agent: Agent,
  body: Readable | undefined,
  withinMs: number | undefined,
): Promise<Answered> {
  const headers = [
    ...forwardedHeaders(exchange.rawHeaders),
    ...(target.headers ?? []),
    ...(body ? [bodyHeader(exchange)] : []),
  ]
  const attempt = async () => {
    const request = open(exchange.method, target, headers, agent)
    exchange.signal.addEventListener('abort', () => request.destroy(), { once: true })
    return answerOf(request, body, withinMs)
  }
  try {
    // A kept connection may have been closed by the other side at the same moment.
    return await attempt().catch((error) => (error instanceof StaleConnection ? attempt() : Promise.reject(error)))
  } catch (error) {
    if (findStatusError(error)) throw error
    throw newServiceUnavailable(
      `error trying to reach service: ${error instanceof Error ? error.message : error}`,
      error,
    )
  }
}

function bodyHeader(exchange: Exchange): [string, string] {
  const length = exchange.header('content-length')
  return length === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', length]
}

export function open(
  method: string,
  target: ProxyTarget,
  headers: readonly (readonly [string, string])[],
  agent: Agent,
): ClientRequest {
  return requestTls({
    host: target.host,
    port: target.port,
    path: target.path,
    method,
    headers: [['Host', hostHeader(target)], ...headers].flat(),
    agent,
    ...tlsOptions(target),
  })
}

/** The connection had served before and was gone: nothing has been asked yet. */
class StaleConnection extends Error {}

function answerOf(request: ClientRequest, body: Readable | undefined, withinMs: number | undefined): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>()
  const late = () => {
    reject(newTimeout('request did not complete within the allotted timeout'))
    request.destroy()
  }
  const timer = withinMs === undefined ? undefined : setTimeout(late, withinMs)
  request.once('response', (answer) => {
    clearTimeout(timer)
    resolve({ request, answer })
  })
  request.on('error', (error) => {
    clearTimeout(timer)
    // What the client still sends has nowhere to go.
    body?.unpipe(request).resume()
    reject(request.reusedSocket && !body ? new StaleConnection(error.message, { cause: error }) : error)
  })
  if (body) body.pipe(request)
  else request.end()
  return promise
}

async function copy(answer: IncomingMessage, reply: ReplyStream): Promise<void> {
  for await (const chunk of answer) {
    if (reply.closed) return
    if (!reply.write(chunk as Buffer)) await reply.drained()
  }
  reply.end()
}

export interface FetchedDocument {
  status: number
  etag: string | undefined
  text: string
}

const documentLimitBytes = 64 * 1024 * 1024

/**
 * Reads a document of an aggregated API server, as this server and not for anybody.
 * @param etag of the one that is known
 * @throws Error when it does not come within `withinMs`, or is larger than 64 MiB
 */
export async function fetchDocument(
  target: ProxyTarget,
  agent: Agent,
  options: { withinMs: number; etag?: string | undefined },
): Promise<FetchedDocument> {
  const headers: (readonly [string, string])[] = [['Accept', 'application/json'], ...(target.headers ?? [])]
  if (options.etag) headers.push(['If-None-Match', options.etag])
  const request = open('GET', target, headers, agent)
  const { promise, resolve, reject } = Promise.withResolvers<FetchedDocument>()
  const timer = setTimeout(() => request.destroy(new Error('context deadline exceeded')), options.withinMs)
  request.once('response', (answer) => {
    readText(answer, documentLimitBytes).then(
      (text) => resolve({ status: answer.statusCode ?? 0, etag: answer.headers.etag, text }),
      reject,
    )
  })
  request.on('error', reject)
  request.end()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}
