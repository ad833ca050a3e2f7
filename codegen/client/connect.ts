import type { OutgoingHttpHeaders } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { ApiAccess } from '@keelson/apis/plugin/v1/host.ts'
import type { ConnectionOptions, Reply } from './connection.ts'
import { ApiError, findConnectionError, statusOfAnswer } from './errors.ts'
import { createPool } from './pool.ts'
import { createResourceClient } from './resource-client.ts'
import type { ApiRequest, Client } from './types.ts'

export interface ConnectOptions extends Partial<ConnectionOptions> {
  /** What precedes `/` becomes the field manager of writes that name none. */
  userAgent?: string
  /** Attempts made in all when the server answers 429 or 503 with Retry-After. */
  attempts?: number
}

const defaults = {
  userAgent: 'keelson-client/0.1.0',
  attempts: 6,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 15_000,
  dialTimeoutMs: 10_000,
} satisfies ConnectOptions

/** Metadata only, where the server can; whole objects where it cannot. */
const metadataOnly = {
  object: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
  list: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
}

/** Less than that from a Keelson server. */
const relationsOnly = {
  object: `application/json;as=PartialObjectMetadata;g=meta.keelson.dev;v=v1,${metadataOnly.object}`,
  list: `application/json;as=PartialObjectMetadataList;g=meta.keelson.dev;v=v1,${metadataOnly.list}`,
}

/**
 * A client of the API server at `access`. Connects on first use and again, with backoff, whenever the connection broke;
 * a call that was under way then fails with ConnectionError, unless repeating it is safe.
 */
export function connect(access: ApiAccess, options: ConnectOptions = {}): Client {
  const settings = { ...defaults, ...options }
  const pool = createPool(access, settings)
  const base = new URL(access.server).pathname.replace(/\/$/, '')

  function headersOf(request: ApiRequest, body: Buffer | undefined): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {
      ':method': request.method,
      ':path': base + request.path,
      accept: request.accept ?? 'application/json',
      'user-agent': settings.userAgent,
    }
    if (access.token) headers.authorization = `Bearer ${access.token()}`
    if (body) {
      headers['content-type'] = request.contentType ?? 'application/json'
      headers['content-length'] = body.length
    }
    return headers
  }

  /** Repeats what may be repeated; returns the head of a success. */
  async function exchange(request: ApiRequest): Promise<Reply> {
    const body = encodeBody(request.body)
    for (let attempt = 1; ; attempt++) {
      const reply = await sendOnce(request, body, attempt)
      if (!reply) continue
      if (reply.status < 400) return reply
      const waitMs = attempt < settings.attempts ? retryAfterMs(request, reply) : undefined
      if (waitMs === undefined) throw new ApiError(statusOfAnswer(reply.status, await reply.readBody()))
      reply.cancel()
      await sleep(waitMs, undefined, { signal: request.signal })
    }
  }

  /** @returns undefined when the request may be sent again at once */
  async function sendOnce(request: ApiRequest, body: Buffer | undefined, attempt: number): Promise<Reply | undefined> {
    try {
      return await pool.send(headersOf(request, body), body, request.signal)
    } catch (error) {
      const broken = findConnectionError(error)
      if (attempt === 1 && broken && (broken.isUnsent || request.method === 'GET')) return undefined
      throw error
    }
  }

  const api = {
    async request<R>(request: ApiRequest): Promise<R> {
      const reply = await exchange(request)
      const body = await reply.readBody()
      return decodeBody(reply, body) as R
    },
    async stream(request: ApiRequest): Promise<AsyncIterable<Buffer>> {
      return (await exchange(request)).body
    },
  }

  return {
    access,
    ...api,
    resource: (ref) => createResourceClient(api, ref),
    metadata: (ref: ResourceRef) => createResourceClient<KubeObject>(api, ref, undefined, metadataOnly),
    relations: (ref: ResourceRef) => createResourceClient<KubeObject>(api, ref, undefined, relationsOnly),
    async [Symbol.asyncDispose]() {
      pool.close()
    },
  }
}

const encodeBody = (body: unknown): Buffer | undefined =>
  body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))

function decodeBody(reply: Reply, body: Buffer): unknown {
  const text = body.toString()
  return reply.header('content-type')?.includes('json') ? JSON.parse(text) : text
}

const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE'])
const longestRetryMs = 30_000

/** How long the server asks to wait before the same request again; undefined when it does not, or repeating is not safe. */
function retryAfterMs(request: ApiRequest, reply: Reply): number | undefined {
  if (!idempotent.has(request.method) || (reply.status !== 429 && reply.status !== 503)) return undefined
  const seconds = Number(reply.header('retry-after') ?? Number.NaN)
  return seconds >= 0 ? Math.min(seconds * 1000, longestRetryMs) : undefined
}
