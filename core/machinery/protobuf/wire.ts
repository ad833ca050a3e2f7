/** A message that does not decode. */
export class ProtobufError extends Error {}

/** A varint, as a bigint only where a number would not be exact; or the bytes of anything else: fixed-width numbers, too. */
export type WireValue = number | bigint | Buffer

/**
 * Reads the fields of one message, one after the other, each a view into its bytes.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class FieldReader {
  /** Of the field that `next` has read. */
  number = 0
  value: WireValue = 0
  readonly #bytes: Buffer
  readonly #cursor = { at: 0 }

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** @returns false behind the last field @throws ProtobufError */
  next(): boolean {
    const cursor = this.#cursor
    if (cursor.at >= this.#bytes.length) return false
    const tag = Number(readVarint(this.#bytes, cursor))
    this.number = Math.floor(tag / 8)
    if (this.number === 0 || this.number >= 2 ** 29) throw new ProtobufError(`a field has number ${this.number}`)
    this.value = readValue(this.#bytes, cursor, tag % 8)
    return true
  }
}

/** One field as it is on the wire. */
export interface WireField {
  number: number
  value: WireValue
}

/** Reads the fields of one message, for who does not count microseconds. @throws ProtobufError */
export function* readFields(bytes: Buffer): Generator<WireField> {
  const reader = new FieldReader(bytes)
  while (reader.next()) yield { number: reader.number, value: reader.value }
}

/** Reads numbers that stand one behind the other. @throws ProtobufError */
export function* readNumbers(bytes: Buffer): Generator<number | bigint> {
  const cursor = { at: 0 }
  while (cursor.at < bytes.length) yield readVarint(bytes, cursor)
}

/** A signed number of 64 bits. @throws ProtobufError for what is no varint */
export function asNumber(value: WireValue): number {
  if (typeof value === 'number') return value
  return Number(BigInt.asIntN(64, varint(value)))
}

/** @throws ProtobufError for what is no varint */
export function asUnsigned(value: WireValue): number {
  return typeof value === 'number' ? value : Number(varint(value))
}

function varint(value: bigint | Buffer): bigint {
  if (typeof value !== 'bigint') throw new ProtobufError('a field has the wire type of another')
  return value
}

function readValue(bytes: Buffer, cursor: { at: number }, wireType: number): WireValue {
  switch (wireType) {
    case 0:
      return readVarint(bytes, cursor)
    case 1:
      return take(bytes, cursor, 8)
    case 2:
      return take(bytes, cursor, Number(readVarint(bytes, cursor)))
    case 5:
      return take(bytes, cursor, 4)
    default:
      throw new ProtobufError(`wire type ${wireType} is not used by any field`)
  }
}

function readVarint(bytes: Buffer, cursor: { at: number }): number | bigint {
  let value = 0
  let factor = 1
  const start = cursor.at
  for (let at = start; at < start + 7; at++) {
    const byte = bytes[at]
    if (byte === undefined) throw new ProtobufError('the message ends within a number')
    value += (byte & 0x7f) * factor
    factor *= 128
    if (byte < 0x80) {
      cursor.at = at + 1
      return value
    }
  }
  return readLongVarint(bytes, cursor)
}

function readLongVarint(bytes: Buffer, cursor: { at: number }): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at++]
    if (byte === undefined) throw new ProtobufError('the message ends within a number')
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asUintN(64, value)
  }
  throw new ProtobufError('a number is longer than ten bytes')
}

function take(bytes: Buffer, cursor: { at: number }, length: number): Buffer {
  const end = cursor.at + length
  if (end > bytes.length) throw new ProtobufError('the message ends within a field')
  const value = bytes.subarray(cursor.at, end)
  cursor.at = end
  return value
}
