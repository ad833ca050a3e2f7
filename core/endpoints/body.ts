import { newBadRequest, newUnsupportedMediaType } from '#core/errors/status-error.ts'
import type { DecodeOptions } from '#core/registry/decode.ts'
import { isLarge, nextTurn } from '#core/registry/large-objects.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { maxBodyBytes } from './endpoint.ts'
import { parseJsonText } from './json-text.ts'
import { parseProtobuf, protobufType } from './protobuf-codec.ts'
import { parseYamlText } from './yaml-text.ts'

export const bodyTypes = ['application/json', 'application/yaml', protobufType] as const

/** The media type of a header value, without parameters: `application/json; charset=utf-8` -> `application/json`. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** Where to put what a strict reading finds wrong in a body that can be read all the same. */
export type StrictReading = Pick<DecodeOptions, 'fieldValidation' | 'bodyFaults' | 'bodyLength'>

/**
 * Reads and parses a request's body.
 * @param reading absent: nobody wants to know of fields that come twice
 * @returns parsed JSON; undefined for an empty body
 * @throws StatusError UnsupportedMediaType, RequestEntityTooLarge, BadRequest
 */
export async function readBody(exchange: Exchange, reading?: StrictReading): Promise<unknown> {
  const type = mediaType(exchange.header('content-type'))
  const bytes = await exchange.body(maxBodyBytes)
  if (bytes.length === 0) return undefined
  if (reading) reading.bodyLength = bytes.length
  // Kubernetes takes a body without a Content-Type for JSON.
  if (type === '' || type === 'application/json') {
    const value = parseJson(bytes, reading)
    // That was a turn of its own.
    if (isLarge(bytes.length)) await nextTurn()
    return value
  }
  if (yamlTypes.includes(type)) return parseYaml(bytes, reading)
  if (type === protobufType) return parseProtobuf(bytes)
  throw newUnsupportedMediaType(type, bodyTypes)
}

const yamlTypes = ['application/yaml', 'text/yaml', 'application/x-yaml']

const isStrict = (reading: StrictReading | undefined): reading is StrictReading =>
  reading !== undefined && reading.fieldValidation !== 'Ignore'

/** @throws StatusError BadRequest */
export function parseJson(bytes: Buffer, reading?: StrictReading): unknown {
  const onDuplicates = (paths: string[]) => {
    reading!.bodyFaults = { duplicates: paths }
  }
  try {
    return parseJsonText(bytes, isStrict(reading) ? onDuplicates : undefined)
  } catch (cause) {
    throw newBadRequest(`the object provided is unrecognized: json parse error: ${(cause as Error).message}`, cause)
  }
}

/** @throws StatusError BadRequest */
export function parseYaml(bytes: Buffer, reading?: StrictReading): unknown {
  const onDuplicates = (lines: string[]) => {
    reading!.bodyFaults = { yaml: lines }
  }
  try {
    return parseYamlText(bytes, isStrict(reading) ? onDuplicates : undefined)
  } catch (cause) {
    throw newBadRequest(`the object provided is unrecognized: yaml parse error: ${(cause as Error).message}`, cause)
  }
}
