import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import type { Logger } from '#apis/plugin/v1/host.ts'
import type { Exchange, ReplyStream } from '#core/server/exchange.ts'
import { http } from '#core/server/node-http.ts'
import {
  answeredHeaders,
  checkPath,
  forwardedHeaders,
  hostHeader,
  newDialError,
  newTargetRefusal,
  type ProxyTarget,
  tlsOptions,
} from './connect-proxy-target.ts'

/** Carries one plain request (logs, or one to a node, pod or service) to a target and streams the answer back. */

export interface ProxyRequestOptions {
  /** Most bytes of body the client may send; default 3 MiB. */
  bodyLimitBytes?: number
  /**
   * Answers of 400 and above become Status errors, which is what clients of a resource expect; otherwise they are passed
   * on, which is what clients of a proxied service expect.
   */
  errorsAsStatus?: boolean
}

const defaultBodyLimitBytes = 3 * 1024 * 1024
const maxRefusalBytes = 64 * 1024

/**
 * Resolves when the answer has ended or the client is gone.
 * @throws StatusError when there is no answer, and for the target's errors with `errorsAsStatus`
 */
export async function proxyRequest(
  exchange: Exchange,
  target: ProxyTarget,
  log: Logger,
  options: ProxyRequestOptions = {},
): Promise<void> {
  checkPath(target.path)
  const body = hasBody(exchange) ? await exchange.body(options.bodyLimitBytes ?? defaultBodyLimitBytes) : undefined
  const request = open(exchange, target, body)
  exchange.signal.addEventListener('abort', () => request.destroy(), { once: true })
  const answer = await answerOf(request, body)
  const status = answer.statusCode ?? 502
  if (options.errorsAsStatus && status >= 400) throw newTargetRefusal(status, await readSome(answer))
  for (const [name, value] of answeredHeaders(answer.rawHeaders)) {
    if (name.toLowerCase() !== 'content-type') exchange.setHeader(name.toLowerCase(), value)
  }
  const reply = exchange.stream(status, answer.headers['content-type'] ?? 'application/octet-stream')
  await copy(answer, reply).catch((error) => {
    log.warn('proxied answer was cut short', { path: exchange.path, host: target.host, error: String(error) })
    reply.destroy()
  })
}

const hasBody = (exchange: Exchange) => exchange.method !== 'GET' && exchange.method !== 'HEAD'

function open(exchange: Exchange, target: ProxyTarget, body: Buffer | undefined): ClientRequest {
  const headers = [['Host', hostHeader(target)], ...forwardedHeaders(exchange.rawHeaders)]
  if (body) headers.push(['Content-Length', String(body.length)])
  const options = {
    host: target.host,
    port: target.port,
    path: target.path,
    method: exchange.method,
    headers: headers.flat(),
    agent: false as const,
  }
  return target.tls ? requestTls({ ...options, ...tlsOptions(target) }) : http.request(options)
}

function answerOf(request: ClientRequest, body: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', (error) => reject(newDialError(error)))
    request.end(body)
  })
}

async function copy(answer: IncomingMessage, reply: ReplyStream): Promise<void> {
  reply.onClose(() => answer.destroy())
  for await (const chunk of answer) {
    if (reply.closed) return
    if (!reply.write(chunk as Buffer)) await reply.drained()
  }
  reply.end()
}

async function readSome(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer)
    bytes += (chunk as Buffer).length
    if (bytes >= maxRefusalBytes) break
  }
  return Buffer.concat(chunks).toString('utf8', 0, maxRefusalBytes)
}
