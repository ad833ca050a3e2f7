/**
 * The store's contract: an ordered map from keys to bytes under one sequence of revisions, as etcd has it.
 *
 * Keys are `/registry/<group>/<resource>/<namespace>/<name>` (no namespace segment for cluster scope; `core` for the
 * core group), or begin with `/registry/~` where they are no objects. Values are opaque here. Every accepted write takes the
 * next revision; only keys whose time to live is over, and those that change together, may share one, in one batch of
 * events. A promise of a write resolves only once the write
 * survives power loss, and watchers have been handed its event *before* it resolves, in revision order: who awaits a write
 * and then reads a cache fed by `watch` sees the write.
 */
export interface Storage extends StorageReader, AsyncDisposable {
  /** @throws StorageError `KeyExists` @returns the revision of the write */
  create(key: string, value: Buffer, options?: WriteOptions): Promise<number>
  /** Compare-and-swap. @throws StorageError `KeyNotFound`, or `Conflict` when the key's modRevision is not `expected` */
  update(key: string, value: Buffer, expected: number, options?: WriteOptions): Promise<number>
  /** Compare-and-delete. @throws StorageError `KeyNotFound`, `Conflict` @returns the revision of the deletion */
  delete(key: string, expected: number, options?: Pick<WriteOptions, 'also'>): Promise<number>
  /**
   * Hands over every event whose key starts with `prefix` and whose revision is greater than `after`, in order, each once.
   * `onEvents` is called with one batch at a time and must not throw. Ends at `stop()` or, once, with `onEnd(error)`:
   * `Compacted` when history from `after` is gone, `Unreachable` when the backend is lost for good.
   */
  watch(prefix: string, after: number, sink: WatchSink): StorageWatch
  /** Forgets history up to and including `revision`; the latest value of each key stays. */
  compact(revision: number): Promise<void>
}

/**
 * A store that other servers write to as well: what its watches have handed over may lag behind what these were
 * acknowledged, and it can be out of reach for a while. A store without these members is always up to date.
 */
export interface SharedStorage extends Storage {
  /**
   * Resolves once watches from the present have been handed every write that was acknowledged, to whomever, before this call.
   * @returns a revision that covers all of them
   * @throws StorageError `Unreachable`, `Timeout`
   */
  synced(): Promise<number>
  /** Why the backend cannot be followed at present. */
  readonly failure: StorageError | undefined
}

export function isShared(storage: Storage): storage is SharedStorage {
  return 'synced' in storage
}

export interface StorageReader {
  /** @returns the latest acknowledged value, or undefined when absent */
  get(key: string): Promise<StoredObject | undefined>
  /** In key order. @throws StorageError `Compacted` when `revision` is compacted, `FutureRevision` when it is not reached */
  list(prefix: string, options?: ListOptions): Promise<StoredList>
  /** The revision of the last acknowledged write. */
  currentRevision(): Promise<number>
}

export interface WriteOptions {
  /** Seconds after which the store deletes the key by itself (Events); absent: never. A later write without it makes the key permanent. */
  ttlSeconds?: number
  /** What is done together with the write or, like it, not at all. */
  also?: Also
}

/**
 * Other keys in a write: it is done only while all conditions hold, and makes all changes with it, at its revision or at
 * revisions just before it. No key may be changed twice. Together with the write there may be `maxAlso` of each at most.
 */
export interface Also {
  conditions: readonly Condition[]
  /** A change without a value deletes the key; one that is not there stays so. */
  changes: readonly { key: string; value?: Buffer }[]
}

export type Condition =
  /** The key was last written at this revision; 0: it is not there. */
  | { key: string; revision: number }
  /** The key is there. */
  | { exists: string }
  /** No key begins with this. */
  | { empty: string }

/** etcd takes 128 operations at once, unless it is told otherwise. */
export const maxAlso = 127

export interface StoredObject {
  key: string
  value: Buffer
  createRevision: number
  modRevision: number
}

export interface ListOptions {
  /** The revision to read at; absent: the latest. */
  revision?: number
  /** At most this many objects; absent: all. */
  limit?: number
  /** Start behind this key. */
  after?: string
}

export interface StoredList {
  items: StoredObject[]
  /** The revision the list is consistent at. */
  revision: number
  /** True when `limit` cut the list. */
  more: boolean
}

export interface StoreEvent {
  type: 'put' | 'delete'
  key: string
  /** The new value; of a deletion, the last value the key had. */
  value: Buffer
  revision: number
  /** Equals `revision` when the put created the key. */
  createRevision: number
}

export interface WatchSink {
  onEvents(events: readonly StoreEvent[]): void
  /** Nothing at or below `revision` will come any more; called after events and when asked for by time passing without any. */
  onProgress?(revision: number): void
  onEnd(error: StorageError): void
}

export interface StorageWatch {
  stop(): void
}

export type StorageErrorCode =
  | 'KeyExists'
  | 'KeyNotFound'
  | 'Conflict'
  /** What the write depends on besides its own key is not so, and what is can be read: see `ConditionError`. */
  | 'ConditionFailed'
  | 'Compacted'
  | 'FutureRevision'
  /** The backend cannot be asked now. Of the embedded store: the outcome of a write that was under way is unknown. */
  | 'Unreachable'
  /** The backend was asked and has not answered in time: the outcome of a write is unknown. */
  | 'Timeout'
  /** The backend takes no value of this size. */
  | 'TooLarge'
  /** The disk is full or failing; nothing was written. */
  | 'Full'
  /** What is on disk is not what was written; the message names the file and what to do. */
  | 'Corrupt'
  | 'Closed'

export class StorageError extends Error {
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StorageError'
    this.code = code
  }
}

/** Nothing was written. */
export class ConditionError extends StorageError {
  /** The first that does not hold. */
  readonly condition: Condition

  constructor(condition: Condition) {
    super('ConditionFailed', `the write depends on ${describe(condition)}`)
    this.name = 'ConditionError'
    this.condition = condition
  }
}

function describe(condition: Condition): string {
  if ('exists' in condition) return `key ${condition.exists}`
  if ('empty' in condition) return `no key under ${condition.empty}`
  return condition.revision === 0
    ? `key ${condition.key} not being there`
    : `key ${condition.key} at revision ${condition.revision}`
}
