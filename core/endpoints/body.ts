import { parse as parseYaml } from 'yaml'
import { newBadRequest, newUnsupportedMediaType } from '#core/errors/status-error.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { maxBodyBytes } from './endpoint.ts'
import { checkValue, parseJsonText } from './json-text.ts'
import { parseProtobuf, protobufType } from './protobuf-body.ts'

export const bodyTypes = ['application/json', 'application/yaml', protobufType] as const

/** The media type of a header value, without parameters: `application/json; charset=utf-8` -> `application/json`. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/**
 * Reads and parses a request's body.
 * @returns parsed JSON; undefined for an empty body
 * @throws StatusError UnsupportedMediaType, RequestEntityTooLarge, BadRequest
 */
export async function readBody(exchange: Exchange): Promise<unknown> {
  const type = mediaType(exchange.header('content-type'))
  const bytes = await exchange.body(maxBodyBytes)
  if (bytes.length === 0) return undefined
  // Kubernetes takes a body without a Content-Type for JSON.
  if (type === '' || type === 'application/json') return parseJson(bytes)
  if (type === 'application/yaml' || type === 'text/yaml' || type === 'application/x-yaml') return parseYamlBody(bytes)
  if (type === protobufType) return parseProtobuf(bytes)
  throw newUnsupportedMediaType(type, bodyTypes)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws StatusError BadRequest */
export function parseJson(bytes: Buffer): unknown {
  try {
    return parseJsonText(bytes)
  } catch (cause) {
    throw newBadRequest(`the object provided is unrecognized: json parse error: ${(cause as Error).message}`, cause)
  }
}

function parseYamlBody(bytes: Buffer): unknown {
  try {
    const value: unknown = parseYaml(utf8.decode(bytes), { maxAliasCount: 100, schema: 'core', logLevel: 'error' })
    checkValue(value)
    return value
  } catch (cause) {
    throw newBadRequest(`the object provided is unrecognized: yaml parse error: ${(cause as Error).message}`, cause)
  }
}
