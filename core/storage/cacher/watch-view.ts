import { spliceResourceVersion } from '#core/machinery/canonical.ts'
import { CacheEntry, type Change, type ChangeType, type ExtractFacts, frameEvent } from './entry.ts'

/** What a watch wants to see. Watches with the same `id` share one view, and so each frame and each chunk. */
export interface ViewSpec {
  id: string
  /** Only keys that start with this; empty for all. `namespace/` for one namespace. */
  keyPrefix: string
  /** The one object it is about, when there is one. */
  key?: string
  /** Absent: every object. */
  matches?: (entry: CacheEntry, extract: ExtractFacts) => boolean
  /** A field that must have this value for `matches` to hold: lets a change skip all views that ask for another value. */
  equals?: { field: string; value: string }
  /** The object as this view shows it; absent: its stored bytes. */
  encode?: (entry: CacheEntry) => Buffer
  /** False for a modification that does not show here: nothing is said of it. Absent: all are told. */
  showsChange?: (before: Buffer, after: Buffer) => boolean
  /** Writes one event; absent: as a line of JSON. */
  frame?: typeof frameEvent
}

/** Takes what a view has to say, in order. Must not throw. */
export interface Subscriber {
  /** @param chunk whole lines; shared between subscribers: not to be changed */
  deliver(chunk: Buffer): void
  /** What is watched is no longer what it was: nothing more comes. */
  end?(): void
}

/** One way to see a resource, with everyone who watches it that way. */
export class WatchView {
  readonly spec: ViewSpec
  readonly subscribers = new Set<Subscriber>()
  readonly #extract: ExtractFacts
  #audience: readonly Subscriber[] | undefined

  constructor(spec: ViewSpec, extract: ExtractFacts) {
    this.spec = spec
    this.#extract = extract
  }

  /** Who watches now: the same array for as long as nobody comes or goes. */
  get audience(): readonly Subscriber[] {
    return (this.#audience ??= [...this.subscribers])
  }

  add(subscriber: Subscriber): void {
    this.subscribers.add(subscriber)
    this.#audience = undefined
  }

  /** @returns false when it was not there */
  remove(subscriber: Subscriber): boolean {
    this.#audience = undefined
    return this.subscribers.delete(subscriber)
  }

  /** Whether it looks at what objects were before a change. */
  get isSelective(): boolean {
    return this.spec.matches !== undefined || this.spec.showsChange !== undefined
  }

  readonly includes = (entry: CacheEntry): boolean => {
    return entry.key.startsWith(this.spec.keyPrefix) && (this.spec.matches?.(entry, this.#extract) ?? true)
  }

  /** The line this view shows for a change, or undefined when it shows none. */
  frame(change: Change): Buffer | undefined {
    if (!change.entry.key.startsWith(this.spec.keyPrefix)) return undefined
    const type = this.spec.matches ? this.#typeSeen(change) : change.type
    if (!type || (type === 'MODIFIED' && !this.#shows(change))) return undefined
    if (type === change.type && !this.spec.encode) return change.frame
    const shown = type === 'DELETED' && type !== change.type ? lastSeen(change) : change.entry
    const { encode, frame = frameEvent } = this.spec
    return frame(type, encode ? encode(shown) : shown.bytes)
  }

  #shows({ previous, entry }: Change): boolean {
    return this.spec.showsChange?.(previous!.bytes, entry.bytes) ?? true
  }

  /** An object that starts to match is ADDED and one that no longer does DELETED, whatever happened to it. */
  #typeSeen(change: Change): ChangeType | undefined {
    const before = change.previous !== undefined && this.includes(change.previous)
    const after = change.type !== 'DELETED' && this.includes(change.entry)
    if (after) return before ? 'MODIFIED' : 'ADDED'
    return before ? 'DELETED' : undefined
  }
}

/** Who no longer sees an object is shown the state it last saw, under the revision at which it left. */
function lastSeen({ previous, entry }: Change): CacheEntry {
  return new CacheEntry(entry.key, spliceResourceVersion(previous!.bytes, entry.revision), entry.revision)
}
