/**
 * Protocol buffers, writing only, in one pass.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufWriter {
  #bytes: Buffer
  #at = 0

  constructor(capacity = 1024 * 1024) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Absent and empty strings are the default and are left out. */
  string(field: number, text: string | undefined): void {
    if (text) this.#writeString(field, text)
  }

  strings(field: number, texts: readonly string[] | undefined): void {
    if (texts) for (const text of texts) this.#writeString(field, text)
  }

  bool(field: number, value: boolean | undefined): void {
    if (!value) return
    this.#reserve(8)
    this.#varint((field << 3) | 0)
    this.#bytes[this.#at++] = 1
  }

  /** Writes a message with what `body` writes. */
  message(field: number, body: () => void): void {
    this.#reserve(12)
    this.#varint((field << 3) | 2)
    // The length is known only behind the body: room for four bytes is left, which holds any up to 256 MiB.
    const lengthAt = this.#at
    this.#at += 4
    body()
    let length = this.#at - lengthAt - 4
    for (let byte = 0; byte < 4; byte++) {
      this.#bytes[lengthAt + byte] = (length & 0x7f) | (byte < 3 ? 0x80 : 0)
      length >>>= 7
    }
  }

  /** Fields that were written before. */
  raw(bytes: Buffer): void {
    this.#reserve(bytes.length)
    this.#at += bytes.copy(this.#bytes, this.#at)
  }

  #writeString(field: number, text: string): void {
    const length = Buffer.byteLength(text)
    this.#reserve(length + 12)
    this.#varint((field << 3) | 2)
    this.#varint(length)
    this.#at += this.#bytes.write(text, this.#at)
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#at++] = rest
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
