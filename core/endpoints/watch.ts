import { newExpired } from '#core/errors/status-error.ts'
import { frameWatchEvent } from '#core/machinery/protobuf/envelope.ts'
import type { ReplyStream } from '#core/server/exchange.ts'
import { type CacheEntry, frameEvent } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import type { Subscriber, ViewSpec, WatchView } from '#core/storage/cacher/watch-view.ts'
import type { ResourceRequest } from './endpoint.ts'
import { parseWatchOptions, type WatchOptions } from './list-options.ts'
import { negotiate, type Representation } from './negotiate.ts'
import { encodeBody, protobufType } from './protobuf-codec.ts'
import { protobufFormOf } from './protobuf-form.ts'
import { reach } from './reach.ts'
import { hasOtherMetadata, partialMetadata, tableOf } from './representation.ts'
import { type Selection, selectionOf } from './selection.ts'

/** A watcher that lets so much pile up is dropped; it can come back and resume. */
const maxBufferedBytes = 8 * 1024 * 1024
const bookmarkEveryMs = 60_000
const groupBytes = 256 * 1024

/**
 * GET with `watch=true`: every change from a resourceVersion on, a line each.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function watch(request: ResourceRequest): Promise<void> {
  const { exchange, cacher, minWatchMs } = request
  const selection = selectionOf(request)
  const representation = negotiate(request, 'watch')
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
  /** What to say before the live events, in order. */
  frames: Iterable<Buffer>
}

/** The events up to now, or undefined when they are not all known any more. Runs in the turn that subscribes. */
function startOf(
  { served }: ResourceRequest,
  spec: ViewSpec,
  { revision, sendInitial }: WatchOptions,
): Start | undefined {
  const { cache } = served.resource
  const view = cache.viewOf(spec)
  if (sendInitial) {
    const entries = entriesOf(cache, view)
    const encode = spec.encode ?? ((entry: CacheEntry) => served.encode(entry))
    const { frame = frameEvent } = spec
    return { frames: mapped(entries, (entry) => frame('ADDED', encode(entry))) }
  }
  if (revision === 0) return { frames: [] }
  const changes = cache.changesAfter(revision)
  return changes && { frames: mapped(changes, (change) => view.frame(change)) }
}

/** What a view includes now. Who watches one object, as nodes do, does not make anybody look at all others. */
function entriesOf(cache: ResourceCache, view: WatchView): CacheEntry[] {
  const { keyPrefix, key } = view.spec
  if (key === undefined) return cache.list(keyPrefix, (entry) => view.includes(entry)).entries
  const entry = cache.get(key)
  return entry && view.includes(entry) ? [entry] : []
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

function encoderOf(request: ResourceRequest, representation: Representation): ViewSpec['encode'] {
  const { served } = request
  const { format, as, metaVersion } = representation
  if (format === 'protobuf') {
    const form = protobufFormOf(served, representation)
    return (entry) => form.body(entry)
  }
  if (as === 'PartialObjectMetadata') return (entry) => partialMetadata(served.encode(entry), representation)
  if (as === 'Table') return tableEncoder(request, metaVersion)
  return served.isStorage ? undefined : (entry) => served.encode(entry)
}

/** Rows as tables of one; only the first tells the columns. */
function tableEncoder(request: ResourceRequest, metaVersion: Representation['metaVersion']): ViewSpec['encode'] {
  let first = true
  return (entry) => {
    const table = tableOf(request, [request.served.encode(entry)], undefined, metaVersion)
    const shown = first ? table : { ...table, columnDefinitions: null }
    first = false
    return Buffer.from(JSON.stringify(shown))
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
    const leave = this.#request.served.resource.cache.subscribe(spec, this)
    this.#reply.endOnShutdown()
    const timers = this.#startTimers()
    this.#reply.onClose(() => {
      for (const timer of timers) clearTimeout(timer)
      leave()
    })
    const revision = this.#request.cacher.revision
    await this.#writeStart(start.frames, revision).catch(() => this.#reply.destroy())
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

  async #writeStart(frames: Iterable<Buffer>, revision: number): Promise<void> {
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
    const { cacher } = this.#request
    cacher.deliverInOrder(this.#bookmark(cacher.revision, false), this)
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
