import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { ProtobufError, readFields } from './wire.ts'

/**
 * Kubernetes' protobuf: four bytes of magic, then a `runtime.Unknown` that names the kind and holds its message. Decodes to
 * what the same object is in JSON.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export type Messages = Readonly<Record<string, readonly string[]>>

const magic = Buffer.from('k8s\0')
const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1'
/** Beyond this a message is an attack. */
const maxDepth = 100

interface Field {
  /** In JSON; `*` for a message whose fields are its parent's there. */
  name: string
  shape: 'single' | 'repeated' | 'map'
  /** Go writes its zero when nobody has set it. */
  omitZero: boolean
  /** A scalar's name, or the full name of a message. */
  type: string
}

/** Messages that are something else in JSON. */
const special = new Map<string, (bytes: Buffer) => unknown>([
  ['k8s.io.apimachinery.pkg.api.resource.Quantity', (bytes) => text(only(bytes, 1)) || undefined],
  [`${meta}.Time`, (bytes) => timestamp(bytes, 0)],
  [`${meta}.MicroTime`, (bytes) => timestamp(bytes, 6)],
  [`${meta}.Duration`, (bytes) => `${Number(BigInt.asIntN(64, varint(only(bytes, 1)))) / 1e9}s`],
  [`${meta}.FieldsV1`, (bytes) => json(only(bytes, 1))],
  ['k8s.io.apimachinery.pkg.runtime.RawExtension', (bytes) => json(only(bytes, 1))],
  ['k8s.io.apimachinery.pkg.util.intstr.IntOrString', intOrString],
])
const lists = /\.(ExtraValue|Verbs)$/

export class ProtobufDecoder {
  readonly #messages: Messages
  readonly #fields = new Map<string, ReadonlyMap<number, Field>>()

  /** @param messages by full name, each field as `<number> [repeated |omitzero ]<type> <name>` */
  constructor(messages: Messages) {
    this.#messages = messages
  }

  /** @throws ProtobufError for what does not decode, or is of a kind that has no protobuf form here */
  decode(bytes: Buffer): UnstructuredObject {
    if (!bytes.subarray(0, magic.length).equals(magic))
      throw new ProtobufError('the body does not begin with the magic number of Kubernetes protobuf')
    const { apiVersion, kind, raw } = readEnvelope(bytes.subarray(magic.length))
    const message = this.#messageOf(apiVersion, kind)
    if (!message) throw new ProtobufError(`${apiVersion} ${kind} has no protobuf form here`)
    return { apiVersion, kind, ...this.#message(message, raw, 0) } as UnstructuredObject
  }

  /** `rbac.authorization.k8s.io/v1 Role` -> `k8s.io.api.rbac.v1.Role` */
  #messageOf(apiVersion: string, kind: string): string | undefined {
    const slash = apiVersion.indexOf('/')
    const group = slash < 0 ? 'core' : apiVersion.slice(0, slash).split('.')[0]!
    const version = apiVersion.slice(slash + 1)
    const candidates = [
      `k8s.io.api.${group}.${version}.${kind}`,
      `k8s.io.kube_aggregator.pkg.apis.${group}.${version}.${kind}`,
      `${meta}.${kind}`,
    ]
    return candidates.find((name) => Object.hasOwn(this.#messages, name))
  }

  #message(name: string, bytes: Buffer, depth: number): Record<string, unknown> {
    if (depth > maxDepth) throw new ProtobufError('the message is nested too deeply')
    const object: Record<string, unknown> = {}
    const fields = this.#fieldsOf(name)
    for (const { number, value } of readFields(bytes)) {
      const field = fields.get(number)
      if (field) this.#set(object, field, value, depth)
    }
    return object
  }

  #set(object: Record<string, unknown>, field: Field, value: bigint | Buffer, depth: number): void {
    if (field.shape === 'map') {
      const { key, entry } = this.#mapEntry(field.type, buffer(value), depth)
      const map = (object[field.name] ??= {}) as Record<string, unknown>
      // A key such as __proto__ must become a key and nothing else.
      Object.defineProperty(map, key, { value: entry, enumerable: true, configurable: true, writable: true })
      return
    }
    const decoded = this.#value(field.type, value, depth)
    if (field.name === '*') {
      Object.assign(object, decoded)
      return
    }
    if (field.shape === 'repeated') {
      const list = (object[field.name] ??= []) as unknown[]
      list.push(decoded)
      return
    }
    // Go writes strings and times that nobody has set.
    if (decoded === undefined || decoded === '' || (field.omitZero && !decoded)) return
    object[field.name] = decoded
  }

  #mapEntry(type: string, bytes: Buffer, depth: number): { key: string; entry: unknown } {
    let key = ''
    let entry: unknown
    for (const { number, value } of readFields(bytes)) {
      if (number === 1) key = text(buffer(value))
      if (number === 2) entry = this.#value(type, value, depth)
    }
    return { key, entry: entry ?? (type === 'string' || type === 'bytes' ? '' : {}) }
  }

  #value(type: string, value: bigint | Buffer, depth: number): unknown {
    switch (type) {
      case 'string':
        return text(buffer(value))
      case 'bytes':
        return buffer(value).toString('base64')
      case 'bool':
        return varint(value) !== 0n
      case 'int32':
      case 'int64':
        return Number(BigInt.asIntN(64, varint(value)))
      case 'uint32':
      case 'uint64':
        return Number(varint(value))
      case 'double':
        return buffer(value, 8).readDoubleLE(0)
      default:
        return this.#nested(type, buffer(value), depth)
    }
  }

  #nested(type: string, bytes: Buffer, depth: number): unknown {
    const decode = special.get(type)
    if (decode) return decode(bytes)
    const object = this.#message(type, bytes, depth + 1)
    return lists.test(type) ? (object.items ?? []) : object
  }

  #fieldsOf(name: string): ReadonlyMap<number, Field> {
    let fields = this.#fields.get(name)
    if (!fields) {
      if (!Object.hasOwn(this.#messages, name)) throw new ProtobufError(`there is no message ${name}`)
      fields = new Map(this.#messages[name]!.map((line) => parseField(line, name)))
      this.#fields.set(name, fields)
    }
    return fields
  }
}

/** `4 map<string, bytes> data` of a message -> its number and how to read it */
function parseField(line: string, within: string): [number, Field] {
  const first = line.indexOf(' ')
  const last = line.lastIndexOf(' ')
  const name = line.slice(last + 1)
  const omitZero = line.startsWith('omitzero ', first + 1)
  const declared = line.slice(first + 1 + (omitZero ? 'omitzero '.length : 0), last)
  const map = /^map<string, (.+)>$/.exec(declared)
  const repeated = declared.startsWith('repeated ')
  const type = map ? map[1]! : repeated ? declared.slice('repeated '.length) : declared
  const shape = map ? 'map' : repeated ? 'repeated' : 'single'
  return [Number(line.slice(0, first)), { name, shape, omitZero, type: fullName(type, within) }]
}

const scalars = new Set(['string', 'bytes', 'bool', 'int32', 'int64', 'uint32', 'uint64', 'double'])

function fullName(type: string, within: string): string {
  if (scalars.has(type)) return type
  return type.startsWith('.') ? type.slice(1) : `${within.slice(0, within.lastIndexOf('.'))}.${type}`
}

function readEnvelope(bytes: Buffer): { apiVersion: string; kind: string; raw: Buffer } {
  let apiVersion = ''
  let kind = ''
  let raw = Buffer.alloc(0)
  for (const { number, value } of readFields(bytes)) {
    if (number === 2) raw = buffer(value) as Buffer<ArrayBuffer>
    if (number !== 1) continue
    for (const part of readFields(buffer(value))) {
      if (part.number === 1) apiVersion = text(buffer(part.value))
      if (part.number === 2) kind = text(buffer(part.value))
    }
  }
  return { apiVersion, kind, raw }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function text(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new ProtobufError('a string is not UTF-8', { cause })
  }
}

function buffer(value: bigint | Buffer, length?: number): Buffer {
  if (!Buffer.isBuffer(value) || (length !== undefined && value.length !== length)) {
    throw new ProtobufError('a field has the wire type of another')
  }
  return value
}

function varint(value: bigint | Buffer): bigint {
  if (typeof value !== 'bigint') throw new ProtobufError('a field has the wire type of another')
  return value
}

/** The value of the one field a message has; empty bytes when it is not there. */
function only(bytes: Buffer, number: number): Buffer {
  for (const field of readFields(bytes)) if (field.number === number) return field.value as Buffer
  return Buffer.alloc(0)
}

function json(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(text(bytes))
  } catch (cause) {
    throw new ProtobufError('an embedded object is not JSON', { cause })
  }
}

/** @param digits of the fraction of a second @returns undefined for the zero time, which is what Go calls absent */
function timestamp(bytes: Buffer, digits: number): string | undefined {
  let seconds = 0
  let nanos = 0
  let given = false
  for (const { number, value } of readFields(bytes)) {
    given = true
    if (number === 1) seconds = Number(BigInt.asIntN(64, varint(value)))
    if (number === 2) nanos = Number(varint(value))
  }
  if (!given) return undefined
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) throw new ProtobufError('a time is out of range')
  const fraction = digits ? `.${String(nanos).padStart(9, '0').slice(0, digits)}` : ''
  return `${date.toISOString().slice(0, 19)}${fraction}Z`
}

function intOrString(bytes: Buffer): number | string {
  let isText = false
  let number = 0
  let string = ''
  for (const field of readFields(bytes)) {
    if (field.number === 1) isText = varint(field.value) !== 0n
    if (field.number === 2) number = Number(BigInt.asIntN(32, varint(field.value)))
    if (field.number === 3) string = text(buffer(field.value))
  }
  return isText ? string : number
}
