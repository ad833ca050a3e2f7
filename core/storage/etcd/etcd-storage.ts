/**
 * The store in an etcd cluster, which several servers may share. Revisions are etcd's. One watch of everything feeds all
 * watchers, and a write resolves once its event has come that way, so that who awaits a write finds it in a cache.
 */
import type { Logger } from '#apis/plugin/v1/host.ts'
import { WatchHub } from '../embedded/watch-hub.ts'
import {
  type Also,
  type Condition,
  ConditionError,
  type ListOptions,
  type SharedStorage,
  StorageError,
  type StorageWatch,
  type StoredList,
  type StoredObject,
  type StoreEvent,
  type WatchSink,
  type WriteOptions,
} from '../storage.ts'
import { compact, compactRegularly } from './compactor.ts'
import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts'
import { Feed } from './feed.ts'
import { grpcCode } from './grpc-channel.ts'
import { isGrpcError } from './grpc-errors.ts'
import { Leases } from './leases.ts'
import {
  type Compare,
  decodeRange,
  decodeTxn,
  encodeRange,
  encodeTxn,
  type KeyValue,
  type Operation,
  rangeOf,
  rpc,
  type TxnResponse,
  type WatchEvent,
} from './messages.ts'
import { Replay } from './replay.ts'

export interface EtcdStorageOptions extends EtcdClientOptions {
  /** Where keys are in etcd: `/registry` by default. What the contract calls `/registry/...` is below it. */
  prefix?: string
  /** 0: never. Default five minutes. */
  compactionIntervalMs?: number
  log?: Logger
}

const contractRoot = '/registry'
const defaultCompactionMs = 5 * 60_000
const pageSize = 1_000
/** No key has it: a comparison with it fails. */
const noRevision = Number.MAX_SAFE_INTEGER

/** @throws StorageError `Unreachable`, `Timeout` when the cluster does not answer */
export async function openEtcdStorage(options: EtcdStorageOptions): Promise<SharedStorage> {
  const client = new EtcdClient(options)
  try {
    const prefix = (options.prefix ?? contractRoot).replace(/\/+$/, '')
    return new EtcdStorage(options, client, prefix, await Feed.start(client, prefix))
  } catch (error) {
    client.close()
    throw error
  }
}

class EtcdStorage implements SharedStorage {
  readonly #client: EtcdClient
  readonly #prefix: string
  readonly #feed: Feed
  readonly #hub: WatchHub
  readonly #leases: Leases
  /** Watches that have not caught up yet. */
  readonly #replays = new Set<Replay>()
  readonly #closing = new AbortController()
  #isClosed = false

  constructor(options: EtcdStorageOptions, client: EtcdClient, prefix: string, feed: Feed) {
    this.#client = client
    this.#prefix = prefix
    this.#feed = feed
    this.#hub = new WatchHub(options.log)
    this.#leases = new Leases(client)
    feed.follow({
      onEvents: (events, position) => this.#hub.publish(events.map(this.#eventOf), position),
      onCompacted: (error) => this.#hub.end(error),
    })
    const intervalMs = options.compactionIntervalMs ?? defaultCompactionMs
    if (intervalMs > 0) void compactRegularly(client, intervalMs, this.#closing.signal, options.log)
  }

  get failure(): StorageError | undefined {
    return this.#feed.failure
  }

  async create(key: string, value: Buffer, options?: WriteOptions): Promise<number> {
    const at = this.#keyIn(key)
    const { succeeded, revision, found } = await this.#put(at, value, 0, options)
    if (!succeeded) {
      if (ownOf(at, found)) throw new StorageError('KeyExists', `key ${key} exists`)
      throw this.#unmet(options?.also, found)
    }
    return this.#handedOver(revision)
  }

  async update(key: string, value: Buffer, expected: number, options?: WriteOptions): Promise<number> {
    const at = this.#keyIn(key)
    const { succeeded, revision, found } = await this.#put(at, value, expected || noRevision, options)
    if (!succeeded) throw mismatch(key, expected, ownOf(at, found)) ?? this.#unmet(options?.also, found)
    return this.#handedOver(revision)
  }

  async delete(key: string, expected: number, options?: WriteOptions): Promise<number> {
    const at = this.#keyIn(key)
    const { succeeded, revision, found } = await this.#swap(at, expected || noRevision, { delete: at }, options?.also)
    if (!succeeded) throw mismatch(key, expected, ownOf(at, found)) ?? this.#unmet(options?.also, found)
    return this.#handedOver(revision)
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const { items } = decodeRange(await this.#client.call(rpc.range, encodeRange({ key: this.#keyIn(key) })))
    return items[0] && this.#objectOf(items[0])
  }

  async list(prefix: string, { revision, limit, after }: ListOptions = {}): Promise<StoredList> {
    this.#checkOpen()
    const { key, end } = rangeOf(this.#keyIn(prefix))
    const list: StoredList = { items: [], revision: revision ?? 0, more: true }
    let from = after === undefined || after < prefix ? key : behind(this.#keyIn(after))
    while (list.more && (limit === undefined || list.items.length < limit)) {
      const page = Math.min(pageSize, (limit ?? Number.POSITIVE_INFINITY) - list.items.length)
      const at = { key: from, end, limit: page, ...(list.revision > 0 && { revision: list.revision }) }
      const response = decodeRange(await this.#client.call(rpc.range, encodeRange(at)))
      // The first page says what is the latest revision, the others are read at that one.
      list.revision ||= response.revision
      list.more = response.more
      for (const item of response.items) list.items.push(this.#objectOf(item))
      from = behind(response.items.at(-1)?.key ?? from)
    }
    return list
  }

  currentRevision(): Promise<number> {
    return this.#feed.latest()
  }

  synced(): Promise<number> {
    return this.#feed.synced()
  }

  watch(prefix: string, after: number, sink: WatchSink): StorageWatch {
    const watcher = { prefix, after, sink }
    if (this.#isClosed) {
      queueMicrotask(() => sink.onEnd(closed()))
      return { stop: () => {} }
    }
    if (this.#feed.isFollowing && after >= this.#feed.position) {
      this.#hub.add(watcher)
      return { stop: () => this.#hub.remove(watcher) }
    }
    const replay = new Replay(watcher, {
      feed: this.#feed,
      hub: this.#hub,
      eventOf: this.#eventOf,
      onDone: (done) => this.#replays.delete(done),
    })
    this.#replays.add(replay)
    return {
      stop: () => {
        replay.stop()
        this.#hub.remove(watcher)
      },
    }
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen()
    if (revision > 0) await compact(this.#client, revision)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closing.abort()
    this.#feed.stop()
    this.#hub.end(closed())
    for (const replay of [...this.#replays]) replay.end(closed())
    this.#client.close()
  }

  async #put(at: string, value: Buffer, expected: number, options: WriteOptions = {}): Promise<TxnResponse> {
    const { ttlSeconds, also } = options
    if (ttlSeconds === undefined) return this.#swap(at, expected, { put: at, value }, also)
    try {
      return await this.#swap(at, expected, { put: at, value, lease: await this.#leases.take(ttlSeconds) }, also)
    } catch (error) {
      if (!isUnknownLease(error)) throw error
      this.#leases.forget(ttlSeconds)
      return this.#swap(at, expected, { put: at, value, lease: await this.#leases.take(ttlSeconds) }, also)
    }
  }

  /** @param expected the revision the key must have; 0 when it must not be there */
  async #swap(at: string, expected: number, operation: Operation, also?: Also): Promise<TxnResponse> {
    const own = { key: at, modRevision: expected }
    if (!also) return decodeTxn(await this.#client.callOnce(rpc.txn, encodeTxn([own], [operation], [{ look: at }])))
    const compares = also.conditions.map((condition) => this.#compareOf(condition))
    const changes = also.changes.map(({ key, value }): Operation => {
      return value ? { put: this.#keyIn(key), value } : { delete: this.#keyIn(key) }
    })
    const txn = encodeTxn([own, ...compares], [operation, ...changes], [{ look: at }, ...compares.map(lookAt)])
    return decodeTxn(await this.#client.callOnce(rpc.txn, txn))
  }

  #compareOf(condition: Condition): Compare {
    if ('exists' in condition) return { exists: this.#keyIn(condition.exists) }
    if ('empty' in condition) return { empty: this.#keyIn(condition.empty) }
    return { key: this.#keyIn(condition.key), modRevision: condition.revision }
  }

  /** @param found what is there of the keys that the conditions are about */
  #unmet({ conditions }: Also = { conditions: [], changes: [] }, found: readonly KeyValue[]): StorageError {
    const holds = (condition: Condition): boolean => {
      const compare = this.#compareOf(condition)
      if ('exists' in compare) return ownOf(compare.exists, found) !== undefined
      if ('empty' in compare) return !found.some(({ key }) => key.startsWith(compare.empty))
      return (ownOf(compare.key, found)?.modRevision ?? 0) === (condition as { revision: number }).revision
    }
    const unmet = conditions.find((condition) => !holds(condition))
    return unmet
      ? new ConditionError(unmet)
      : new StorageError('Unreachable', 'etcd refused a write and does not say why')
  }

  /** A write that is done is acknowledged even when its event is late: whoever needs it waits for `synced`. */
  async #handedOver(revision: number): Promise<number> {
    await this.#feed.reached(revision)
    return revision
  }

  readonly #eventOf = ({ type, item, previous }: WatchEvent): StoreEvent => ({
    type,
    key: this.#contractKey(item.key),
    value: type === 'put' ? item.value : previous!.value,
    revision: item.modRevision,
    createRevision: type === 'put' ? item.createRevision : previous!.createRevision,
  })

  #objectOf({ key, value, createRevision, modRevision }: KeyValue): StoredObject {
    return { key: this.#contractKey(key), value, createRevision, modRevision }
  }

  #keyIn(key: string): string {
    this.#checkOpen()
    if (!key.isWellFormed() || !key.startsWith(contractRoot)) {
      throw new TypeError(`key ${JSON.stringify(key)} is not a key of the store`)
    }
    return this.#prefix + key.slice(contractRoot.length)
  }

  #contractKey(key: string): string {
    return contractRoot + key.slice(this.#prefix.length)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed()
  }
}

/** The first key behind this one. */
function behind(key: string): string {
  return `${key}\0`
}

/** Undefined when it is not the key itself that is in the way. */
function mismatch(key: string, expected: number, own: KeyValue | undefined): StorageError | undefined {
  if (!own) return new StorageError('KeyNotFound', `key ${key} not found`)
  if (own.modRevision === expected) return undefined
  return new StorageError('Conflict', `key ${key} is at revision ${own.modRevision}, not ${expected}`)
}

function ownOf(key: string, found: readonly KeyValue[]): KeyValue | undefined {
  return found.find((item) => item.key === key)
}

function lookAt(compare: Compare): Operation {
  if ('empty' in compare) return { first: compare.empty }
  return { look: 'exists' in compare ? compare.exists : compare.key }
}

function isUnknownLease(error: unknown): boolean {
  return error instanceof StorageError && isGrpcError(error.cause) && error.cause.code === grpcCode.notFound
}

function closed(): StorageError {
  return new StorageError('Closed', 'the store is closed')
}
