import type { TypeMeta, UnstructuredObject } from '#apis/meta/v1/types.ts'

/**
 * The bytes of an object as they are stored and served: JSON that begins
 * `{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"`, so that the one field that differs between what is
 * written and what is read can be put in without parsing. Behind it comes managedFields, then the name: managedFields are
 * much of many objects' bytes and of interest to few, who find them there.
 */

const quote = 0x22
const head = Buffer.from('{"kind":"')
const betweenKindAndVersion = Buffer.from('","apiVersion":"')
const betweenVersions = Buffer.from('","metadata":{"resourceVersion":"')

/**
 * Encodes an object with an empty resourceVersion; the rest of its fields stay in their order.
 * @param owners its managedFields as text, as `ownersText` gives them; without any, those in the object are written
 */
export function encodeObject(object: UnstructuredObject, { apiVersion, kind }: TypeMeta, owners = ''): Buffer {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object
  const { resourceVersion: _resourceVersion, managedFields, name, ...meta } = metadata ?? {}
  // Joined by hand: JSON.stringify would put fields whose names are digits before all others.
  const start = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":{"resourceVersion":""`
  const owned = owners === '' && managedFields?.length ? JSON.stringify(managedFields) : owners
  const named = name === undefined ? '' : `,"name":${JSON.stringify(name)}`
  return Buffer.from(
    start + (owned === '' ? '' : `,"managedFields":${owned}`) + named + moreFields(meta) + moreFields(rest),
  )
}

/** The fields of an object as they follow others, and the brace that ends them all. */
function moreFields(object: object): string {
  const json = JSON.stringify(object)
  return json === '{}' ? '}' : `,${json.slice(1)}`
}

/**
 * Where the value of resourceVersion begins, just behind its opening quote.
 * @throws Error when the bytes are not canonical
 */
export function resourceVersionOffset(bytes: Buffer): number {
  return behind(bytes, stringEnd(bytes, apiVersionOffset(bytes)), betweenVersions)
}

function apiVersionOffset(bytes: Buffer): number {
  return behind(bytes, stringEnd(bytes, behind(bytes, 0, head)), betweenKindAndVersion)
}

/** The index behind `expected`, which must stand at `from`. A loop: at this length it beats every call into native code. */
function behind(bytes: Buffer, from: number, expected: Buffer): number {
  for (let at = 0; at < expected.length; at++) {
    if (bytes[from + at] !== expected[at]) {
      throw new Error(`the object is not in canonical form: it has no ${expected} at byte ${from}`)
    }
  }
  return from + expected.length
}

/** Index of the quote that ends the string whose text begins at `from`: kinds, versions and revisions have no escapes. */
function stringEnd(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== quote) at++
  return at
}

/**
 * A copy of the bytes with `revision` as their resourceVersion, whatever it was.
 * @param allocate where the copy is to be
 * @throws Error when they are not canonical
 */
export function spliceResourceVersion(
  bytes: Buffer,
  revision: number,
  allocate: (length: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  const from = resourceVersionOffset(bytes)
  const to = stringEnd(bytes, from)
  const version = String(revision)
  const spliced = allocate(bytes.length - (to - from) + version.length)
  bytes.copy(spliced, 0, 0, from)
  spliced.write(version, from, 'latin1')
  bytes.copy(spliced, from + version.length, to)
  return spliced
}

/** The apiVersion that canonical bytes say. @throws Error when they are not canonical */
export function apiVersionIn(bytes: Buffer): string {
  const start = apiVersionOffset(bytes)
  return bytes.toString('latin1', start, stringEnd(bytes, start))
}

/** How the canonical bytes of every object of a type begin. */
export function headOf({ kind, apiVersion }: TypeMeta): Buffer {
  return Buffer.from(`{"kind":"${kind}","apiVersion":"${apiVersion}","metadata"`)
}

const openingBrace = 0x7b
const closingBrace = 0x7d
const backslash = 0x5c

/**
 * The bytes of an object's metadata, braces included, without parsing.
 * @returns a view into `bytes`
 * @throws Error when they are not canonical
 */
export function metadataOf(bytes: Buffer): Buffer {
  const start = metadataOffset(bytes)
  return bytes.subarray(start, metadataEnd(bytes, start, 0))
}

/** The same without its managedFields, in pieces: the resourceVersion, and what is behind it. */
export function plainMetadataOf(bytes: Buffer): { version: Buffer; rest: Buffer } {
  const start = metadataOffset(bytes)
  const behindVersion = stringEnd(bytes, resourceVersionOffset(bytes)) + 1
  const from = ownersRange(bytes)?.to ?? behindVersion
  return { version: bytes.subarray(start, behindVersion), rest: bytes.subarray(from, metadataEnd(bytes, from, 1)) }
}

const metadataOffset = (bytes: Buffer) => resourceVersionOffset(bytes) - '{"resourceVersion":"'.length

/** Index behind the brace that ends metadata. @param depth of braces at `from` */
function metadataEnd(bytes: Buffer, from: number, depth: number): number {
  let isText = false
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (isText) {
      if (byte === backslash) at++
      else if (byte === quote) isText = false
    } else if (byte === quote) isText = true
    else if (byte === openingBrace) depth++
    else if (byte === closingBrace && --depth === 0) return at + 1
  }
  throw new Error('the object is not in canonical form: its metadata does not end')
}

const ownersHead = Buffer.from('","managedFields":')
/** No text in JSON looks like that: the quote would end it, and what follows would be no JSON. */
const ownersTail = Buffer.from('}],"name":"')

/** Where managedFields are in canonical bytes, from the comma before their name to behind their end. */
function ownersRange(bytes: Buffer): { from: number; valueFrom: number; to: number } | undefined {
  const quoteAt = stringEnd(bytes, resourceVersionOffset(bytes))
  for (let at = 0; at < ownersHead.length; at++) if (bytes[quoteAt + at] !== ownersHead[at]) return undefined
  const valueFrom = quoteAt + ownersHead.length
  const tail = bytes.indexOf(ownersTail, valueFrom)
  return tail < 0 ? undefined : { from: quoteAt + 1, valueFrom, to: tail + 2 }
}

/** An object's managedFields as text; empty when it has none. @throws Error when the bytes are not canonical */
export function ownersText(bytes: Buffer): string {
  const range = ownersRange(bytes)
  return range ? bytes.toString('utf8', range.valueFrom, range.to) : ''
}

/** Parses an object's bytes, its managedFields left out. @throws Error when they are not canonical */
export function reviveObject(bytes: Buffer): UnstructuredObject {
  const range = ownersRange(bytes)
  if (!range) return reviveWhole(bytes)
  return JSON.parse(bytes.toString('utf8', 0, range.from) + bytes.toString('utf8', range.to)) as UnstructuredObject
}

/** Parses an object's bytes. */
export function reviveWhole(bytes: Buffer): UnstructuredObject {
  return JSON.parse(bytes.toString()) as UnstructuredObject
}
