import { VersionFeed } from '#core/conversion/version-feed.ts'
import { newExpired, statusOf } from '#core/errors/status-error.ts'
import { frameWatchEvent } from '#core/machinery/protobuf/envelope.ts'
import type { ServedVersion } from '#core/registry/registry.ts'
import type { ReplyStream } from '#core/server/exchange.ts'
import { type CacheEntry, type Change, frameEvent } from '#core/storage/cacher/entry.ts'
import type { Subscriber, ViewSpec, WatchView } from '#core/storage/cacher/watch-view.ts'
import type { ResourceRequest } from './endpoint.ts'
import { parseWatchOptions, type WatchOptions } from './list-options.ts'
import { negotiate, type Representation } from './negotiate.ts'
import { encodeBody, protobufType } from './protobuf-codec.ts'
import { protobufFormOf } from './protobuf-form.ts'
import { reach } from './reach.ts'
import { hasOtherMetadata, partialMetadata, tableOf } from './representation.ts'
import { type Selection, selectionOf } from './selection.ts'
import { forRelations } from './shown-list.ts'

/** A watcher that lets so much pile up is dropped; it can come back and resume. */
const maxBufferedBytes = 8 * 1024 * 1024
const bookmarkEveryMs = 60_000
const groupBytes = 256 * 1024

/**
 * GET with `watch=true`: every change from a resourceVersion on, a line each.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function watch(asked: ResourceRequest): Promise<void> {
  const { exchange, cacher, minWatchMs } = asked
  const selection = selectionOf(asked)
  const representation = negotiate(asked, 'watch')
  const request = forRelations(asked, selection, representation)
  const spec = viewSpec(request, selection, representation)
  const options = parseWatchOptions(exchange.query, minWatchMs)
  await reach(cacher, options.revision)
  const start = startOf(request, spec, options)
  const style = styleOf(representation)
  const reply = exchange.stream(200, style.contentType)
  if (!start) {
    const expired = newExpired(`too old resource version: ${options.revision} (${cacher.revision})`)
    reply.end(style.frame('ERROR', style.encode(Buffer.from(JSON.stringify(expired.status)))))
    return
  }
  await new WatchSession(request, reply, options, representation).run(start, spec)
}

/** How a watch's answer is written. */
interface Style {
  contentType: string
  frame: typeof frameEvent
  /** @param json an object that is no entry of the cache */
  encode(json: Buffer): Buffer
}

const jsonStyle: Style = { contentType: 'application/json', frame: frameEvent, encode: (json) => json }
const protobufStyle: Style = {
  contentType: `${protobufType};stream=watch`,
  frame: frameWatchEvent,
  encode: encodeBody,
}

function styleOf({ format }: Representation): Style {
  return format === 'protobuf' ? protobufStyle : jsonStyle
}

let nextOwnView = 1

interface Start {
  /** What to say before the live events, in order. @throws StatusError when an object cannot be converted */
  frames(): Iterable<Buffer> | Promise<Iterable<Buffer>>
}

/** The events up to now, or undefined when they are not all known any more. Runs in the turn that subscribes. */
function startOf(
  { served }: ResourceRequest,
  spec: ViewSpec,
  { revision, sendInitial }: WatchOptions,
): Start | undefined {
  const { cache } = served.resource
  const view = served.feed.viewOf(spec)
  if (sendInitial) {
    const entries = entriesOf(served, view)
    return { frames: () => initialFrames(served, view, entries) }
  }
  if (revision === 0) return { frames: () => [] }
  const changes = cache.changesAfter(revision)
  return changes && { frames: () => pastFrames(served, view, changes) }
}

/** What a view includes now, as it is stored. Who watches one object, as nodes do, does not make anybody look at all others. */
function entriesOf(served: ServedVersion, { spec, includes }: WatchView): CacheEntry[] {
  const { cache } = served.resource
  const { keyPrefix, key, equals } = spec
  const fits = served.feed === cache ? includes : undefined
  if (key === undefined) return cache.list(keyPrefix, fits, 0, '', fits && equals).entries
  const entry = cache.get(key)
  return entry && (fits?.(entry) ?? true) ? [entry] : []
}

async function initialFrames(
  served: ServedVersion,
  { spec, includes }: WatchView,
  entries: readonly CacheEntry[],
): Promise<Iterable<Buffer>> {
  const { frame = frameEvent, encode = bytesOf } = spec
  const shown = await served.showAll(entries)
  const included = served.feed === served.resource.cache ? shown : shown.filter(includes)
  return mapped(included, (entry) => frame('ADDED', encode(entry)))
}

const bytesOf = ({ bytes }: CacheEntry) => bytes

function pastFrames(
  { feed }: ServedVersion,
  view: WatchView,
  changes: readonly Change[],
): Iterable<Buffer> | Promise<Iterable<Buffer>> {
  const frames = (shown: readonly Change[]) => mapped(shown, (change) => view.frame(change))
  if (!(feed instanceof VersionFeed)) return frames(changes)
  const shown = feed.show(changes, view.isSelective)
  return shown instanceof Promise ? shown.then(frames) : frames(shown)
}

function* mapped<T>(items: readonly T[], frame: (item: T) => Buffer | undefined): Generator<Buffer> {
  for (const item of items) {
    const line = frame(item)
    if (line) yield line
  }
}

function viewSpec(request: ResourceRequest, selection: Selection, representation: Representation): ViewSpec {
  const { served } = request
  const { format, as = '', metaVersion, isPlain } = representation
  const encode = encoderOf(request, representation)
  const includeObject = request.exchange.query.get('includeObject') ?? ''
  // What a table's row looks like depends on the rows before it.
  const own = as === 'Table' ? String(nextOwnView++) : ''
  return {
    id: [own, served.apiVersion, format, as, metaVersion, isPlain, includeObject, selection.id].join(' '),
    keyPrefix: selection.keyPrefix,
    ...(selection.singleKey !== undefined && { key: selection.singleKey }),
    ...(selection.matches && { matches: selection.matches }),
    ...(selection.equals && { equals: selection.equals }),
    ...(encode && { encode }),
    ...(isPlain && { showsChange: hasOtherMetadata }),
    ...(format === 'protobuf' && { frame: frameWatchEvent }),
  }
}

/** How a view writes an entry. Those of a feed come as the version shows them; those of the cache, as they are stored. */
function encoderOf(request: ResourceRequest, representation: Representation): ViewSpec['encode'] {
  const { served } = request
  const isShown = served.isStorage || served.feed !== served.resource.cache
  const shown = isShown ? (entry: CacheEntry) => entry : (entry: CacheEntry) => served.showNow(entry)
  const { format, as, metaVersion } = representation
  if (format === 'protobuf') {
    const form = protobufFormOf(served, representation)
    return (entry) => form.body(shown(entry))
  }
  if (as === 'PartialObjectMetadata') return (entry) => partialMetadata(shown(entry).bytes, representation)
  if (as === 'Table') return tableEncoder(request, metaVersion, shown)
  return isShown ? undefined : (entry) => shown(entry).bytes
}

/** Rows as tables of one; only the first tells the columns. */
function tableEncoder(
  request: ResourceRequest,
  metaVersion: Representation['metaVersion'],
  shown: (entry: CacheEntry) => CacheEntry,
): ViewSpec['encode'] {
  let first = true
  return (entry) => {
    const table = tableOf(request, [shown(entry).bytes], undefined, metaVersion)
    const told = first ? table : { ...table, columnDefinitions: null }
    first = false
    return Buffer.from(JSON.stringify(told))
  }
}

/** One open watch: first what was, then what comes, until the client or the timeout ends it. */
class WatchSession implements Subscriber {
  readonly #request: ResourceRequest
  readonly #reply: ReplyStream
  readonly #options: WatchOptions
  readonly #representation: Representation
  /** What came while the start was still being written; undefined once it has been. */
  #backlog: Buffer[] | undefined = []
  #backlogBytes = 0

  constructor(request: ResourceRequest, reply: ReplyStream, options: WatchOptions, representation: Representation) {
    this.#request = request
    this.#reply = reply
    this.#options = options
    this.#representation = representation
  }

  /** Resolves once all is said that was before. */
  async run(start: Start, spec: ViewSpec): Promise<void> {
    const leave = this.#request.served.feed.subscribe(spec, this)
    this.#reply.endOnShutdown()
    const timers = this.#startTimers()
    this.#reply.onClose(() => {
      for (const timer of timers) clearTimeout(timer)
      leave()
    })
    const revision = this.#request.cacher.revision
    await this.#writeStart(start, revision).catch((error) => this.#fail(error))
  }

  /** Says what went wrong where the client listens. */
  #fail(error: unknown): void {
    const style = styleOf(this.#representation)
    if (this.#reply.closed) return
    this.#reply.end(style.frame('ERROR', style.encode(Buffer.from(JSON.stringify(statusOf(error))))))
  }

  deliver(chunk: Buffer): void {
    if (this.#reply.closed) return
    // Asked before the chunk is added: one large batch of changes is no reason to drop a client that keeps up.
    if (this.#reply.bufferedBytes + this.#backlogBytes > maxBufferedBytes) this.#reply.destroy()
    else if (!this.#backlog) this.#reply.write(chunk)
    else {
      this.#backlog.push(chunk)
      this.#backlogBytes += chunk.length
    }
  }

  end(): void {
    this.#reply.end()
  }

  async #writeStart(start: Start, revision: number): Promise<void> {
    const frames = await start.frames()
    let group: Buffer[] = []
    let size = 0
    for (const frame of frames) {
      group.push(frame)
      size += frame.length
      if (size < groupBytes) continue
      if (!this.#reply.write(Buffer.concat(group))) await this.#reply.drained()
      if (this.#reply.closed) return
      group = []
      size = 0
    }
    if (this.#options.announceInitialEnd) group.push(this.#bookmark(revision, true))
    group.push(...this.#backlog!)
    this.#backlog = undefined
    this.#backlogBytes = 0
    if (group.length > 0 && !this.#reply.closed) this.#reply.write(Buffer.concat(group))
  }

  #startTimers(): NodeJS.Timeout[] {
    const end = setTimeout(() => this.#reply.end(), this.#options.timeoutMs)
    if (!this.#options.bookmarks) return [end]
    const beat = setInterval(() => this.#sendBookmark(), bookmarkEveryMs)
    const last = setTimeout(() => this.#sendBookmark(), Math.max(0, this.#options.timeoutMs - 200))
    return [end, beat, last]
  }

  /** Behind every event that is already under way: its resourceVersion covers them. */
  #sendBookmark(): void {
    const { cacher, served } = this.#request
    served.feed.deliverInOrder(this.#bookmark(cacher.revision, false), this)
  }

  #bookmark(revision: number, endsInitial: boolean): Buffer {
    const { served } = this.#request
    const object = {
      kind: served.resource.definition.kind,
      apiVersion: served.apiVersion,
      metadata: {
        resourceVersion: String(revision),
        creationTimestamp: null,
        ...(endsInitial && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
      },
    }
    const representation = this.#representation
    const style = styleOf(representation)
    if (representation.as === 'Table') {
      const table = tableOf(this.#request, [], { resourceVersion: String(revision) }, representation.metaVersion)
      return frameEvent('BOOKMARK', Buffer.from(JSON.stringify(table)))
    }
    const bytes = Buffer.from(JSON.stringify(object))
    const shown = representation.as ? partialMetadata(bytes, representation) : bytes
    return style.frame('BOOKMARK', style.encode(shown))
  }
}
