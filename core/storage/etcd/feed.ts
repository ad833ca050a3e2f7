/**
 * The one watch of everything under the prefix: what all watchers are fed from, and the answer to how far that has come.
 * Whoever asks for the present waits until the feed has reached the revision that etcd was at when they asked.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../storage.ts'
import type { EtcdClient } from './etcd-client.ts'
import {
  decodeRange,
  decodeStatus,
  encodePut,
  encodeRange,
  type KeyRange,
  rangeOf,
  rpc,
  type WatchEvent,
} from './messages.ts'
import { ResumingWatch, type WatchHandlers } from './resuming-watch.ts'

/** How long a write that is done waits for its own event. */
const ownEventMs = 2_000
/** Events are given so long to come by themselves before etcd is asked for the position. */
const firstWaitMs = 10
const longestWaitMs = 100
/** A member that hands over nothing for so long, though there is something, is left for another one. */
const stuckMs = 1_000
const startOverEveryMs = 500

export class Feed {
  readonly #client: EtcdClient
  readonly #prefix: string
  readonly #range: KeyRange
  /** Written, never read: its event shows how far a watch has come where etcd cannot be asked for that. */
  readonly #markKey: string
  readonly #hasSafeProgress: boolean
  readonly #waiting = new Waiting()
  #handlers: WatchHandlers | undefined
  #watch: ResumingWatch | undefined
  #position: number
  #lost: StorageError | undefined
  #isStopped = false
  #asking: Promise<unknown> = Promise.resolve()
  #nextAnswer: Promise<number> | undefined
  /** Where the watch was when events were last missed, and since when it is there. */
  #stuck = { at: 0, since: 0 }
  #marking: Promise<unknown> | undefined

  private constructor(client: EtcdClient, prefix: string, hasSafeProgress: boolean) {
    this.#client = client
    this.#prefix = `${prefix}/`
    // '.' sorts just before '/': the range of both is one, and no list of objects has the mark in it.
    this.#markKey = `${prefix}.progress`
    this.#range = { key: `${prefix}.`, end: rangeOf(this.#prefix).end }
    this.#hasSafeProgress = hasSafeProgress
    this.#position = 0
  }

  /** @throws StorageError when etcd does not answer */
  static async start(client: EtcdClient, prefix: string): Promise<Feed> {
    const statuses = await client.callEach(rpc.status, Buffer.alloc(0))
    // A member that does not say what it is may be an old one, and the watch may come to be there.
    const isSafe = statuses.every((status) => status && answersProgressInOrder(decodeStatus(status).version))
    const feed = new Feed(client, prefix, isSafe)
    feed.#position = await feed.latest()
    return feed
  }

  /** Begins to hand over events, of the prefix only. */
  follow(handlers: WatchHandlers): void {
    this.#handlers = handlers
    this.#begin(this.#position)
  }

  /** Everything up to this revision has been handed over. */
  get position(): number {
    return this.#watch?.position ?? this.#position
  }

  /** False while it looks for a place to go on from; who joins then would miss events. */
  get isFollowing(): boolean {
    return this.#watch !== undefined
  }

  get failure(): StorageError | undefined {
    return this.#lost ?? this.#watch?.failure
  }

  /** The revision etcd is at, by a quorum. One question answers all who asked before it was sent. */
  latest(): Promise<number> {
    if (!this.#nextAnswer) {
      const before = this.#asking
      this.#nextAnswer = before.then(() => {
        this.#nextAnswer = undefined
        const answer = this.#askRevision()
        this.#asking = answer.catch(() => {})
        return answer
      })
    }
    return this.#nextAnswer
  }

  /** @returns the revision that etcd was at, once it has been reached here @throws StorageError */
  async synced(): Promise<number> {
    const revision = await this.latest()
    const deadline = performance.now() + this.#client.timeoutMs
    for (let waitMs = firstWaitMs; performance.now() < deadline; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
      if (await this.reached(revision, waitMs)) return revision
      this.#encourage()
    }
    throw new StorageError(
      'Unreachable',
      `etcd is at revision ${revision}, its events have come up to ${this.position}`,
      {
        cause: this.failure,
      },
    )
  }

  /** Events do not come by themselves: asks how far they are, and another member when not even that helps. */
  #encourage(): void {
    const watch = this.#watch
    if (!watch) return
    this.nudge(watch)
    const now = performance.now()
    if (this.#stuck.at !== watch.position) this.#stuck = { at: watch.position, since: now }
    if (now - this.#stuck.since < stuckMs) return
    this.#stuck.since = now
    watch.renew()
  }

  /** @returns false when it takes longer */
  reached(revision: number, timeoutMs = ownEventMs): Promise<boolean> | boolean {
    return this.position >= revision || this.#waiting.for(revision, timeoutMs)
  }

  /** Everything of the prefix from another revision on, beside the feed. */
  replay(after: number, handlers: WatchHandlers): ResumingWatch {
    return new ResumingWatch(this.#client, this.#range, after, {
      onEvents: (events, position) => handlers.onEvents(this.#ofPrefix(events), position),
      onCompacted: handlers.onCompacted,
    })
  }

  /** @throws StorageError `Compacted` when events behind `revision` are not all known */
  async check(revision: number): Promise<void> {
    await this.#client.call(rpc.range, encodeRange({ key: this.#markKey, keysOnly: true, revision }))
  }

  /** Makes a watch hear of the present revision although nothing of its range has changed. */
  nudge(watch: ResumingWatch): void {
    if (this.#hasSafeProgress) watch.requestProgress()
    else this.#mark()
  }

  #mark(): void {
    // When etcd does not take it, whoever waits finds out by itself.
    this.#marking ??= this.#client
      .call(rpc.put, encodePut(this.#markKey, Buffer.alloc(0)))
      .catch(() => {})
      .finally(() => {
        this.#marking = undefined
      })
  }

  stop(): void {
    this.#isStopped = true
    this.#watch?.stop()
    this.#waiting.advance(Number.POSITIVE_INFINITY)
  }

  #begin(position: number): void {
    this.#watch = new ResumingWatch(this.#client, this.#range, position, {
      onEvents: (events, reached) => {
        this.#handlers!.onEvents(this.#ofPrefix(events), reached)
        this.#waiting.advance(reached)
      },
      onCompacted: (error) => void this.#startOver(error),
    })
  }

  #ofPrefix(events: readonly WatchEvent[]): readonly WatchEvent[] {
    const isOurs = ({ item }: WatchEvent) => item.key.startsWith(this.#prefix)
    return events.every(isOurs) ? events : events.filter(isOurs)
  }

  async #askRevision(): Promise<number> {
    const handedOver = this.#watch?.position ?? 0
    const { revision } = decodeRange(
      await this.#client.call(rpc.range, encodeRange({ key: this.#markKey, keysOnly: true })),
    )
    if (revision < handedOver) {
      const error = new StorageError('Compacted', `etcd is at revision ${revision}, and has been at ${handedOver}`)
      void this.#startOver(error)
    }
    return revision
  }

  /** What came next is gone, or etcd is another than it was: everybody reads anew, and the feed begins at the present. */
  async #startOver(error: StorageError): Promise<void> {
    if (this.#isStopped || this.#lost) return
    this.#lost = error
    this.#position = this.#watch?.position ?? this.#position
    this.#watch?.stop()
    this.#watch = undefined
    this.#handlers!.onCompacted(error)
    while (!this.#isStopped) {
      try {
        const revision = await this.latest()
        this.#lost = undefined
        this.#position = revision
        this.#begin(revision)
        this.#waiting.advance(revision)
        return
      } catch {
        await sleep(startOverEveryMs, undefined, { ref: false })
      }
    }
  }
}

/**
 * Whether the answer to a progress request never overtakes events. Older ones may, and would make a cache that is behind
 * look fresh. @see https://github.com/etcd-io/etcd/issues/15220
 */
export function answersProgressInOrder(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  if (major !== 3) return major > 3
  return minor > 5 || (minor === 5 && patch >= 13) || (minor === 4 && patch >= 31)
}

interface Waiter {
  revision: number
  resolve(isReached: boolean): void
  timer: NodeJS.Timeout
}

/** Those who wait for a revision, the nearest first. */
class Waiting {
  readonly #waiters: Waiter[] = []

  for(revision: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        resolve(false)
      }, timeoutMs)
      const waiter = { revision, resolve, timer }
      let at = this.#waiters.length
      while (at > 0 && this.#waiters[at - 1]!.revision > revision) at--
      this.#waiters.splice(at, 0, waiter)
    })
  }

  advance(position: number): void {
    let count = 0
    while (count < this.#waiters.length && this.#waiters[count]!.revision <= position) count++
    for (const { resolve, timer } of this.#waiters.splice(0, count)) {
      clearTimeout(timer)
      resolve(true)
    }
  }
}
