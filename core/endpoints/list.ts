import { createGzip } from 'node:zlib'
import { newExpired, StatusError } from '#core/errors/status-error.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { ReplyStream } from '#core/server/exchange.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import { listPast } from '#core/storage/cacher/past-list.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import type { ResourceRequest } from './endpoint.ts'
import { groupBytes, groupsOf, type Part } from './groups.ts'
import { type ListOptions, parseListOptions } from './list-options.ts'
import { mediaTypeOf, negotiate } from './negotiate.ts'
import { announceGzip, indented, isPretty, takesGzip, yamlOf } from './presentation.ts'
import { protobufType } from './protobuf-codec.ts'
import { protobufFormOf, protobufListParts } from './protobuf-form.ts'
import { reach } from './reach.ts'
import { replyBytes } from './reply.ts'
import { partialMetadata, tableOf } from './representation.ts'
import { type Selection, selectionOf } from './selection.ts'
import { forRelations, listShown, type StoredList } from './shown-list.ts'

/** What a page says of the list it is part of. */
export interface ListPage {
  /** Absent: the cache's. */
  revision?: number
  continue?: string
  remaining?: number
}

/** GET of a collection. @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks */
export async function list(asked: ResourceRequest): Promise<void> {
  const selection = selectionOf(asked)
  const request = forRelations(asked, selection, negotiate(asked))
  const options = parseListOptions(request.exchange.query)
  if (options.continue) return continueList(request, selection, options)
  const { revision, isExact, limit } = options
  await reach(request.cacher, revision)
  return replyAt(request, selection, limit, isExact ? revision : request.cacher.revision, '')
}

async function continueList(request: ResourceRequest, selection: Selection, options: ListOptions): Promise<void> {
  const { revision, after } = decodeContinue(options.continue, selection.keyPrefix)
  await reach(request.cacher, revision)
  return replyAt(request, selection, options.limit, revision < 0 ? request.cacher.revision : revision, after)
}

function replyAt(
  request: ResourceRequest,
  selection: Selection,
  limit: number,
  revision: number,
  after: string,
): Promise<void> {
  const isCurrent = revision >= request.served.resource.cache.lastRevision
  return (isCurrent ? replyCurrent : replyFromHistory)(request, selection, limit, after, revision)
}

async function replyCurrent(
  request: ResourceRequest,
  selection: Selection,
  limit: number,
  after: string,
  revision: number,
): Promise<void> {
  const { served } = request
  const { matches, singleKey, keyPrefix } = selection
  if (singleKey !== undefined) return replyList(request, await selectSingle(served, selection, singleKey), { revision })
  const { entries, more } = await selectCurrent(served, selection, limit, after)
  if (!more) return replyList(request, entries, { revision })
  const last = entries[entries.length - 1]!.key
  await replyList(request, entries, {
    revision,
    continue: encodeContinue({ revision, after: last }),
    ...(!matches && { remaining: served.resource.cache.countAfter(keyPrefix, last) }),
  })
}

/** What is selected now, as the version shows it. @param after keys up to this one are left out */
export function selectCurrent(
  served: ServedVersion,
  selection: Selection,
  limit: number,
  after: string,
): Promise<{ entries: readonly CacheEntry[]; more: boolean }> {
  const { cache } = served.resource
  return listShown(served, selection, limit, (matches, most) =>
    cache.list(selection.keyPrefix, matches, most, after, matches && selection.equals),
  )
}

async function selectSingle(served: ServedVersion, selection: Selection, key: string): Promise<readonly CacheEntry[]> {
  const entry = served.resource.cache.get(key)
  const { entries } = await listShown(served, selection, 0, (matches) => ({
    entries: entry && (matches?.(entry) ?? true) ? [entry] : [],
    more: false,
  }))
  return entries
}

/** The collection has changed since: the cache knows for a while how it was, and the store for longer. */
async function replyFromHistory(
  request: ResourceRequest,
  selection: Selection,
  limit: number,
  after: string,
  revision: number,
): Promise<void> {
  const { store, served } = request
  const { keyPrefix } = selection
  let remaining: number | undefined
  const list: StoredList = async (matches, most) => {
    const options = { keyPrefix, limit: most, after, ...(matches && { matches }) }
    try {
      const past = listPast(served.resource.cache, revision, options)
      remaining = past?.remaining
      return past ?? (await store.listAt(served.resource, keyPrefix, revision, options))
    } catch (error) {
      throw after ? withFreshToken(error, after) : error
    }
  }
  const { entries, more } = await listShown(served, selection, limit, list)
  const last = entries.at(-1)?.key
  await replyList(request, entries, {
    revision,
    ...(more && last !== undefined && { continue: encodeContinue({ revision, after: last }) }),
    ...(remaining !== undefined && { remaining }),
  })
}

/** A 410 that tells how to go on with a list that is no longer consistent with its beginning. */
function withFreshToken(error: unknown, after: string): unknown {
  if (!(error instanceof StatusError) || error.status.reason !== 'Expired') return error
  const expired = newExpired(
    'The provided continue parameter is too old to display a consistent list result. Start the list again without it, or use the continue token of this answer to get the rest as it is now, which may not fit what came before.',
  )
  expired.status.metadata.continue = encodeContinue({ revision: -1, after })
  return expired
}

/** Answers with entries as the client wants to see them. @param entries as the version shows them */
export async function replyList(
  request: ResourceRequest,
  entries: readonly CacheEntry[],
  page: ListPage,
): Promise<void> {
  const { exchange, served } = request
  const representation = negotiate(request)
  const metadata = listMetadata(request, page)
  if (representation.as === 'Table') {
    const table = tableOf(
      request,
      entries.map(({ bytes }) => bytes),
      metadata,
      representation.metaVersion,
    )
    return replyBytes(request, 200, Buffer.from(JSON.stringify(table)), representation)
  }
  const partial = representation.as === 'PartialObjectMetadata'
  const encode = partial
    ? ({ bytes }: CacheEntry) => partialMetadata(bytes, representation)
    : ({ bytes }: CacheEntry) => bytes
  const { kind, apiVersion } = partial
    ? { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${representation.metaVersion}` }
    : { kind: served.resource.definition.listKind, apiVersion: served.apiVersion }
  const head = { kind, apiVersion, metadata }
  if (representation.format === 'protobuf') {
    const parts = await protobufListParts(head, entries, protobufFormOf(served, representation))
    return streamParts(request, parts, protobufType)
  }
  if (representation.format === 'yaml') {
    return streamParts(request, yamlParts(head, entries, encode), mediaTypeOf('yaml'))
  }
  if (!isLarge(entries)) {
    return replyBytes(request, 200, Buffer.concat([...listParts(head, entries, encode)]), representation)
  }
  const parts = isPretty(exchange)
    ? indentedParts(head, entries, encode)
    : listParts<Part>(head, entries, (entry) => (partial ? encode(entry) : entry))
  return streamParts(request, parts, mediaTypeOf('json'))
}

function listMetadata({ cacher }: ResourceRequest, page: ListPage): Record<string, unknown> {
  return {
    resourceVersion: String(page.revision ?? cacher.revision),
    ...(page.continue && { continue: page.continue }),
    ...(page.remaining && { remainingItemCount: page.remaining }),
  }
}

type Encode = (entry: CacheEntry) => Buffer

const comma = Buffer.from(',')
const tail = Buffer.from(']}')

function* listParts<P extends Part>(
  head: object,
  entries: readonly CacheEntry[],
  encode: (entry: CacheEntry) => P,
): Generator<P | Buffer> {
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)
  for (let at = 0; at < entries.length; at++) {
    if (at > 0) yield comma
    yield encode(entries[at]!)
  }
  yield tail
}

/** The same for people to read, object by object: a large list is never one large text. */
function* indentedParts(head: object, entries: readonly CacheEntry[], encode: Encode): Generator<Buffer> {
  yield Buffer.from(`${JSON.stringify(head, null, 2).slice(0, -2)},\n  "items": [`)
  for (let at = 0; at < entries.length; at++) {
    // Texts hold no line feeds but escaped ones.
    const lines = indented(encode(entries[at]!)).replaceAll('\n', '\n    ')
    yield Buffer.from(`${at > 0 ? ',' : ''}\n    ${lines}`)
  }
  yield Buffer.from(entries.length > 0 ? '\n  ]\n}\n' : ']\n}\n')
}

function* yamlParts(head: object, entries: readonly CacheEntry[], encode: Encode): Generator<Buffer> {
  yield Buffer.from(yamlOf(head))
  yield Buffer.from(entries.length > 0 ? 'items:\n' : 'items: []\n')
  for (const entry of entries) yield Buffer.from(yamlOf([JSON.parse(encode(entry).toString())]))
}

function isLarge(entries: readonly CacheEntry[]): boolean {
  let size = 0
  return entries.some((entry) => (size += entry.length) > groupBytes)
}

async function streamParts({ exchange }: ResourceRequest, parts: Iterable<Part>, contentType: string): Promise<void> {
  const gzip = takesGzip(exchange)
  if (gzip) announceGzip(exchange)
  const reply = exchange.stream(200, contentType)
  const write = gzip ? gzipWriter(reply) : plainWriter(reply)
  for (const group of groupsOf(parts)) {
    if (reply.closed) return
    await write(group)
  }
  await write(undefined)
}

/** Takes a chunk, or undefined for the end; resolves when the chunk's memory may be used again. */
type Writer = (chunk: Buffer | undefined) => Promise<void> | void

/** A client that takes nothing for so long is cut off: what it waits for is kept in memory for it alone. */
const stallMs = 60_000

async function drainedInTime(reply: ReplyStream): Promise<void> {
  const timer = setTimeout(() => reply.destroy(), stallMs)
  await reply.drained()
  clearTimeout(timer)
}

function plainWriter(reply: ReplyStream): Writer {
  return (chunk) => {
    if (chunk === undefined) return reply.end()
    return reply.write(chunk) ? undefined : drainedInTime(reply)
  }
}

function gzipWriter(reply: ReplyStream): Writer {
  const gzip = createGzip({ level: 1 })
  gzip.on('data', (chunk: Buffer) => {
    if (reply.write(chunk)) return
    gzip.pause()
    drainedInTime(reply).then(() => gzip.resume())
  })
  gzip.on('end', () => reply.end())
  reply.onClose(() => gzip.destroy())
  return (chunk) =>
    new Promise((resolve) => {
      if (reply.closed) return resolve()
      reply.onClose(resolve)
      if (chunk === undefined) gzip.end(() => resolve())
      else gzip.write(chunk, () => resolve())
    })
}
