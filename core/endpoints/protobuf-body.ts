import { readFileSync } from 'node:fs'
import { newBadRequest } from '#core/errors/status-error.ts'
import { ProtobufDecoder } from '#core/machinery/protobuf/decode.ts'
import type { Messages } from '#core/machinery/protobuf/messages.ts'
import { ProtobufError } from '#core/machinery/protobuf/wire.ts'

export const protobufType = 'application/vnd.kubernetes.protobuf'

const numbers = new URL('../../apis/crds/zz_generated.protobuf.json', import.meta.url)
let decoder: ProtobufDecoder | undefined

/** A body in Kubernetes' protobuf as what it is in JSON. The numbers are loaded by the first one. @throws StatusError BadRequest */
export function parseProtobuf(bytes: Buffer): unknown {
  decoder ??= new ProtobufDecoder(JSON.parse(readFileSync(numbers, 'utf8')) as Messages)
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause
    throw newBadRequest(`the object provided is unrecognized: protobuf: ${cause.message}`, cause)
  }
}
