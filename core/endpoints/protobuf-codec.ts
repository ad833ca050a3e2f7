import { readFileSync } from 'node:fs'
import type { TypeMeta } from '#apis/meta/v1/types.ts'
import { newBadRequest } from '#core/errors/status-error.ts'
import { ProtobufDecoder } from '#core/machinery/protobuf/decode.ts'
import { ProtobufEncoder } from '#core/machinery/protobuf/encode.ts'
import { envelope, type ListNumbers } from '#core/machinery/protobuf/envelope.ts'
import { type Messages, MessageTable } from '#core/machinery/protobuf/messages.ts'
import { ProtobufError } from '#core/machinery/protobuf/wire.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import { parseJsonText } from './json-text.ts'

/** Kubernetes' protobuf for this server's kinds. The numbers are loaded by the first request that speaks it. */
export const protobufType = 'application/vnd.kubernetes.protobuf'

const numbers = new URL('../../apis/crds/zz_generated.protobuf.json', import.meta.url)

interface Codec {
  table: MessageTable
  encoder: ProtobufEncoder
  decoder: ProtobufDecoder
}

let loaded: Codec | undefined

function codec(): Codec {
  if (!loaded) {
    const table = new MessageTable(JSON.parse(readFileSync(numbers, 'utf8')) as Messages)
    loaded = {
      table,
      encoder: new ProtobufEncoder(table),
      decoder: new ProtobufDecoder(table, (bytes) => parseJsonText(bytes)),
    }
  }
  return loaded
}

/** True when the resource's objects have a protobuf form: those of built-in kinds do, custom ones have none. */
export function hasProtobuf({ apiVersion, resource: { definition } }: ServedVersion): boolean {
  return definition.builtin && codec().table.messageOf(apiVersion, definition.kind) !== undefined
}

/** A body in Kubernetes' protobuf as what it is in JSON. @throws StatusError BadRequest */
export function parseProtobuf(bytes: Buffer): unknown {
  try {
    return codec().decoder.decode(bytes)
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause
    throw newBadRequest(`the object provided is unrecognized: protobuf: ${cause.message}`, cause)
  }
}

/**
 * @param type without an apiVersion for the oldest kinds of discovery, as Kubernetes has them
 * @throws Error for a kind that has no protobuf form
 */
export function messageOf({ apiVersion, kind }: TypeMeta): string {
  const message = codec().table.messageOf(apiVersion || 'v1', kind)
  if (message === undefined) throw new Error(`${apiVersion} ${kind} has no protobuf form`)
  return message
}

/** An object's message alone. @param json as JSON.stringify writes it @returns a view that the next call overwrites */
export function encodeMessage(message: string, json: Buffer): Buffer {
  return codec().encoder.encode(message, json)
}

/** An object as the body of an answer. @param json as JSON.stringify writes it */
export function encodeBody(json: Buffer): Buffer {
  const type = typeOf(json)
  return envelope(type, encodeMessage(messageOf(type), json))
}

const canonicalHead = /^\{"kind":"([^"\\]*)","apiVersion":"([^"\\]*)"/
const longestHead = 512

function typeOf(json: Buffer): TypeMeta {
  const [, kind, apiVersion] = canonicalHead.exec(json.toString('latin1', 0, longestHead)) ?? []
  if (kind !== undefined && apiVersion !== undefined) return { kind, apiVersion }
  const { kind: given = '', apiVersion: version = '' } = JSON.parse(json.toString()) as Partial<TypeMeta>
  return { kind: given, apiVersion: version }
}

/** The numbers of the parts of a kind of list. */
export function listNumbers(message: string): ListNumbers {
  const fields = codec().table.fieldsOf(message)
  const numberOf = (name: string) => fields.find((field) => field.name === name)!.number
  return { metadata: numberOf('metadata'), items: numberOf('items') }
}

export const listMetadataMessage = 'k8s.io.apimachinery.pkg.apis.meta.v1.ListMeta'
