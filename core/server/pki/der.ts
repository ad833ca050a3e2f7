/**
 * Distinguished Encoding Rules, as much of them as an X.509 certificate needs; writing only.
 * @see https://www.itu.int/rec/T-REC-X.690
 */

/** One element: tag, length, contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), encodeLength(body.length), body])
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

export const sequence = (...items: readonly Uint8Array[]) => element(0x30, ...items)
export const set = (...items: readonly Uint8Array[]) => element(0x31, ...items)
export const octetString = (bytes: Uint8Array) => element(0x04, bytes)
export const utf8String = (text: string) => element(0x0c, Buffer.from(text))
export const boolean = (value: boolean) => element(0x01, Buffer.from([value ? 0xff : 0]))

/** `[tag]` around whole elements. */
export const explicit = (tag: number, ...items: readonly Uint8Array[]) => element(0xa0 | tag, ...items)
/** `[tag]` in place of a primitive element's own tag. */
export const implicit = (tag: number, bytes: Uint8Array) => element(0x80 | tag, bytes)

/** A non-negative INTEGER from big-endian bytes, in the fewest that do. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const magnitude = bytes.subarray(start)
  const isNegative = ((magnitude[0] ?? 0) & 0x80) !== 0
  return element(0x02, Buffer.from(isNegative || magnitude.length === 0 ? [0] : []), magnitude)
}

/** A BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array) => element(0x03, Buffer.from([0]), bytes)

/** A BIT STRING that names flags by position, without trailing zeros. @param bits positions from 0 */
export function namedBits(bits: readonly number[]): Buffer {
  if (bits.length === 0) return element(0x03, Buffer.from([0]))
  const last = Math.max(...bits)
  const bytes = Buffer.alloc((last >> 3) + 1)
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7)
  return element(0x03, Buffer.from([7 - (last & 7)]), bytes)
}

/** @param dotted such as `2.5.29.15` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}

/** UTCTime up to 2049, GeneralizedTime from 2050, as RFC 5280 wants it; whole seconds. */
export function time(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replace(/\D/g, '')}Z`
  return date.getUTCFullYear() < 2050 ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}
