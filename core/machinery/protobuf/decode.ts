import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { magic } from './envelope.ts'
import { type Field, type Messages, MessageTable, type SpecialForm, schemaMessage, specialFormOf } from './messages.ts'
import { formatTime } from './time.ts'
import { asNumber, asUnsigned, FieldReader, ProtobufError, readNumbers, type WireValue } from './wire.ts'

/** Beyond this a message is an attack. */
const maxDepth = 100

/** Reads Kubernetes' protobuf. Decodes to what the same object is in JSON. */
export class ProtobufDecoder {
  readonly #table: MessageTable
  readonly #parseJson: (bytes: Buffer) => unknown
  readonly #fields = new Map<string, ReadonlyMap<number, Field>>()

  /** @param parseJson for the JSON that some messages hold: the bytes may be anyone's */
  constructor(messages: Messages | MessageTable, parseJson = (bytes: Buffer): unknown => JSON.parse(text(bytes))) {
    this.#table = messages instanceof MessageTable ? messages : new MessageTable(messages)
    this.#parseJson = parseJson
  }

  /** @throws ProtobufError for what does not decode, or is of a kind that has no protobuf form here */
  decode(bytes: Buffer): UnstructuredObject {
    if (!bytes.subarray(0, magic.length).equals(magic))
      throw new ProtobufError('the body does not begin with the magic number of Kubernetes protobuf')
    const { apiVersion, kind, raw } = readEnvelope(bytes.subarray(magic.length))
    const message = this.#table.messageOf(apiVersion, kind)
    if (!message) throw new ProtobufError(`${apiVersion} ${kind} has no protobuf form here`)
    return { apiVersion, kind, ...this.message(message, raw) } as UnstructuredObject
  }

  /** One message, without anything around it. @param name its full name @throws ProtobufError */
  message(name: string, bytes: Buffer): Record<string, unknown> {
    return this.#message(name, bytes, 0)
  }

  #message(name: string, bytes: Buffer, depth: number): Record<string, unknown> {
    if (depth > maxDepth) throw new ProtobufError('the message is nested too deeply')
    const object: Record<string, unknown> = {}
    const fields = this.#fieldsOf(name)
    const reader = new FieldReader(bytes)
    while (reader.next()) {
      const field = fields.get(reader.number)
      if (field) this.#set(object, field, reader.value, depth)
    }
    return object
  }

  #set(object: Record<string, unknown>, field: Field, value: WireValue, depth: number): void {
    if (field.shape === 'map') {
      const { key, entry } = this.#mapEntry(field.type, buffer(value), depth)
      const map = (object[field.name] ??= {}) as Record<string, unknown>
      // A key such as __proto__ must become a key and nothing else.
      Object.defineProperty(map, key, { value: entry, enumerable: true, configurable: true, writable: true })
      return
    }
    if (field.shape === 'repeated') {
      const list = (object[field.name] ??= []) as unknown[]
      if (isPacked(field.type, value))
        for (const one of readNumbers(value)) list.push(this.#value(field.type, one, depth))
      else list.push(this.#value(field.type, value, depth) ?? null)
      return
    }
    const decoded = this.#value(field.type, value, depth)
    if (field.name === '*') {
      Object.assign(object, decoded)
      return
    }
    if (decoded !== undefined && !isUnset(field, decoded)) object[field.name] = decoded
  }

  #mapEntry(type: string, bytes: Buffer, depth: number): { key: string; entry: unknown } {
    let key = ''
    let entry: unknown
    const reader = new FieldReader(bytes)
    while (reader.next()) {
      if (reader.number === 1) key = text(buffer(reader.value))
      if (reader.number === 2) entry = this.#value(type, reader.value, depth)
    }
    return { key, entry: entry ?? (type === 'string' || type === 'bytes' ? '' : {}) }
  }

  #value(type: string, value: WireValue, depth: number): unknown {
    switch (type) {
      case 'string':
        return text(buffer(value))
      case 'bytes':
        return buffer(value).toString('base64')
      case 'bool':
        return asNumber(value) !== 0
      case 'int32':
        return asNumber(value) | 0
      case 'int64':
        return asNumber(value)
      case 'uint32':
      case 'uint64':
        return asUnsigned(value)
      case 'double':
        return double(buffer(value, 8))
      default:
        return this.#nested(type, buffer(value), depth)
    }
  }

  #nested(type: string, bytes: Buffer, depth: number): unknown {
    const form = specialFormOf(type)
    return form ? this.#special(form, bytes, depth) : this.#message(type, bytes, depth + 1)
  }

  #special(form: SpecialForm, bytes: Buffer, depth: number): unknown {
    switch (form) {
      case 'quantity':
        return text(only(bytes, 1)) || undefined
      case 'time':
        return timestamp(bytes, 0)
      case 'microTime':
        return timestamp(bytes, 6)
      case 'json':
        return this.#json(only(bytes, 1))
      case 'intOrString':
        return intOrString(bytes)
      case 'strings':
        return texts(bytes, 1)
      default:
        return this.#schemaOr(form, bytes, depth)
    }
  }

  #json(bytes: Buffer): unknown {
    if (bytes.length === 0) return undefined
    try {
      return this.#parseJson(bytes)
    } catch (cause) {
      throw new ProtobufError('an embedded object is not JSON', { cause })
    }
  }

  /** A schema, or what JSON Schema allows in its place. */
  #schemaOr(form: 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStrings', bytes: Buffer, depth: number): unknown {
    const schemas = (number: number) =>
      valuesOf(bytes, number).map((value) => this.#message(schemaMessage, buffer(value), depth + 1))
    if (form === 'schemaOrBool') return schemas(2)[0] ?? valuesOf(bytes, 1).some((value) => asNumber(value) !== 0)
    const [schema] = schemas(1)
    return schema ?? (form === 'schemaOrArray' ? schemas(2) : texts(bytes, 2))
  }

  #fieldsOf(name: string): ReadonlyMap<number, Field> {
    let fields = this.#fields.get(name)
    if (!fields) {
      fields = new Map(this.#table.fieldsOf(name).map((field) => [field.number, field]))
      this.#fields.set(name, fields)
    }
    return fields
  }
}

/** Go writes strings and numbers that nobody has set, too. */
function isUnset(field: Field, value: unknown): boolean {
  if (field.omitZero) return !value
  return value === '' && !field.keepEmpty && (field.type === 'string' || field.type === 'bytes')
}

/** Numbers of one list may come one by one or all in one field. */
function isPacked(type: string, value: WireValue): value is Buffer {
  return (/^u?int(32|64)$/.test(type) || type === 'bool') && Buffer.isBuffer(value)
}

function readEnvelope(bytes: Buffer): { apiVersion: string; kind: string; raw: Buffer } {
  let apiVersion = ''
  let kind = ''
  let raw: Buffer = Buffer.alloc(0)
  const unknown = new FieldReader(bytes)
  while (unknown.next()) {
    if (unknown.number === 2) raw = buffer(unknown.value)
    if (unknown.number !== 1) continue
    const type = new FieldReader(buffer(unknown.value))
    while (type.next()) {
      if (type.number === 1) apiVersion = text(buffer(type.value))
      if (type.number === 2) kind = text(buffer(type.value))
    }
  }
  return { apiVersion, kind, raw }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function text(bytes: Buffer): string {
  // Most are ASCII, which needs no check but this.
  let at = 0
  while (at < bytes.length && bytes[at]! < 0x80) at++
  if (at === bytes.length) return bytes.toString('latin1')
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new ProtobufError('a string is not UTF-8', { cause })
  }
}

function texts(bytes: Buffer, number: number): string[] {
  return valuesOf(bytes, number).map((value) => text(buffer(value)))
}

/** What all the fields of a number hold. */
function valuesOf(bytes: Buffer, number: number): WireValue[] {
  const values: WireValue[] = []
  const reader = new FieldReader(bytes)
  while (reader.next()) if (reader.number === number) values.push(reader.value)
  return values
}

function buffer(value: WireValue, length?: number): Buffer {
  if (!Buffer.isBuffer(value) || (length !== undefined && value.length !== length)) {
    throw new ProtobufError('a field has the wire type of another')
  }
  return value
}

/** JSON has no infinity: it would be stored as null. */
function double(bytes: Buffer): number {
  const value = bytes.readDoubleLE(0)
  if (!Number.isFinite(value)) throw new ProtobufError('a number is out of range')
  return value
}

/** The value of the one field a message has; empty bytes when it is not there. */
function only(bytes: Buffer, number: number): Buffer {
  const reader = new FieldReader(bytes)
  while (reader.next()) if (reader.number === number) return buffer(reader.value)
  return Buffer.alloc(0)
}

/** @param digits of the fraction of a second @returns undefined for the zero time, which is what Go calls absent */
function timestamp(bytes: Buffer, digits: number): string | undefined {
  let seconds = 0
  let nanos = 0
  if (bytes.length === 0) return undefined
  const reader = new FieldReader(bytes)
  while (reader.next()) {
    if (reader.number === 1) seconds = asNumber(reader.value)
    if (reader.number === 2) nanos = asNumber(reader.value)
  }
  if (nanos < 0 || nanos > 999_999_999) throw new ProtobufError('a time is out of range')
  const time = formatTime({ seconds, nanos }, digits)
  if (time === undefined) throw new ProtobufError('a time is out of range')
  return time
}

function intOrString(bytes: Buffer): number | string {
  let isText = false
  let number = 0
  let string = ''
  const reader = new FieldReader(bytes)
  while (reader.next()) {
    if (reader.number === 1) isText = asNumber(reader.value) !== 0
    if (reader.number === 2) number = asNumber(reader.value)
    if (reader.number === 3) string = text(buffer(reader.value))
  }
  return isText ? string : number
}
