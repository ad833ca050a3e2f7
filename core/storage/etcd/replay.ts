/** A watch that begins in the past: hands over history, then joins the live events in the same instant in which it has caught up. */
import type { Watcher, WatchHub } from '../embedded/watch-hub.ts'
import { StorageError, type StoreEvent } from '../storage.ts'
import type { Feed } from './feed.ts'
import type { WatchEvent } from './messages.ts'
import type { ResumingWatch } from './resuming-watch.ts'

const nudgeEveryMs = 50

export class Replay {
  readonly #watcher: Watcher
  readonly #feed: Feed
  readonly #hub: WatchHub
  readonly #eventOf: (event: WatchEvent) => StoreEvent
  readonly #watch: ResumingWatch
  readonly #nudging: NodeJS.Timeout
  readonly #onDone: (replay: Replay) => void
  #isDone = false

  constructor(
    watcher: Watcher,
    parts: { feed: Feed; hub: WatchHub; eventOf: (event: WatchEvent) => StoreEvent; onDone(replay: Replay): void },
  ) {
    this.#watcher = watcher
    this.#feed = parts.feed
    this.#hub = parts.hub
    this.#eventOf = parts.eventOf
    this.#onDone = parts.onDone
    this.#watch = parts.feed.replay(watcher.after, {
      onEvents: (events, position) => this.#take(events, position),
      onCompacted: (error) => this.end(error),
    })
    this.#nudging = setInterval(() => this.#feed.nudge(this.#watch), nudgeEveryMs)
    void this.#check()
  }

  stop(): void {
    if (this.#isDone) return
    this.#isDone = true
    clearInterval(this.#nudging)
    this.#watch.stop()
    this.#onDone(this)
  }

  end(error: StorageError): void {
    if (this.#isDone) return
    this.stop()
    this.#hub.tell(this.#watcher, (sink) => sink.onEnd(error))
  }

  #take(events: readonly WatchEvent[], position: number): void {
    const { prefix } = this.#watcher
    const own = events.map(this.#eventOf).filter(({ key }) => key.startsWith(prefix))
    this.#watcher.after = position
    if (own.length > 0) this.#hub.tell(this.#watcher, (sink) => sink.onEvents(own))
    if (this.#isDone) return
    this.#hub.tell(this.#watcher, (sink) => sink.onProgress?.(position))
    if (this.#isDone || !this.#feed.isFollowing || position < this.#feed.position) return
    this.stop()
    this.#hub.add(this.#watcher)
  }

  /** @see ResumingWatch, which checks the same whenever it comes back */
  async #check(): Promise<void> {
    try {
      await this.#feed.check(this.#watcher.after)
    } catch (error) {
      if (error instanceof StorageError && error.code === 'Compacted') this.end(error)
    }
  }
}
