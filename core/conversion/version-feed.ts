import { newExpired, statusOf } from '#core/errors/status-error.ts'
import { type CacheEntry, Change, frameEvent } from '#core/storage/cacher/entry.ts'
import type { Relay, ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import type { Subscriber, ViewSpec, WatchView } from '#core/storage/cacher/watch-view.ts'
import { type Audiences, WatchViews } from '#core/storage/cacher/watch-views.ts'
import type { VersionConversion } from './version-conversion.ts'

/** What waits for conversion, in order: changes for those who watched when they came, or a chunk for one of them. */
type Waiting =
  | { changes: readonly Change[]; audiences: Audiences }
  | { changes: readonly []; chunk: Buffer; to: Pick<Subscriber, 'deliver'> }

/** When more than so many changes wait, watchers are told to list again. */
const maxWaiting = 8_192

/**
 * A resource's changes as one of its versions shows them, converted once for all who watch it. Changes that need not be
 * converted, or can be at once, reach watchers as they do in the version that is stored; while others are being converted,
 * those that come behind them wait and are converted together.
 */
export class VersionFeed implements Relay {
  readonly #cache: ResourceCache
  readonly #conversion: Pick<VersionConversion, 'showAll'>
  readonly #views: WatchViews
  #waiting: Waiting[] = []
  #waitingChanges = 0
  #isConverting = false
  #leave: (() => void) | undefined

  constructor(
    cache: ResourceCache,
    conversion: Pick<VersionConversion, 'showAll'>,
    extract: () => ResourceCache['extract'],
  ) {
    this.#cache = cache
    this.#conversion = conversion
    this.#views = new WatchViews(cache.dispatcher, extract)
  }

  get watchers(): number {
    return this.#views.watchers
  }

  viewOf(spec: ViewSpec): WatchView {
    return this.#views.viewOf(spec)
  }

  /** As the cache's: it is asked in the same turn for what came before. */
  subscribe(spec: ViewSpec, subscriber: Subscriber): () => void {
    this.#leave ??= this.#cache.addRelay(this)
    const leave = this.#views.subscribe(spec, subscriber)
    return () => {
      leave()
      if (this.#views.size > 0) return
      this.#leave?.()
      this.#leave = undefined
    }
  }

  deliverInOrder(chunk: Buffer, to: Pick<Subscriber, 'deliver'>): void {
    if (this.#isConverting) this.#waiting.push({ changes: [], chunk, to })
    else this.#views.deliverInOrder(chunk, to)
  }

  end(): void {
    this.#end()
  }

  publish(changes: readonly Change[]): void {
    try {
      if (this.#isConverting) {
        this.#wait(changes)
        return
      }
      const shown = this.show(changes, this.#views.areSelective)
      if (shown instanceof Promise) void this.#run(this.#deliver([this.#item(changes)], shown))
      else this.#views.publish(shown)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Changes as the version shows them. @param withPrevious whether anybody looks at what was before */
  show(changes: readonly Change[], withPrevious: boolean): readonly Change[] | Promise<readonly Change[]> {
    const entries = changes.flatMap(({ entry, previous }) => (withPrevious && previous ? [entry, previous] : [entry]))
    const shown = this.#conversion.showAll(entries)
    const combine = (list: readonly CacheEntry[]) => {
      const next = list.values()
      return changes.map((change) => {
        const entry = next.next().value!
        const previous = withPrevious && change.previous ? next.next().value! : change.previous
        // The same change has the same frame, made once for every version it is stored in.
        if (entry === change.entry && previous === change.previous) return change
        return new Change(change.type, entry, previous)
      })
    }
    return shown instanceof Promise ? shown.then(combine) : combine(shown)
  }

  #item(changes: readonly Change[]): Waiting {
    return { changes, audiences: this.#views.audiences() }
  }

  #wait(changes: readonly Change[]): void {
    this.#waiting.push(this.#item(changes))
    this.#waitingChanges += changes.length
    if (this.#waitingChanges > maxWaiting) this.#fail(newExpired('too many changes wait for conversion'))
  }

  async #run(first: Promise<void>): Promise<void> {
    this.#isConverting = true
    try {
      await first
      while (this.#waiting.length > 0) {
        const items = this.#waiting
        this.#waiting = []
        this.#waitingChanges = 0
        const changes = items.flatMap((item): readonly Change[] => item.changes)
        await this.#deliver(items, this.show(changes, this.#views.areSelective))
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isConverting = false
    }
  }

  async #deliver(items: readonly Waiting[], showing: readonly Change[] | Promise<readonly Change[]>): Promise<void> {
    const shown = await showing
    let at = 0
    for (const item of items) {
      if ('chunk' in item) this.#views.deliverInOrder(item.chunk, item.to)
      else this.#views.publishTo(item.audiences, shown.slice(at, (at += item.changes.length)))
    }
  }

  /** Watchers are told why they hear no more. */
  #fail(error: unknown): void {
    this.#end(frameEvent('ERROR', Buffer.from(JSON.stringify(statusOf(error)))))
  }

  #end(last?: Buffer): void {
    this.#waiting = []
    this.#waitingChanges = 0
    this.#views.end(last)
  }
}
