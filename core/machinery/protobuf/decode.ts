import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { magic } from './envelope.ts'
import { type Field, type Messages, MessageTable, type SpecialForm, schemaMessage, specialFormOf } from './messages.ts'
import { formatTime } from './time.ts'
import { asNumber, asUnsigned, ProtobufError, readFields, readNumbers, type WireValue } from './wire.ts'

/** Beyond this a message is an attack. */
const maxDepth = 100

/** Reads Kubernetes' protobuf. Decodes to what the same object is in JSON. */
export class ProtobufDecoder {
  readonly #table: MessageTable
  readonly #fields = new Map<string, ReadonlyMap<number, Field>>()

  constructor(messages: Messages | MessageTable) {
    this.#table = messages instanceof MessageTable ? messages : new MessageTable(messages)
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
    for (const { number, value } of readFields(bytes)) {
      const field = fields.get(number)
      if (field) this.#set(object, field, value, depth)
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
    for (const { number, value } of readFields(bytes)) {
      if (number === 1) key = text(buffer(value))
      if (number === 2) entry = this.#value(type, value, depth)
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
        return json(only(bytes, 1))
      case 'intOrString':
        return intOrString(bytes)
      case 'strings':
        return texts(bytes, 1)
      default:
        return this.#schemaOr(form, bytes, depth)
    }
  }

  /** A schema, or what JSON Schema allows in its place. */
  #schemaOr(form: 'schemaOrArray' | 'schemaOrBool' | 'schemaOrStrings', bytes: Buffer, depth: number): unknown {
    const fields = Array.from(readFields(bytes))
    const schemas = (number: number) =>
      fields
        .filter((field) => field.number === number)
        .map(({ value }) => this.#message(schemaMessage, buffer(value), depth + 1))
    if (form === 'schemaOrBool') {
      return schemas(2)[0] ?? fields.some(({ number, value }) => number === 1 && asNumber(value) !== 0)
    }
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
  for (const { number, value } of readFields(bytes)) {
    if (number === 2) raw = buffer(value)
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

function texts(bytes: Buffer, number: number): string[] {
  return Array.from(readFields(bytes))
    .filter((field) => field.number === number)
    .map(({ value }) => text(buffer(value)))
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
  for (const field of readFields(bytes)) if (field.number === number) return buffer(field.value)
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
  if (bytes.length === 0) return undefined
  for (const { number, value } of readFields(bytes)) {
    if (number === 1) seconds = asNumber(value)
    if (number === 2) nanos = asNumber(value)
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
  for (const field of readFields(bytes)) {
    if (field.number === 1) isText = asNumber(field.value) !== 0
    if (field.number === 2) number = asNumber(field.value)
    if (field.number === 3) string = text(buffer(field.value))
  }
  return isText ? string : number
}
