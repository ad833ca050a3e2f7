import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import type { Status } from '#apis/meta/v1/types.ts'
import type { Exchange } from '#core/server/exchange.ts'
import type { ResourceRequest } from './endpoint.ts'
import { type Format, mediaTypeOf, negotiate, negotiateEncoding } from './negotiate.ts'
import { announceGzip, gzipThreshold, indented, isPretty, takesGzip, yamlOf } from './presentation.ts'
import { encodeBody } from './protobuf-codec.ts'
import { partialMetadata, tableOf } from './representation.ts'

const gzip = promisify(gzipCallback)

/**
 * Answers with one object as the client wants to see it.
 * @param bytes JSON in the served version
 * @param options `isStatus`: it is no object of the resource, and is shown as it is
 */
export function replyObject(
  request: ResourceRequest,
  status: number,
  bytes: Buffer,
  options: { isStatus?: boolean } = {},
): void | Promise<void> {
  const representation = negotiate(request)
  if (!representation.as || options.isStatus) return replyBytes(request, status, bytes, representation)
  const { metaVersion } = representation
  if (representation.as === 'PartialObjectMetadata') {
    return replyBytes(request, status, partialMetadata(bytes, representation), representation)
  }
  const table = tableOf(request, [bytes], undefined, metaVersion)
  return replyBytes(request, status, Buffer.from(JSON.stringify(table)), representation)
}

/** Answers with an object that is not of the resource: the same for built-in and custom ones. */
export function replyOwn(request: ResourceRequest, status: number, object: object): void | Promise<void> {
  return replyBytes(request, status, Buffer.from(JSON.stringify(object)), negotiate(request, 'own'))
}

/** Answers with a failure, in the encoding the client asked for when it is one of ours. */
export function replyFailure(exchange: Exchange, status: Status): void {
  const format = negotiateEncoding(exchange)
  const json = JSON.stringify(status)
  exchange.send(status.code, mediaTypeOf(format), format === 'json' ? json : encodeAs(format, Buffer.from(json)))
}

/** Sends JSON, in another encoding or indented or compressed where the client asks for it; at once unless it is compressed. */
export function replyBytes(
  { exchange }: { exchange: Exchange },
  status: number,
  bytes: Buffer,
  { format }: { format: Format },
): void | Promise<void> {
  if (format !== 'json') return sendBody(exchange, status, mediaTypeOf(format), encodeAs(format, bytes))
  return sendBody(
    exchange,
    status,
    mediaTypeOf(format),
    isPretty(exchange) ? Buffer.from(`${indented(bytes)}\n`) : bytes,
  )
}

/** JSON in another encoding. */
export function encodeAs(format: Exclude<Format, 'json'>, json: Buffer): Buffer {
  return format === 'yaml' ? Buffer.from(yamlOf(JSON.parse(json.toString()))) : encodeBody(json)
}

/** Sends a body, compressed where that is worth it. */
export function sendBody(exchange: Exchange, status: number, contentType: string, body: Buffer): void | Promise<void> {
  if (body.length > gzipThreshold && takesGzip(exchange)) return sendCompressed(exchange, status, contentType, body)
  exchange.send(status, contentType, body)
}

async function sendCompressed(exchange: Exchange, status: number, contentType: string, body: Buffer): Promise<void> {
  const compressed = await gzip(body, { level: 1 })
  announceGzip(exchange)
  exchange.send(status, contentType, compressed)
}
