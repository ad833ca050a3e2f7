/**
 * Group commit: what has queued up while one batch was being made durable is the next batch. One batch is under way at a
 * time, so a failed one can take everything behind it along and leave no hole. Nobody waits for a timer.
 */

import type { StorageError } from '../storage.ts'
import type { KeyChange } from './key-index.ts'
import { type Batch, rowWidth } from './protocol.ts'
import type { StorageThread } from './storage-thread.ts'

/** A write that has its revision and waits to become durable. */
export interface PendingWrite extends KeyChange {
  /** The value put; undefined when `state` is. */
  value: Buffer | undefined
  created: number
  /** Revision of the live row it supersedes; 0 for none. */
  replaced: number
  /** True when the next write is of the same transaction: both become durable together. */
  isJoined: boolean
  resolve(revision: number): void
  reject(error: StorageError): void
}

export interface WriteQueueEvents {
  /** `lastValues` belongs to the deletions of the batch, in order. */
  onDurable(writes: readonly PendingWrite[], lastValues: Uint8Array<ArrayBuffer>[]): void
  /** Every write that was pending, in revision order: none of them happened. */
  onFailed(writes: readonly PendingWrite[], error: StorageError): void
}

/** A batch beyond this makes its first writer wait too long for its last. */
const batchWrites = 1024
const batchBytes = 8 << 20

export class WriteQueue {
  readonly #thread: StorageThread
  readonly #events: WriteQueueEvents
  #queued: PendingWrite[] = []
  #underWay: PendingWrite[] = []
  #isScheduled = false
  #bytes = 0
  #onIdle: (() => void)[] = []

  constructor(thread: StorageThread, events: WriteQueueEvents) {
    this.#thread = thread
    this.#events = events
  }

  /** Bytes of values that are not durable yet. */
  get bytes(): number {
    return this.#bytes
  }

  get isIdle(): boolean {
    return this.#queued.length + this.#underWay.length === 0
  }

  add(write: PendingWrite): void {
    this.#queued.push(write)
    this.#bytes += sizeOf(write)
    this.#schedule()
  }

  /** Resolves when no write is pending. */
  async idle(): Promise<void> {
    if (this.isIdle) return
    await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  /** Sends at the end of the loop's turn, so that all requests read in one turn share a batch. */
  #schedule(): void {
    if (this.#isScheduled || this.#underWay.length > 0 || this.#queued.length === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#send()
    })
  }

  #send(): void {
    this.#underWay = this.#queued.splice(0, batchLength(this.#queued))
    const batch = packBatch(this.#underWay)
    const outcome = {
      done: (lastValues: Uint8Array<ArrayBuffer>[]) =>
        this.#finish((writes) => this.#events.onDurable(writes, lastValues)),
      failed: (error: StorageError) => {
        this.#underWay.push(...this.#queued.splice(0))
        this.#finish((writes) => this.#events.onFailed(writes, error))
      },
    }
    this.#thread.call('commit', [batch], outcome, [batch.values.buffer, batch.numbers.buffer])
  }

  #finish(tell: (writes: readonly PendingWrite[]) => void): void {
    const writes = this.#underWay
    this.#underWay = []
    for (const write of writes) this.#bytes -= sizeOf(write)
    tell(writes)
    this.#schedule()
    if (this.#queued.length === 0) for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}

function sizeOf({ value }: PendingWrite): number {
  return value?.length ?? 0
}

/** How many of the writes at the head of the queue go together: at least one, and no part of a transaction. */
function batchLength(writes: readonly PendingWrite[]): number {
  let bytes = 0
  const end = writes.findIndex((write, at) => {
    if (at > 0) bytes += sizeOf(write)
    return at > 0 && (at >= batchWrites || bytes > batchBytes) && !writes[at - 1]!.isJoined
  })
  return end < 0 ? writes.length : end
}

/** Copies the values once, into a buffer the worker then owns. */
function packBatch(writes: readonly PendingWrite[]): Batch {
  const numbers = new Float64Array(writes.length * rowWidth)
  const length = writes.reduce((sum, write) => sum + sizeOf(write), 0)
  const values = new Uint8Array(length)
  let offset = 0
  for (const [at, { revision, created, replaced, state, value }] of writes.entries()) {
    numbers.set([revision, created, replaced, state?.expires ?? 0, value?.length ?? -1], at * rowWidth)
    if (!value) continue
    values.set(value, offset)
    offset += value.length
  }
  return { keys: writes.map(({ key }) => key), numbers, values }
}
