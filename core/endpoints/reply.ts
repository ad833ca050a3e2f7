import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import { stringify as stringifyYaml } from 'yaml'
import type { Exchange } from '#core/server/exchange.ts'
import type { ResourceRequest } from './endpoint.ts'
import { negotiate, type Representation } from './negotiate.ts'
import { announceGzip, gzipThreshold, indented, isPretty, takesGzip } from './presentation.ts'
import { partialMetadata, tableOf } from './representation.ts'

const gzip = promisify(gzipCallback)

/** Answers with one object as the client wants to see it. @param bytes JSON in the served version */
export function replyObject(
  request: ResourceRequest,
  status: number,
  bytes: Buffer,
  options: { isStatus?: boolean } = {},
): void | Promise<void> {
  const representation = negotiate(request.exchange)
  if (!representation.as || options.isStatus) return replyBytes(request, status, bytes, representation)
  const { metaVersion } = representation
  if (representation.as === 'PartialObjectMetadata') {
    return replyBytes(request, status, partialMetadata(bytes, metaVersion), representation)
  }
  const table = tableOf(request, [bytes], undefined, metaVersion)
  return replyBytes(request, status, Buffer.from(JSON.stringify(table)), representation)
}

/** Sends JSON, as YAML or indented or compressed where the client asks for it; at once unless it is compressed. */
export function replyBytes(
  { exchange }: { exchange: Exchange },
  status: number,
  bytes: Buffer,
  { format }: Pick<Representation, 'format'>,
): void | Promise<void> {
  if (format === 'yaml') {
    exchange.send(status, 'application/yaml', stringifyYaml(JSON.parse(bytes.toString('utf8'))))
    return
  }
  const body = isPretty(exchange) ? Buffer.from(`${indented(bytes)}\n`) : bytes
  if (body.length > gzipThreshold && takesGzip(exchange)) return sendCompressed(exchange, status, body)
  exchange.send(status, 'application/json', body)
}

async function sendCompressed(exchange: Exchange, status: number, body: Buffer): Promise<void> {
  const compressed = await gzip(body, { level: 1 })
  announceGzip(exchange)
  exchange.send(status, 'application/json', compressed)
}
