/**
 * Kubernetes' protobuf by hand, from its documentation alone: a reader and a writer of the wire format that know no kind.
 * @see https://protobuf.dev/programming-guides/encoding/
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export const protobufType = 'application/vnd.kubernetes.protobuf'

const magic = Buffer.from('k8s\0')

/** One message: what its fields hold, by their numbers. */
export class Message {
  readonly #fields = new Map<number, (number | Buffer)[]>()

  /** @throws for bytes that are no message */
  constructor(bytes: Buffer) {
    let at = 0
    const varint = () => {
      let value = 0
      for (let factor = 1; ; factor *= 128) {
        const byte = bytes[at++]
        if (byte === undefined) throw new Error('the message ends within a number')
        value += (byte & 127) * factor
        if (byte < 128) return value
      }
    }
    while (at < bytes.length) {
      const tag = varint()
      const wireType = tag % 8
      if (wireType === 0) {
        this.#add(Math.floor(tag / 8), varint())
        continue
      }
      const length = wireType === 2 ? varint() : 8
      if (at + length > bytes.length) throw new Error('the message ends within a field')
      this.#add(Math.floor(tag / 8), bytes.subarray(at, at + length))
      at += length
    }
  }

  #add(number: number, value: number | Buffer): void {
    const values = this.#fields.get(number) ?? []
    values.push(value)
    this.#fields.set(number, values)
  }

  has(number: number): boolean {
    return this.#fields.has(number)
  }

  number(number: number): number | undefined {
    return this.#fields.get(number)?.at(-1) as number | undefined
  }

  bytes(number: number): Buffer {
    return (this.#fields.get(number)?.at(-1) as Buffer | undefined) ?? Buffer.alloc(0)
  }

  text(number: number): string {
    return this.bytes(number).toString()
  }

  /** The message that a path of numbers leads to; empty when there is none. */
  at(...path: number[]): Message {
    return path.reduce((message: Message, number) => new Message(message.bytes(number)), this)
  }

  all(number: number): Message[] {
    return (this.#fields.get(number) ?? []).map((bytes) => new Message(bytes as Buffer))
  }

  /** A map of texts. */
  map(number: number): Record<string, string> {
    return Object.fromEntries(this.all(number).map((entry) => [entry.text(1), entry.text(2)]))
  }
}

/** What a body says it holds, and its message. @throws for what is no body in protobuf */
export function openBody(body: Buffer): { apiVersion: string; kind: string; message: Message } {
  if (!body.subarray(0, 4).equals(magic)) throw new Error(`not protobuf: ${body.subarray(0, 40).toString('latin1')}`)
  const unknown = new Message(body.subarray(4))
  const type = unknown.at(1)
  return { apiVersion: type.text(1), kind: type.text(2), message: new Message(unknown.bytes(2)) }
}

/** An event of a watch: its type and the body of its object. */
export interface WatchFrame {
  type: string
  body: Buffer
}

/** The frames of a watch's answer, each behind its length in four bytes. */
export async function* readFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<WatchFrame> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const end = 4 + rest.readUInt32BE()
      const event = new Message(rest.subarray(4, end))
      yield { type: event.text(1), body: event.at(2).bytes(1) }
      rest = rest.subarray(end)
    }
  }
}

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]

/** A text, bytes or a message. */
export function field(number: number, ...content: (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)))
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])
}

/** A number or a boolean. */
export function numberField(number: number, value: number): Buffer {
  return Buffer.from([...varint(number * 8), ...varint(value)])
}

/** A body, to the byte as Go writes it. */
export function bodyOf(apiVersion: string, kind: string, ...message: Buffer[]): Buffer {
  return Buffer.concat([
    magic,
    field(1, field(1, apiVersion), field(2, kind)),
    field(2, ...message),
    field(3, ''),
    field(4, ''),
  ])
}
