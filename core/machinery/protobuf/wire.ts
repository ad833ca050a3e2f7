/** A message that does not decode. */
export class ProtobufError extends Error {}

/** One field as it is on the wire. @see https://protobuf.dev/programming-guides/encoding/ */
export interface WireField {
  number: number
  /** A varint as its 64 bits, or the bytes of anything that has a length; fixed-width numbers as their bytes. */
  value: bigint | Buffer
}

/** Reads the fields of one message, each view into `bytes`. @throws ProtobufError */
export function* readFields(bytes: Buffer): Generator<WireField> {
  const cursor = { at: 0 }
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(bytes, cursor))
    const number = tag >>> 3
    if (number === 0) throw new ProtobufError('a field has number 0')
    yield { number, value: readValue(bytes, cursor, tag & 7) }
  }
}

function readValue(bytes: Buffer, cursor: { at: number }, wireType: number): bigint | Buffer {
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

function readVarint(bytes: Buffer, cursor: { at: number }): bigint {
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
