const defaultBytes = 64 * 1024
/** A larger one is not kept once its message is taken. */
const keptBytes = 1024 * 1024

/** Writes messages front to back. What it holds is good until the next `take`. @see https://protobuf.dev/programming-guides/encoding/ */
export class ProtobufWriter {
  bytes: Buffer
  end = 0
  readonly #initialBytes: number

  /** @param initialBytes what it has room for at first */
  constructor(initialBytes = defaultBytes) {
    this.#initialBytes = initialBytes
    this.bytes = Buffer.allocUnsafeSlow(initialBytes)
  }

  /** Makes room for so many more bytes. */
  reserve(length: number): void {
    if (this.end + length <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.end + length))
    this.bytes.copy(grown, 0, 0, this.end)
    this.bytes = grown
  }

  /** A whole number, in two's complement when it is negative. Takes at most ten bytes, for which there must be room. */
  varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) this.#positive(value)
    else this.#wide(value)
  }

  #positive(value: number): void {
    let rest = value
    // Beyond 31 bits shifts would lose what is above them.
    while (rest > 0x7fffffff) {
      this.bytes[this.end++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      this.bytes[this.end++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.bytes[this.end++] = rest
  }

  #wide(value: number | bigint): void {
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 127n) {
      this.bytes[this.end++] = Number(rest & 127n) | 128
      rest >>= 7n
    }
    this.bytes[this.end++] = Number(rest)
  }

  number(tag: number, value: number | bigint): void {
    this.reserve(20)
    this.varint(tag)
    this.varint(value)
  }

  double(tag: number, value: number): void {
    this.reserve(18)
    this.varint(tag)
    this.end = this.bytes.writeDoubleLE(value, this.end)
  }

  text(tag: number, value: string): void {
    const length = Buffer.byteLength(value)
    this.reserve(20 + length)
    this.varint(tag)
    this.varint(length)
    this.end += this.bytes.write(value, this.end)
  }

  /** `bytes` from one index to another as the content of a field. */
  slice(tag: number, bytes: Buffer, from: number, to: number): void {
    this.reserve(20 + to - from)
    this.varint(tag)
    this.varint(to - from)
    bytes.copy(this.bytes, this.end, from, to)
    this.end += to - from
  }

  /**
   * Begins a field with a length that is not known yet.
   * @param lengthBytes how many bytes the length is expected to take
   * @returns where its content begins, for `close`
   */
  open(tag: number, lengthBytes: number): number {
    this.reserve(20)
    this.varint(tag)
    return (this.end += lengthBytes)
  }

  /** Ends what `open` began, and moves it when the expectation was wrong. @returns how many bytes the length took */
  close(start: number, lengthBytes: number): number {
    const length = this.end - start
    const needed = sizeOfVarint(length)
    if (needed !== lengthBytes) {
      this.reserve(needed)
      this.bytes.copyWithin(start + needed - lengthBytes, start, this.end)
    }
    this.end = start - lengthBytes
    this.varint(length)
    this.end += length
    return needed
  }

  /** Hands out what was written, as a view that the next message overwrites, and starts anew. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.end)
    this.end = 0
    if (this.bytes.length > keptBytes) this.bytes = Buffer.allocUnsafeSlow(this.#initialBytes)
    return taken
  }
}

export function sizeOfVarint(value: number): number {
  let size = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++
  return size
}

/** The tag of a field whose wire type is that of numbers and booleans. */
export const varintTag = (number: number) => number * 8
/** … of a field with a length: text, bytes and messages. */
export const lengthTag = (number: number) => number * 8 + 2
/** … of a field of eight bytes. */
export const fixed64Tag = (number: number) => number * 8 + 1
