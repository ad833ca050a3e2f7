import type { Dispatcher } from './dispatcher.ts'
import type { Change, ExtractFacts } from './entry.ts'
import { type Subscriber, type ViewSpec, WatchView } from './watch-view.ts'

const nothing = Buffer.alloc(0)

/** Who watches, by view: as they are at one moment. */
export type Audiences = ReadonlyMap<WatchView, readonly Subscriber[]>

/** Everyone who watches one resource in one version, and which changes concern whom. */
export class WatchViews {
  readonly #views = new Map<string, WatchView>()
  /** Views that ask for one value of a field, by field and value. */
  readonly #byField = new Map<string, Map<string, Set<WatchView>>>()
  readonly #general = new Set<WatchView>()
  readonly #dispatcher: Dispatcher
  readonly #extract: () => ExtractFacts
  #watchers = 0

  /** @param extract asked at each look, since it may change with the resource's definition */
  constructor(dispatcher: Dispatcher, extract: () => ExtractFacts) {
    this.#dispatcher = dispatcher
    this.#extract = extract
  }

  get size(): number {
    return this.#views.size
  }

  /** How many watch, in whatever way. */
  get watchers(): number {
    return this.#watchers
  }

  /** True when any view looks at what objects were before a change. */
  get areSelective(): boolean {
    for (const view of this.#views.values()) if (view.isSelective) return true
    return false
  }

  viewOf(spec: ViewSpec): WatchView {
    return this.#views.get(spec.id) ?? this.#newView(spec)
  }

  /** Adds a subscriber to what is published from now on. */
  subscribe(spec: ViewSpec, subscriber: Subscriber): () => void {
    const view = this.#views.get(spec.id) ?? this.#addView(spec)
    view.add(subscriber)
    this.#watchers++
    return () => {
      if (view.remove(subscriber)) this.#watchers--
      if (view.subscribers.size === 0 && this.#views.get(spec.id) === view) this.#dropView(view)
    }
  }

  /** Ends every watch, behind what is already on its way to it. @param last what is said before the end */
  end(last: Buffer = nothing): void {
    for (const view of this.#views.values()) {
      const enders = Array.from(view.subscribers, (subscriber) => ({
        deliver: (chunk: Buffer) => {
          if (chunk.length > 0) subscriber.deliver(chunk)
          subscriber.end?.()
        },
      }))
      this.#dispatcher.enqueue(last, enders)
    }
  }

  /** Queues a chunk for one subscriber behind everything that is already on its way to it. */
  deliverInOrder(chunk: Buffer, to: Pick<Subscriber, 'deliver'>): void {
    this.#dispatcher.enqueueLast(chunk, to)
  }

  /** Sends changes to everyone whom they concern. */
  publish(changes: readonly Change[]): void {
    if (this.#views.size === 0) return
    for (const [view, chunk] of this.#chunks(changes)) this.#dispatcher.enqueue(chunk, view.audience)
  }

  /** Who watches now, for `publishTo`. */
  audiences(): Audiences {
    return new Map(Array.from(this.#views.values(), (view) => [view, view.audience]))
  }

  /** The same for those only who watched when the changes came. */
  publishTo(audiences: Audiences, changes: readonly Change[]): void {
    for (const [view, audience] of audiences) {
      const frames = changes.flatMap((change) => view.frame(change) ?? [])
      if (frames.length > 0) this.#dispatcher.enqueue(Buffer.concat(frames), audience)
    }
  }

  *#chunks(changes: readonly Change[]): Iterable<[WatchView, Buffer]> {
    const lines = new Map<WatchView, Buffer[]>()
    for (const change of changes) {
      const tell = (view: WatchView) => {
        const frame = view.frame(change)
        if (frame) getOrInsert(lines, view, () => [] as Buffer[]).push(frame)
      }
      for (const view of this.#general) tell(view)
      if (this.#byField.size > 0) for (const view of this.#viewsByValueOf(change)) tell(view)
    }
    for (const [view, frames] of lines) yield [view, frames.length === 1 ? frames[0]! : Buffer.concat(frames)]
  }

  *#viewsByValueOf(change: Change): Iterable<WatchView> {
    const extract = this.#extract()
    for (const [field, byValue] of this.#byField) {
      const after = change.entry.field(field, extract)
      const before = change.previous?.field(field, extract)
      if (typeof after === 'string' && typeof before !== 'object') {
        yield* byValue.get(after) ?? []
        if (before !== undefined && before !== after) yield* byValue.get(before) ?? []
      } else for (const value of new Set([after, before ?? []].flat())) yield* byValue.get(value) ?? []
    }
  }

  #newView(spec: ViewSpec): WatchView {
    return new WatchView(spec, (bytes, key) => this.#extract()(bytes, key))
  }

  #addView(spec: ViewSpec): WatchView {
    const view = this.#newView(spec)
    this.#views.set(spec.id, view)
    this.#placeOf(view).add(view)
    return view
  }

  #dropView(view: WatchView): void {
    this.#views.delete(view.spec.id)
    const place = this.#placeOf(view)
    place.delete(view)
    const { equals } = view.spec
    if (equals && place.size === 0) this.#byField.get(equals.field)?.delete(equals.value)
  }

  #placeOf(view: WatchView): Set<WatchView> {
    const { equals } = view.spec
    if (!equals) return this.#general
    const byValue = getOrInsert(this.#byField, equals.field, () => new Map<string, Set<WatchView>>())
    return getOrInsert(byValue, equals.value, () => new Set<WatchView>())
  }
}

function getOrInsert<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
