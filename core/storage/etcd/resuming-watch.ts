/**
 * Follows a range of keys from a revision on. When the connection, the member or the leader goes, it goes on behind the last
 * event it has handed over: nothing is lost, nothing comes twice.
 */

import { StorageError } from '../storage.ts'
import type { EtcdClient } from './etcd-client.ts'
import type { GrpcStream } from './grpc-channel.ts'
import { storageErrorOf } from './grpc-errors.ts'
import {
  decodeWatch,
  encodeProgressRequest,
  encodeRange,
  encodeWatchCreate,
  type KeyRange,
  rpc,
  type WatchEvent,
  type WatchResponse,
} from './messages.ts'

export interface WatchHandlers {
  /** @param position nothing at or below it will come any more */
  onEvents(events: readonly WatchEvent[], position: number): void
  /** Once: what comes next is compacted. */
  onCompacted(error: StorageError): void
}

const firstPauseMs = 20
const longestPauseMs = 1_000

export class ResumingWatch {
  readonly #client: EtcdClient
  readonly #range: KeyRange
  readonly #handlers: WatchHandlers
  #position: number
  #stream: GrpcStream | undefined
  #failure: StorageError | undefined
  #pauseMs = firstPauseMs
  #pausing: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(client: EtcdClient, range: KeyRange, position: number, handlers: WatchHandlers) {
    this.#client = client
    this.#range = range
    this.#position = position
    this.#handlers = handlers
    void this.#open()
  }

  /** Everything up to this revision has been handed over. */
  get position(): number {
    return this.#position
  }

  /** Why nothing comes at present; undefined while it is connected to a member that has a leader. */
  get failure(): StorageError | undefined {
    return this.#failure
  }

  /** Asks for the position to be brought up to date although no key changed. */
  requestProgress(): void {
    this.#stream?.send(encodeProgressRequest())
  }

  /** Goes on at another member. */
  renew(): void {
    this.#stream?.close()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#pausing)
    this.#stream?.close()
  }

  async #open(): Promise<void> {
    try {
      const stream = await this.#client.stream(rpc.watch, {
        onMessages: (messages) => this.#take(messages.map(decodeWatch)),
        onEnd: (error) => this.#resume(storageErrorOf(error)),
      })
      if (this.#isStopped) {
        stream.close()
        return
      }
      this.#stream = stream
      stream.send(encodeWatchCreate(this.#range, this.#position + 1))
    } catch (error) {
      this.#resume(error)
    }
  }

  #resume(error: unknown): void {
    this.#stream = undefined
    if (this.#isStopped) return
    this.#failure = error instanceof StorageError ? error : new StorageError('Unreachable', String(error))
    this.#pausing = setTimeout(() => void this.#open(), this.#pauseMs)
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs)
  }

  #take(responses: readonly WatchResponse[]): void {
    const events: WatchEvent[] = []
    let position = this.#position
    for (const response of responses) {
      if (response.canceled) this.#canceled(response)
      else if (response.created) this.#created()
      else if (response.events.length === 0) position = Math.max(position, response.revision)
      // What was handed over before a reconnect is not handed over again.
      for (const event of response.events) if (event.item.modRevision > this.#position) events.push(event)
      position = Math.max(position, events.at(-1)?.item.modRevision ?? 0)
    }
    if (events.some(({ type, previous }) => type === 'delete' && !previous)) {
      this.#compacted('the last value of a deleted key')
    }
    if (position === this.#position || this.#isStopped) return
    this.#position = position
    this.#handlers.onEvents(events, position)
  }

  #created(): void {
    this.#pauseMs = firstPauseMs
    if (this.#failure) void this.#checkBeginning(this.#position)
    this.#failure = undefined
  }

  /** etcd says nothing when exactly the first revision that is watched is compacted, and the deletion of a key with it. */
  async #checkBeginning(revision: number): Promise<void> {
    try {
      await this.#client.call(rpc.range, encodeRange({ key: this.#range.key, keysOnly: true, revision }))
    } catch (error) {
      if (error instanceof StorageError && error.code === 'Compacted') this.#compacted(`revision ${revision}`)
      // Without an answer the stream will not last either, and the next one is checked again.
    }
  }

  #canceled({ compactRevision, cancelReason }: WatchResponse): void {
    if (compactRevision > 0) {
      this.#compacted(`revision ${this.#position}`)
      return
    }
    const stream = this.#stream
    this.#stream = undefined
    stream?.close()
    this.#failure = new StorageError('Unreachable', `etcd: ${cancelReason || 'the watch was cancelled'}`)
  }

  #compacted(what: string): void {
    if (this.#isStopped) return
    this.stop()
    this.#handlers.onCompacted(new StorageError('Compacted', `${what} has been compacted`))
  }
}
