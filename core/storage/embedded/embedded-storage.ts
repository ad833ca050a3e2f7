/**
 * The store on this machine's disk. The main thread decides: it knows every key, gives out revisions and compares before it
 * swaps. One worker thread makes batches of writes durable and reads values back. Nobody hears of a write before it would
 * survive a power cut: first watchers, then the caller, in revision order.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, resolve as resolvePath } from 'node:path'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { type Clock, systemClock } from '#core/clock.ts'
import type {
  Also,
  Condition,
  ListOptions,
  Storage,
  StorageWatch,
  StoredList,
  StoredObject,
  StoreEvent,
  WatchSink,
  WriteOptions,
} from '../storage.ts'
import { ConditionError, StorageError } from '../storage.ts'
import { syncPath } from './data-directory.ts'
import { Expiry } from './expiry.ts'
import { History } from './history.ts'
import { KeyIndex, type KeyState, type KeyVersion, type Past, pastOf } from './key-index.ts'
import { type LogRows, type ReplayPage, rowColumn, rowWidth, type StoreState } from './protocol.ts'
import { Retention, type RetentionOptions } from './retention.ts'
import { StorageThread } from './storage-thread.ts'
import { type Watcher, WatchHub } from './watch-hub.ts'
import { type PendingWrite, WriteQueue } from './write-queue.ts'

export interface EmbeddedStorageOptions extends Partial<RetentionOptions> {
  /** The data directory; created when absent. One process at a time may have it open. */
  directory: string
  clock?: Clock
  log?: Logger
}

/** The values handed to `create` and `update` belong to the store from then on: they must not be changed. */
export interface EmbeddedStorage extends Storage {
  /** Writes the store as it is now, history included, to a new file. Writers are not held up. @see restoreEmbeddedStorage */
  snapshot(file: string): Promise<void>
}

const defaultRetention: RetentionOptions = { historyMinutes: 5, historyRevisions: 500_000 }

/** Values that may wait for the disk; beyond, writes are refused so that memory is not what gives in. */
const pendingBytesLimit = 256 << 20
/** Values read by one request to the worker; between two of them writers get their turn. */
const readAtOnce = 1_000
/** Revisions a snapshot copies by one request to the worker. */
const copyAtOnce = 2_000

/**
 * Opens the store in a data directory, or founds an empty one.
 * @throws StorageError `Unreachable` when another process has it open, `Corrupt` when it is damaged (it is then left as it is)
 */
export async function openEmbeddedStorage(options: EmbeddedStorageOptions): Promise<EmbeddedStorage> {
  const loader = KeyIndex.loader()
  let storage: LogStorage | undefined
  const thread = new StorageThread(loader.add, (error) => storage?.lost(error))
  try {
    const state = await thread.ask('open', options.directory)
    storage = new LogStorage(options, thread, loader.finish(), state)
    return storage
  } catch (error) {
    await thread.abandon()
    throw error
  }
}

class LogStorage implements EmbeddedStorage {
  readonly #thread: StorageThread
  readonly #index: KeyIndex
  readonly #hub: WatchHub
  readonly #history: History
  readonly #writes: WriteQueue
  readonly #expiry: Expiry
  readonly #retention: Retention
  readonly #clock: Clock
  readonly #log: Logger | undefined
  /** The last acknowledged revision, and the last one given out. */
  #durable: number
  #taken: number
  /** What a list in pages has asked for last; good until the next write. */
  #past: { prefix: string; revision: number; durable: number; past: Past } | undefined
  #closed: StorageError | undefined
  /** Writes that are refused because of others, up to a revision, that are not durable yet. */
  #refused: { revision: number; resolve(): void }[] = []

  constructor(options: EmbeddedStorageOptions, thread: StorageThread, index: KeyIndex, state: StoreState) {
    this.#thread = thread
    this.#index = index
    this.#clock = options.clock ?? systemClock
    this.#log = options.log
    this.#hub = new WatchHub(options.log)
    this.#history = new History(thread, state)
    this.#durable = this.#taken = state.revision
    this.#writes = new WriteQueue(thread, {
      onDurable: (writes, lastValues) => this.#onDurable(writes, lastValues),
      onFailed: (writes, error) => this.#onFailed(writes, error),
    })
    this.#expiry = new Expiry(index, this.#clock, (version) => this.#expire(version))
    this.#retention = new Retention(retentionOf(options), this.#clock, state, (revision) =>
      this.#compactByItself(revision),
    )
    this.#expiry.reschedule()
    void this.#history.sweep()
  }

  async create(key: string, value: Buffer, options?: WriteOptions): Promise<number> {
    this.#check(key)
    if (this.#index.latest(key)) throw new StorageError('KeyExists', `key ${key} exists`)
    return this.#write(key, value, undefined, options)
  }

  async update(key: string, value: Buffer, expected: number, options?: WriteOptions): Promise<number> {
    this.#check(key)
    return this.#write(key, value, this.#expect(key, expected), options)
  }

  async delete(key: string, expected: number, options?: WriteOptions): Promise<number> {
    this.#check(key)
    return this.#write(key, undefined, this.#expect(key, expected), options)
  }

  async get(key: string): Promise<StoredObject | undefined> {
    this.#checkOpen()
    const state = this.#index.durable(key)
    if (!state) return undefined
    const [object] = await this.#read([{ key, created: state.created, revision: state.revision }])
    return object
  }

  async list(prefix: string, options: ListOptions = {}): Promise<StoredList> {
    this.#checkOpen()
    const revision = options.revision ?? this.#durable
    if (revision > this.#durable) {
      throw new StorageError('FutureRevision', `revision ${revision} is not reached; the latest is ${this.#durable}`)
    }
    this.#history.check(revision)
    using _hold = this.#history.hold(revision)
    const { page, more } = await this.#page(prefix, revision, options)
    if (!more) this.#past = undefined
    const items: StoredObject[] = []
    for (let at = 0; at < page.length; at += 2 * readAtOnce) {
      const middle = at + readAtOnce
      // Two at a time: the worker reads the second while the first is unpacked here.
      const reads = [page.slice(at, middle), page.slice(middle, middle + readAtOnce)].map((part) => this.#read(part))
      for (const objects of await Promise.all(reads)) items.push(...objects)
    }
    return { items, revision, more }
  }

  async currentRevision(): Promise<number> {
    this.#checkOpen()
    return this.#durable
  }

  watch(prefix: string, after: number, sink: WatchSink): StorageWatch {
    const watcher = { prefix, after, sink }
    const started = { stopped: false }
    if (this.#closed === undefined && after >= this.#durable) this.#hub.add(watcher)
    else void this.#replay(watcher, started)
    return {
      stop: () => {
        started.stopped = true
        this.#hub.remove(watcher)
      },
    }
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen()
    if (revision > this.#durable) {
      throw new StorageError('FutureRevision', `revision ${revision} is not reached; the latest is ${this.#durable}`)
    }
    await this.#history.compact(revision)
  }

  async snapshot(file: string): Promise<void> {
    this.#checkOpen()
    const target = resolvePath(file)
    if (existsSync(target)) throw new StorageError('Unreachable', `write snapshot ${target}: the file exists`)
    const partial = `${target}.partial`
    const through = this.#durable
    rmSync(partial, { force: true })
    try {
      await this.#copyTo(partial, through)
      syncPath(partial)
      renameSync(partial, target)
      syncPath(dirname(target))
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
  }

  /** Waits for writes under way to become durable, then ends every watch with `Closed`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= new StorageError('Closed', 'the store is closed')
    this.#expiry[Symbol.dispose]()
    this.#retention[Symbol.dispose]()
    await this.#writes.idle()
    this.#hub.end(this.#closed)
    await this.#thread.close()
  }

  /** The worker died: what is under way has failed, and nothing can be asked any more. */
  lost(error: StorageError): void {
    this.#log?.error('storage thread lost', { error })
    this.#closed ??= error
    this.#hub.end(error)
  }

  async #copyTo(file: string, through: number): Promise<void> {
    using _hold = this.#history.hold(this.#history.compacted)
    await this.#thread.ask('snapshotBegin', file)
    try {
      for (let at = 0; at < through; at += copyAtOnce) {
        await this.#thread.ask('snapshotCopy', at, Math.min(at + copyAtOnce, through))
      }
    } finally {
      await this.#thread.ask('snapshotEnd')
    }
  }

  /** @param before the state the write replaces; undefined for a creation @param value undefined to delete */
  #write(
    key: string,
    value: Buffer | undefined,
    before: KeyState | undefined,
    options?: WriteOptions,
  ): Promise<number> {
    const also = options?.also
    const unmet = also && this.#unmet(also)
    if (unmet) return this.#refuse(unmet)
    const bytes = (value?.length ?? 0) + (also ? sizeOfChanges(also) : 0)
    if (this.#writes.bytes + bytes > pendingBytesLimit) {
      throw new StorageError('Unreachable', 'too many writes wait for the disk; this one was not begun')
    }
    for (const change of also?.changes ?? []) this.#addChange(change)
    const expires = this.#expiresAt(options)
    return new Promise<number>((resolve, reject) => {
      this.#add({ key, value, before, expires, isJoined: false, resolve, reject })
    })
  }

  /** The first condition that does not hold once all pending writes are durable. */
  #unmet({ conditions, changes }: Also): Condition | undefined {
    for (const { key } of changes) this.#check(key)
    return conditions.find((condition) => {
      if ('exists' in condition) return this.#index.latest(condition.exists) === undefined
      if ('empty' in condition) return this.#index.hasUnder(condition.empty)
      return (this.#index.latest(condition.key)?.revision ?? 0) !== condition.revision
    })
  }

  /** Refuses a write once what is in its way can be read. */
  async #refuse(condition: Condition): Promise<never> {
    if (!this.#writes.isIdle) {
      await new Promise<void>((resolve) => this.#refused.push({ revision: this.#taken, resolve }))
    }
    throw new ConditionError(condition)
  }

  #tellRefused(revision: number): void {
    if (this.#refused.length === 0) return
    const waiting = this.#refused.splice(0)
    for (const one of waiting) {
      if (one.revision <= revision) one.resolve()
      else this.#refused.push(one)
    }
  }

  /** Nobody waits for it by itself: it is done or fails with the write it belongs to, which comes next. */
  #addChange({ key, value }: Also['changes'][number]): void {
    const before = this.#index.latest(key)
    if (!value && !before) return
    const nobody = () => {}
    this.#add({ key, value, before, expires: 0, isJoined: true, resolve: nobody, reject: nobody })
  }

  #add(
    write: Pick<PendingWrite, 'key' | 'value' | 'isJoined' | 'resolve' | 'reject'> & {
      before: KeyState | undefined
      expires: number
    },
  ): void {
    const { key, value, before, expires, isJoined, resolve, reject } = write
    const revision = ++this.#taken
    const created = before?.created ?? revision
    const state = value && { created, revision, expires }
    const replaced = before?.revision ?? 0
    const pending = { key, value, revision, created, replaced, state, isJoined, resolve, reject }
    this.#index.stage(pending)
    this.#writes.add(pending)
  }

  #onDurable(writes: readonly PendingWrite[], lastValues: Uint8Array<ArrayBuffer>[]): void {
    let deletions = 0
    const events = writes.map((write): StoreEvent => {
      this.#index.apply(write)
      const { key, revision, created: createRevision } = write
      if (write.value) return { type: 'put', key, value: write.value, revision, createRevision }
      return { type: 'delete', key, value: bufferOf(lastValues[deletions++]!), revision, createRevision }
    })
    this.#durable = writes.at(-1)!.revision
    this.#hub.publish(events, this.#durable)
    for (const write of writes) write.resolve(write.revision)
    this.#tellRefused(this.#durable)
    this.#expiry.reschedule()
    this.#retention.observe(this.#durable)
  }

  #onFailed(writes: readonly PendingWrite[], error: StorageError): void {
    this.#log?.error('writes failed', { writes: writes.length, error })
    this.#index.rollback()
    for (const { reject } of writes) reject(new StorageError(error.code, error.message, { cause: error }))
    this.#tellRefused(Number.POSITIVE_INFINITY)
  }

  #expiresAt(options: WriteOptions | undefined): number {
    return options?.ttlSeconds === undefined ? 0 : this.#clock.now() + Math.ceil(options.ttlSeconds * 1000)
  }

  #expire({ key, revision }: KeyVersion): void {
    this.delete(key, revision).catch((error) => this.#log?.warn('expired key not deleted', { key, error }))
  }

  #compactByItself(revision: number): void {
    this.#history.compact(revision).catch((error) => this.#log?.warn('compaction failed', { revision, error }))
  }

  /** Which objects a list is made of. The rows since `revision` and the index are looked at in the same instant. */
  async #page(
    prefix: string,
    revision: number,
    { after, limit }: ListOptions,
  ): Promise<{ page: KeyVersion[]; more: boolean }> {
    const select = (past?: Past) => takePage(this.#index.page(prefix, after, past), limit)
    if (revision === this.#durable) return select()
    const known = this.#past
    if (known?.prefix === prefix && known.revision === revision && known.durable === this.#durable) {
      return select(known.past)
    }
    return new Promise((resolve, failed) => {
      const done = (changes: LogRows) => {
        const past = pastOf(changes)
        this.#past = { prefix, revision, durable: this.#durable, past }
        resolve(select(past))
      }
      this.#thread.call('changes', [prefix, revision, Number.MAX_SAFE_INTEGER], { done, failed })
    })
  }

  async #read(versions: readonly KeyVersion[]): Promise<StoredObject[]> {
    if (versions.length === 0) return []
    const revisions = Float64Array.from(versions, ({ revision }) => revision)
    const values = await this.#thread.ask('read', revisions)
    return versions.map(({ key, created, revision }, at) => {
      return { key, value: bufferOf(values[at]!), createRevision: created, modRevision: revision }
    })
  }

  /** Hands over history, then joins the live events in the same instant in which there is no more of it. */
  async #replay(watcher: Watcher, watch: { stopped: boolean }): Promise<void> {
    try {
      // Even an error is told only after `watch` has returned.
      await undefined
      this.#checkOpen()
      this.#history.check(watcher.after)
      using _hold = this.#history.hold(watcher.after)
      while (!watch.stopped && !(await this.#replayPage(watcher, watch)));
    } catch (error) {
      const reason = error instanceof StorageError ? error : new StorageError('Unreachable', 'replay', { cause: error })
      if (!watch.stopped) this.#hub.tell(watcher, (sink) => sink.onEnd(reason))
    }
  }

  #replayPage(watcher: Watcher, watch: { stopped: boolean }): Promise<boolean> {
    return new Promise((resolve, failed) => {
      const done = (page: ReplayPage) => {
        if (watch.stopped) return resolve(true)
        if (this.#closed) return failed(this.#closed)
        watcher.after = page.through
        if (page.through === this.#durable) this.#hub.add(watcher)
        const events = eventsOf(page)
        if (events.length > 0) this.#hub.tell(watcher, (sink) => sink.onEvents(events))
        this.#hub.tell(watcher, (sink) => sink.onProgress?.(page.through))
        resolve(page.through === this.#durable)
      }
      this.#thread.call('replay', [watcher.prefix, watcher.after], { done, failed })
    })
  }

  #expect(key: string, expected: number): KeyState {
    const state = this.#index.latest(key)
    if (!state) throw new StorageError('KeyNotFound', `key ${key} not found`)
    if (state.revision === expected) return state
    throw new StorageError('Conflict', `key ${key} is at revision ${state.revision}, not ${expected}`)
  }

  #check(key: string): void {
    this.#checkOpen()
    // Such a key would not come back from the disk as it went there.
    if (!key.isWellFormed() || key.includes('\0')) throw new TypeError(`key ${JSON.stringify(key)} is not valid text`)
  }

  #checkOpen(): void {
    if (this.#closed) throw new StorageError(this.#closed.code, this.#closed.message, { cause: this.#closed.cause })
  }
}

function retentionOf(options: EmbeddedStorageOptions): RetentionOptions {
  const { historyMinutes, historyRevisions } = options
  return {
    historyMinutes: historyMinutes ?? defaultRetention.historyMinutes,
    historyRevisions: historyRevisions ?? defaultRetention.historyRevisions,
  }
}

function sizeOfChanges({ changes }: Also): number {
  return changes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
}

function takePage(
  versions: Iterable<KeyVersion>,
  limit = Number.POSITIVE_INFINITY,
): { page: KeyVersion[]; more: boolean } {
  const page: KeyVersion[] = []
  for (const version of versions) {
    if (page.length === limit) return { page, more: true }
    page.push(version)
  }
  return { page, more: false }
}

function eventsOf({ keys, numbers, values }: ReplayPage): StoreEvent[] {
  return keys.map((key, at) => {
    const number = (column: number) => numbers[at * rowWidth + column]!
    return {
      type: number(rowColumn.length) < 0 ? 'delete' : 'put',
      key,
      value: bufferOf(values[at]!),
      revision: number(rowColumn.revision),
      createRevision: number(rowColumn.created),
    }
  })
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
