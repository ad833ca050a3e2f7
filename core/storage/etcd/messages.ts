/**
 * etcd's v3 messages, as far as the driver speaks them. Revisions are numbers: they stay far below 2^53. Ids of leases use all 64 bits.
 * @see https://etcd.io/docs/v3.4/dev-guide/api_reference_v3/
 */
import { ProtobufError, readFields, type WireField } from '#core/machinery/protobuf/wire.ts'
import { lengthTag, ProtobufWriter, varintTag } from '#core/machinery/protobuf/writer.ts'

export const rpc = {
  range: '/etcdserverpb.KV/Range',
  put: '/etcdserverpb.KV/Put',
  txn: '/etcdserverpb.KV/Txn',
  compact: '/etcdserverpb.KV/Compact',
  watch: '/etcdserverpb.Watch/Watch',
  leaseGrant: '/etcdserverpb.Lease/LeaseGrant',
  status: '/etcdserverpb.Maintenance/Status',
} as const

/** Keys from `key` up to, without, `end`. */
export interface KeyRange {
  key: string
  end: Buffer
}

/** All keys that start with `prefix`, which must not be empty. */
export function rangeOf(prefix: string): KeyRange {
  const end = Buffer.from(prefix)
  // No byte of UTF-8 is 255.
  end[end.length - 1]! += 1
  return { key: prefix, end }
}

export interface RangeRequest {
  key: string
  /** Absent: `key` alone. */
  end?: Buffer
  limit?: number
  revision?: number
  keysOnly?: boolean
}

export interface KeyValue {
  key: string
  value: Buffer
  createRevision: number
  modRevision: number
  version: number
}

export interface RangeResponse {
  /** Of the store when it answered. */
  revision: number
  items: KeyValue[]
  more: boolean
}

export interface TxnResponse {
  revision: number
  succeeded: boolean
  /** What the ranges among the operations found. */
  found: KeyValue[]
}

export interface WatchEvent {
  type: 'put' | 'delete'
  item: KeyValue
  previous: KeyValue | undefined
}

export interface WatchResponse {
  revision: number
  created: boolean
  canceled: boolean
  /** Not 0 when the watch ended because it begins before this revision. */
  compactRevision: number
  cancelReason: string
  events: WatchEvent[]
}

export function encodeRange({ key, end, limit, revision, keysOnly }: RangeRequest): Buffer {
  return message(
    bytesField(1, key),
    end !== undefined && bytesField(2, end),
    limit !== undefined && numberField(3, limit),
    revision !== undefined && numberField(4, revision),
    keysOnly && numberField(8, 1),
  )
}

export function decodeRange(bytes: Buffer): RangeResponse {
  const response: RangeResponse = { revision: 0, items: [], more: false }
  for (const field of readFields(bytes)) {
    if (field.number === 1) response.revision = revisionOf(bytesOf(field))
    else if (field.number === 2) response.items.push(decodeKeyValue(bytesOf(field)))
    else if (field.number === 3) response.more = numberOf(field) !== 0
  }
  return response
}

export function encodePut(key: string, value: Buffer, lease?: bigint): Buffer {
  return message(bytesField(1, key), bytesField(2, value), lease !== undefined && numberField(3, lease))
}

/** @returns the revision etcd was at when it answered; each response begins with it */
export function decodeRevision(bytes: Buffer): number {
  for (const field of readFields(bytes)) if (field.number === 1) return revisionOf(bytesOf(field))
  return 0
}

/** What must hold for a transaction to take its first branch. */
export type Compare =
  | { key: string; modRevision: number }
  | { key: string; version: number }
  | { exists: string }
  /** No key begins with this. */
  | { empty: string }

export type Operation =
  | { put: string; value: Buffer; lease?: bigint }
  | { delete: string }
  /** Reads a key without its value. */
  | { look: string }
  /** Reads the first key that begins with this, without its value. */
  | { first: string }
  | { get: string }

export function encodeTxn(
  compares: readonly Compare[],
  success: readonly Operation[],
  failure: readonly Operation[] = [],
): Buffer {
  return message(
    ...compares.map((compare) => bytesField(1, encodeCompare(compare))),
    ...success.map((operation) => bytesField(2, encodeOperation(operation))),
    ...failure.map((operation) => bytesField(3, encodeOperation(operation))),
  )
}

const equal = 0
const greater = 1
const target = { version: 0, modRevision: 2 } as const

function encodeCompare(compare: Compare): Buffer {
  const compareVersion = (result: number, key: string, version: number) => [
    numberField(1, result),
    numberField(2, target.version),
    bytesField(3, key),
    numberField(4, version),
  ]
  if ('version' in compare) return message(...compareVersion(equal, compare.key, compare.version))
  if ('exists' in compare) return message(...compareVersion(greater, compare.exists, 0))
  if ('empty' in compare) {
    // What holds of all keys of a range holds of an empty one, too.
    const { key, end } = rangeOf(compare.empty)
    return message(...compareVersion(equal, key, 0), bytesField(64, end))
  }
  const { key, modRevision } = compare
  return message(
    numberField(1, equal),
    bytesField(3, key),
    numberField(2, target.modRevision),
    numberField(6, modRevision),
  )
}

function encodeOperation(operation: Operation): Buffer {
  if ('put' in operation) return bytesField(2, encodePut(operation.put, operation.value, operation.lease))
  if ('delete' in operation) return bytesField(3, bytesField(1, operation.delete))
  if ('look' in operation) return bytesField(1, encodeRange({ key: operation.look, keysOnly: true }))
  if ('first' in operation) {
    return bytesField(1, encodeRange({ ...rangeOf(operation.first), limit: 1, keysOnly: true }))
  }
  return bytesField(1, encodeRange({ key: operation.get }))
}

export function decodeTxn(bytes: Buffer): TxnResponse {
  const response: TxnResponse = { revision: 0, succeeded: false, found: [] }
  for (const field of readFields(bytes)) {
    if (field.number === 1) response.revision = revisionOf(bytesOf(field))
    else if (field.number === 2) response.succeeded = numberOf(field) !== 0
    else if (field.number === 3) response.found.push(...decodeFound(bytesOf(field)))
  }
  return response
}

function decodeFound(bytes: Buffer): KeyValue[] {
  for (const field of readFields(bytes)) if (field.number === 1) return decodeRange(bytesOf(field)).items
  return []
}

export function encodeCompaction(revision: number): Buffer {
  return numberField(1, revision)
}

export function encodeLeaseGrant(ttlSeconds: number): Buffer {
  return numberField(1, ttlSeconds)
}

/** @returns the lease's id */
export function decodeLeaseGrant(bytes: Buffer): bigint {
  return idIn(bytes, 2)
}

export interface MemberStatus {
  /** Such as `3.5.16`. */
  version: string
  isLeader: boolean
}

export function decodeStatus(bytes: Buffer): MemberStatus {
  const status = { version: '', isLeader: false }
  const leader = idIn(bytes, 4)
  for (const field of readFields(bytes)) {
    if (field.number === 1) status.isLeader = idIn(bytesOf(field), 2) === leader
    else if (field.number === 2) status.version = bytesOf(field).toString()
  }
  return status
}

function idIn(bytes: Buffer, number: number): bigint {
  for (const field of readFields(bytes)) {
    if (field.number === number && typeof field.value !== 'object') return BigInt(field.value)
  }
  return 0n
}

/** Asks for every event of a range from `startRevision` on, each with the value that was there before. */
export function encodeWatchCreate({ key, end }: KeyRange, startRevision: number): Buffer {
  const progressNotify = numberField(4, 1)
  const previousValues = numberField(6, 1)
  const range = [bytesField(1, key), bytesField(2, end), numberField(3, startRevision)]
  return bytesField(1, message(...range, progressNotify, previousValues))
}

export function encodeProgressRequest(): Buffer {
  return bytesField(3, '')
}

export function decodeWatch(bytes: Buffer): WatchResponse {
  const response: WatchResponse = {
    revision: 0,
    created: false,
    canceled: false,
    compactRevision: 0,
    cancelReason: '',
    events: [],
  }
  for (const field of readFields(bytes)) {
    if (field.number === 1) response.revision = revisionOf(bytesOf(field))
    else if (field.number === 3) response.created = numberOf(field) !== 0
    else if (field.number === 4) response.canceled = numberOf(field) !== 0
    else if (field.number === 5) response.compactRevision = numberOf(field)
    else if (field.number === 6) response.cancelReason = bytesOf(field).toString()
    else if (field.number === 11) response.events.push(decodeEvent(bytesOf(field)))
  }
  return response
}

function decodeEvent(bytes: Buffer): WatchEvent {
  const event: WatchEvent = { type: 'put', item: noKeyValue(), previous: undefined }
  for (const field of readFields(bytes)) {
    if (field.number === 1) event.type = numberOf(field) === 1 ? 'delete' : 'put'
    else if (field.number === 2) event.item = decodeKeyValue(bytesOf(field))
    else if (field.number === 3) event.previous = decodeKeyValue(bytesOf(field))
  }
  return event
}

function noKeyValue(): KeyValue {
  return { key: '', value: Buffer.alloc(0), createRevision: 0, modRevision: 0, version: 0 }
}

function decodeKeyValue(bytes: Buffer): KeyValue {
  const item = noKeyValue()
  for (const field of readFields(bytes)) {
    if (field.number === 1) item.key = bytesOf(field).toString()
    else if (field.number === 2) item.createRevision = numberOf(field)
    else if (field.number === 3) item.modRevision = numberOf(field)
    else if (field.number === 4) item.version = numberOf(field)
    else if (field.number === 5) item.value = bytesOf(field)
  }
  return item
}

/** The revision in a response's header. */
function revisionOf(header: Buffer): number {
  for (const field of readFields(header)) if (field.number === 3) return numberOf(field)
  return 0
}

function bytesOf({ number, value }: WireField): Buffer {
  if (typeof value !== 'object') throw new ProtobufError(`field ${number} is a number`)
  return value
}

function numberOf({ number, value }: WireField): number {
  if (typeof value === 'object') throw new ProtobufError(`field ${number} is no number`)
  return Number(BigInt.asIntN(64, BigInt(value)))
}

function message(...fields: (Buffer | false | undefined)[]): Buffer {
  return Buffer.concat(fields.filter((field) => typeof field === 'object'))
}

const writer = new ProtobufWriter()

function bytesField(number: number, value: string | Buffer): Buffer {
  if (typeof value === 'string') writer.text(lengthTag(number), value)
  else writer.slice(lengthTag(number), value, 0, value.length)
  return Buffer.from(writer.take())
}

function numberField(number: number, value: number | bigint): Buffer {
  writer.number(varintTag(number), value)
  return Buffer.from(writer.take())
}
