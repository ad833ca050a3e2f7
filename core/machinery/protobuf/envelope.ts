import type { TypeMeta, WatchEventType } from '#apis/meta/v1/types.ts'
import { lengthTag, ProtobufWriter, sizeOfVarint } from './writer.ts'

/**
 * What stands around messages on the wire: four bytes of magic, then a `runtime.Unknown` that names the kind and holds the
 * message; in a watch's answer, frames that hold a `WatchEvent` each.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
export const magic = Buffer.from('k8s\0')

/** contentEncoding and contentType, empty: Go writes them all the same. */
const unknownTail = Buffer.from([lengthTag(3), 0, lengthTag(4), 0])

const headBytes = 256
const writer = new ProtobufWriter(headBytes)

/** What precedes a message of so many bytes; good until the writer writes more. */
function headOf({ apiVersion, kind }: TypeMeta, length: number, writer: ProtobufWriter): Buffer {
  writer.reserve(magic.length)
  writer.end += magic.copy(writer.bytes, writer.end)
  const start = writer.open(lengthTag(1), 1)
  writer.text(lengthTag(1), apiVersion)
  writer.text(lengthTag(2), kind)
  writer.close(start, 1)
  writer.reserve(20)
  writer.varint(lengthTag(2))
  writer.varint(length)
  return writer.take()
}

/** A message as the whole body of an answer. */
export function envelope(type: TypeMeta, message: Buffer): Buffer {
  return Buffer.concat([headOf(type, message.length, writer), message, unknownTail])
}

/** The numbers a list has for its parts. */
export interface ListNumbers {
  metadata: number
  items: number
}

/** How many bytes an item takes as a part of a list, with what precedes it. */
export function itemSize({ items }: ListNumbers, message: Buffer): number {
  return sizeOfVarint(lengthTag(items)) + sizeOfVarint(message.length) + message.length
}

/**
 * A list, part by part; each is good until the next one is asked for.
 * @param itemsSize the sum of `itemSize` of all
 */
export function* listParts(
  type: TypeMeta,
  numbers: ListNumbers,
  metadata: Buffer,
  items: Iterable<Buffer>,
  itemsSize: number,
): Generator<Buffer> {
  // Its own: other answers are written while a part of this one waits.
  const writer = new ProtobufWriter(headBytes)
  const metadataSize = sizeOfVarint(lengthTag(numbers.metadata)) + sizeOfVarint(metadata.length) + metadata.length
  yield headOf(type, metadataSize + itemsSize, writer)
  yield fieldHead(numbers.metadata, metadata.length, writer)
  yield metadata
  for (const item of items) {
    yield fieldHead(numbers.items, item.length, writer)
    yield item
  }
  yield unknownTail
}

function fieldHead(number: number, length: number, writer: ProtobufWriter): Buffer {
  writer.reserve(20)
  writer.varint(lengthTag(number))
  writer.varint(length)
  return writer.take()
}

/** One event of a watch, behind its length in four bytes. @param object a whole body, as of an answer */
export function frameWatchEvent(type: WatchEventType, object: Buffer): Buffer {
  writer.reserve(4)
  writer.end += 4
  writer.text(lengthTag(1), type)
  const rawSize = 1 + sizeOfVarint(object.length) + object.length
  writer.reserve(20)
  writer.varint(lengthTag(2))
  writer.varint(rawSize)
  writer.varint(lengthTag(1))
  writer.varint(object.length)
  const head = writer.take()
  head.writeUInt32BE(head.length - 4 + object.length)
  return Buffer.concat([head, object])
}
