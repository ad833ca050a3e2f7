/** Hands durable events to the watchers they concern, one batch for each watcher, in revision order. */
import type { Logger } from '#apis/plugin/v1/host.ts'
import type { StorageError, StoreEvent, WatchSink } from '../storage.ts'

export interface Watcher {
  prefix: string
  /** Events up to this revision are none of its business. */
  after: number
  sink: WatchSink
}

export class WatchHub {
  readonly #log: Logger | undefined
  readonly #watchers = new Set<Watcher>()
  /** Watchers by prefix, for prefixes that end with `/`: an event finds them by the segments of its key, however many watch. */
  readonly #byFolder = new Map<string, Set<Watcher>>()
  readonly #others = new Set<Watcher>()

  constructor(log: Logger | undefined) {
    this.#log = log
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher)
    if (!watcher.prefix.endsWith('/')) {
      this.#others.add(watcher)
      return
    }
    const folder = this.#byFolder.get(watcher.prefix)
    if (folder) folder.add(watcher)
    else this.#byFolder.set(watcher.prefix, new Set([watcher]))
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    this.#others.delete(watcher)
    const folder = this.#byFolder.get(watcher.prefix)
    folder?.delete(watcher)
    if (folder?.size === 0) this.#byFolder.delete(watcher.prefix)
  }

  /** @param revision the store is durable up to here, and all events up to here have been published with this call */
  publish(events: readonly StoreEvent[], revision: number): void {
    for (const [watcher, own] of this.#sort(events)) {
      if (this.#watchers.has(watcher)) this.tell(watcher, (sink) => sink.onEvents(own))
    }
    for (const watcher of [...this.#watchers]) {
      if (watcher.sink.onProgress) this.tell(watcher, (sink) => sink.onProgress?.(revision))
    }
  }

  /** Ends every watch. */
  end(error: StorageError): void {
    for (const watcher of [...this.#watchers]) {
      this.remove(watcher)
      this.tell(watcher, (sink) => sink.onEnd(error))
    }
  }

  /** A sink that throws harms nobody else. */
  tell(watcher: Watcher, what: (sink: WatchSink) => void): void {
    try {
      what(watcher.sink)
    } catch (error) {
      this.#log?.error('watch sink threw', { prefix: watcher.prefix, error })
    }
  }

  #sort(events: readonly StoreEvent[]): Map<Watcher, StoreEvent[]> {
    const batches = new Map<Watcher, StoreEvent[]>()
    for (const event of events) {
      for (const watcher of this.#concerned(event.key)) {
        if (event.revision <= watcher.after) continue
        const batch = batches.get(watcher)
        if (batch) batch.push(event)
        else batches.set(watcher, [event])
      }
    }
    return batches
  }

  *#concerned(key: string): Generator<Watcher> {
    for (const watcher of this.#others) if (key.startsWith(watcher.prefix)) yield watcher
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1)) {
      const folder = this.#byFolder.get(key.slice(0, slash + 1))
      if (folder) yield* folder
    }
  }
}
