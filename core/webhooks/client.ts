import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request as startRequest } from 'node:https'
import type { ResolveService } from '#core/aggregation/service-resolver.ts'
import type { Address } from '#core/aggregation/service-target.ts'
import { AnswerTooLarge, readText } from '#core/server/read-text.ts'

/** Where a webhook is, as definitions and configurations write it: by `url`, or as a service. */
export interface WebhookClientConfig {
  url?: string
  service?: { namespace: string; name: string; path?: string; port?: number }
  /** PEM in base64: who vouches for the webhook's certificate; absent: who this machine trusts. */
  caBundle?: string
}

export interface WebhookCall {
  timeoutMs: number
  /** Aborts the call earlier. */
  signal?: AbortSignal
  /** A larger answer is a failure. */
  limitBytes: number
}

/** Why a webhook gave no answer that can be used, in words for whoever configured it. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError'
}

const idleSocketMs = 60_000
const socketsPerWebhook = 32

/**
 * Calls webhooks: JSON goes there by POST and JSON comes back, over TLS connections that are kept for the next call. A
 * service is called at one of its ready endpoints, and has to show a certificate for `name.namespace.svc`.
 */
export class WebhookClient implements Disposable {
  readonly #resolve: ResolveService
  readonly #agent = new Agent({ keepAlive: true, timeout: idleSocketMs, maxSockets: socketsPerWebhook })
  #turn = 0

  constructor(options: { resolve: ResolveService }) {
    this.#resolve = options.resolve
  }

  /**
   * @param body JSON
   * @returns the answer, parsed
   * @throws WebhookError
   */
  async post(config: WebhookClientConfig, body: string, call: WebhookCall): Promise<unknown> {
    const address = addressText(config, call)
    const url = new URL(address)
    try {
      return parse(await this.#send(config, url, Buffer.from(body), call))
    } catch (error) {
      if (error instanceof WebhookError) throw error
      if (error instanceof AnswerTooLarge) throw new WebhookError(error.message, { cause: error })
      throw new WebhookError(`Post ${JSON.stringify(address)}: ${reasonOf(error as Error, url)}`, { cause: error })
    }
  }

  async #send(config: WebhookClientConfig, url: URL, body: Buffer, call: WebhookCall): Promise<string> {
    const attempt = () => exchange(this.#options(config, url), body, call)
    // A kept connection may have been closed by the other side at the same moment.
    const { status, text } = await attempt().catch((error) =>
      error instanceof StaleConnection ? attempt() : Promise.reject(error),
    )
    if (status < 200 || status > 299) throw refusalOf(status, text)
    return text
  }

  #options(config: WebhookClientConfig, url: URL): RequestOptions {
    const { host, port } = this.#addressOf(config, url)
    return {
      method: 'POST',
      host,
      port,
      path: url.pathname + url.search,
      headers: { Host: url.host },
      agent: this.#agent,
      servername: /^[0-9.]+$|:/.test(url.hostname) ? '' : url.hostname,
      ...(config.caBundle && { ca: Buffer.from(config.caBundle, 'base64').toString() }),
    }
  }

  #addressOf({ service }: WebhookClientConfig, url: URL): Address {
    const port = Number(url.port || 443)
    if (!service) return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port }
    const found = this.#resolve({ ...service, port })
    if (!('addresses' in found)) {
      const reason = found.reason === 'ServiceNotFound' ? 'not found' : undefined
      throw new Error(reason ? `service ${JSON.stringify(service.name)} ${reason}` : found.message)
    }
    return found.addresses[this.#turn++ % found.addresses.length]!
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

/** The address as messages show it, with the time that the webhook is told it has. */
function addressText({ url, service }: WebhookClientConfig, { timeoutMs }: WebhookCall): string {
  const timeout = `?timeout=${Math.ceil(timeoutMs / 1000)}s`
  // No query is permitted in the URL of a webhook.
  if (url !== undefined) return new URL(url).href + timeout
  const { name, namespace, path = '', port = 443 } = service!
  return `https://${name}.${namespace}.svc:${port}${path.startsWith('/') ? '' : '/'}${path}${timeout}`
}

/** The connection had served before and was gone: nothing has been asked yet. */
class StaleConnection extends Error {}

interface Answer {
  status: number
  text: string
}

async function exchange(options: RequestOptions, body: Buffer, call: WebhookCall): Promise<Answer> {
  const timeout = AbortSignal.timeout(call.timeoutMs)
  const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout
  const headers = {
    ...(options.headers as Record<string, string>),
    'Content-Type': 'application/json',
    Accept: 'application/json, */*',
    'Content-Length': String(body.length),
  }
  const request = startRequest({ ...options, headers, signal })
  const answer = await answerTo(request, body)
  return { status: answer.statusCode ?? 0, text: await readText(answer, call.limitBytes) }
}

function answerTo(request: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request.once('response', resolve)
  request.on('error', (error: NodeJS.ErrnoException) => {
    const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
    reject(isStale ? new StaleConnection(error.message, { cause: error }) : error)
  })
  request.end(body)
  return promise
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = `couldn't get version/kind; json parse error: ${(cause as Error).message}`
    throw new WebhookError(reason, { cause })
  }
}

/** How much of a refusal is shown. */
const maxShownCharacters = 1_024

function refusalOf(status: number, text: string): WebhookError {
  const said = messageOf(text)
  if (said !== undefined) return new WebhookError(said)
  if (status === 404) return new WebhookError('the server could not find the requested resource')
  if (status >= 500) {
    const shown = text.trim().slice(0, maxShownCharacters) || 'unknown'
    return new WebhookError(
      `an error on the server (${JSON.stringify(shown)}) has prevented the request from succeeding`,
    )
  }
  return new WebhookError(`the server responded with the status code ${status} but did not return more information`)
}

/** What a Status says. */
function messageOf(text: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(text)
    return kind === 'Status' && typeof message === 'string' && message !== '' ? message : undefined
  } catch {
    return undefined
  }
}

const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
])

/** A failure of the connection, in the words that users of Kubernetes search for. */
function reasonOf(error: Error & { code?: string; address?: string; port?: number }, { hostname }: URL): string {
  const { code = '', address, port, name } = error
  if (name === 'TimeoutError' || name === 'AbortError') return 'context deadline exceeded'
  if (code === 'ECONNREFUSED') return `dial tcp ${address}:${port}: connect: connection refused`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${hostname}: no such host`
  if (code === 'ECONNRESET') return 'EOF'
  const x509 = 'tls: failed to verify certificate: x509:'
  if (untrusted.has(code)) return `${x509} certificate signed by unknown authority`
  if (code === 'CERT_HAS_EXPIRED') return `${x509} certificate has expired or is not yet valid`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${x509} certificate is not valid for ${hostname}`
  return error.message
}
