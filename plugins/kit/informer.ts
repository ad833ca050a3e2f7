import { apiVersionOf, type KubeObject, type ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import {
  type DeepReadonly,
  isConnectionError,
  isExpired,
  isNotFound,
  isServiceUnavailable,
  isTooManyRequests,
  type ResourceClient,
} from '@keelson/client'
import { backoffMs } from './backoff.ts'
import { type Clock, pause } from './clock.ts'
import { namespacedKey } from './keys.ts'
import { createStore, placeOf } from './store.ts'
import type { Informer, InformerHandler } from './types.ts'

/** Where an informer reads from. */
export type InformerSource<T extends KubeObject> = Pick<ResourceClient<T>, 'list' | 'watch'>

export interface InformerSettings {
  labelSelector?: string
  fieldSelector?: string
  relationsOnly?: boolean
  clock: Clock
  random: () => number
  /** Objects asked for at a time. */
  pageSize: number
  log?: Logger
}

export interface RunningInformer<T extends KubeObject> extends Informer<T> {
  stop(): void
}

const backoff = { firstMs: 100, lastMs: 30_000 }
/** A watch that ends sooner than this without an event is treated as a failure, so that it is not re-opened in a loop. */
const shortestWatchMs = 1_000

/**
 * Lists, then watches from where the list was taken, for ever: resumes a broken watch where it stopped, and lists again
 * and reports the differences when the server no longer has the history. `managedFields` are dropped: they are most of
 * many objects' bytes, and a server keeps them when an update leaves them out.
 */
export function startInformer<T extends KubeObject>(
  ref: ResourceRef<T>,
  source: InformerSource<T>,
  settings: InformerSettings,
): RunningInformer<T> {
  const { clock, random, pageSize, log, labelSelector, fieldSelector } = settings
  const keep = settings.relationsOnly ? relationsKeeper<T>(apiVersionOf(ref), ref.kind) : (object: T) => object
  const store = createStore<T>()
  const handlers = new Set<InformerHandler<T>>()
  const stopping = new AbortController()
  const { signal } = stopping
  const synced = Promise.withResolvers<void>()
  synced.promise.catch(() => {})
  let hasSynced = false
  /** Where the next watch starts; undefined when only a new list can tell. */
  let resourceVersion: string | undefined

  async function run(): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (resourceVersion === undefined) await relist()
        const wasUseful = await watch()
        failures = wasUseful ? 0 : failures + 1
      } catch (error) {
        if (signal.aborted) return
        if (!isResumable(error)) resourceVersion = undefined
        if (!isExpired(error)) noteFailure(error)
        failures++
      }
      if (failures > 0) await pause(clock, backoffMs(failures, { ...backoff, random }), signal)
    }
  }

  /** What was served and is no more has mostly been removed on purpose, and whoever follows it hears of that elsewhere. */
  function noteFailure(error: unknown): void {
    const level = hasSynced && isNotFound(error) ? 'debug' : 'warn'
    log?.[level]('watch failed', { resource: ref.resource, group: ref.group, error })
  }

  async function relist(): Promise<void> {
    const listed = await listPages(pageSize).catch((error) => {
      // The continue token outlived the server's history: one whole list needs none.
      if (isExpired(error)) return listPages(undefined)
      throw error
    })
    for (const old of hasSynced ? store.list() : []) {
      if (!listed.keys.has(namespacedKey(old))) removed(old)
    }
    resourceVersion = listed.resourceVersion
    hasSynced = true
    synced.resolve()
  }

  async function listPages(limit: number | undefined): Promise<{ keys: Set<string>; resourceVersion: string }> {
    const keys = new Set<string>()
    let next: string | undefined
    for (;;) {
      const page = await source.list({ labelSelector, fieldSelector, limit, continue: next, signal })
      for (const object of page.items) {
        keys.add(namespacedKey(object))
        stored(object)
      }
      next = page.metadata.continue
      if (!next) return { keys, resourceVersion: page.metadata.resourceVersion ?? '' }
    }
  }

  /** @returns false when the watch ended too soon to be of use */
  async function watch(): Promise<boolean> {
    const startedAt = clock.elapsed()
    const timeoutSeconds = Math.round(300 * (1 + random()))
    const options = { labelSelector, fieldSelector, resourceVersion, timeoutSeconds, allowWatchBookmarks: true, signal }
    let sawEvent = false
    for await (const { type, object } of source.watch(options)) {
      if (signal.aborted) return true
      sawEvent = true
      resourceVersion = object.metadata.resourceVersion
      if (type === 'DELETED') removed(object as DeepReadonly<T>)
      else if (type !== 'BOOKMARK') stored(object)
    }
    return sawEvent || clock.elapsed() - startedAt >= shortestWatchMs
  }

  function stored(object: T): void {
    object.apiVersion ??= apiVersionOf(ref)
    object.kind ??= ref.kind
    if (object.metadata.managedFields) object.metadata.managedFields = undefined
    const current = keep(object) as DeepReadonly<T>
    const { namespace, name } = placeOf(current)
    const known = store.get(namespace, name)
    if (known?.metadata.resourceVersion === object.metadata.resourceVersion && known) return
    if (known && known.metadata.uid !== object.metadata.uid) removed(known)
    const old = store.set(current)
    notify((handler) => (old ? handler.updated?.(current, old) : handler.added?.(current)))
  }

  function removed(object: DeepReadonly<T>): void {
    const { namespace, name } = placeOf(object)
    if (store.remove(namespace, name)) notify((handler) => handler.deleted?.(object))
  }

  function notify(call: (handler: InformerHandler<T>) => void): void {
    for (const handler of handlers) notifyOne(handler, call)
  }

  /** A handler that throws harms nobody else. */
  function notifyOne(handler: InformerHandler<T>, call: (handler: InformerHandler<T>) => void): void {
    try {
      call(handler)
    } catch (error) {
      log?.error('informer handler failed', { resource: ref.resource, group: ref.group, error })
    }
  }

  void run()
  return {
    synced: synced.promise,
    get hasSynced() {
      return hasSynced
    },
    get: store.get,
    list: store.list,
    byIndex: store.byIndex,
    addIndex: store.addIndex,
    on(handler) {
      handlers.add(handler)
      for (const object of store.list()) notifyOne(handler, () => handler.added?.(object))
      return () => handlers.delete(handler)
    },
    stop() {
      const reason = new Error(`the informer of ${ref.resource} was stopped`)
      stopping.abort(reason)
      synced.reject(reason)
    },
  }
}

/** The server was not reached or had no time: what it has since then is still to be had. */
const isResumable = (error: unknown) =>
  isConnectionError(error) || isTooManyRequests(error) || isServiceUnavailable(error)

/** Makes objects that hold no more than their relations. Namespaces are few: each is kept once. */
function relationsKeeper<T extends KubeObject>(apiVersion: string, kind: string): (object: T) => T {
  const namespaces = new Map<string, string>()
  const once = (namespace: string) => {
    const known = namespaces.get(namespace)
    if (known === undefined) namespaces.set(namespace, namespace)
    return known ?? namespace
  }
  return ({ metadata }) => {
    const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } = metadata
    const kept: KubeObject = { apiVersion, kind, metadata: { name, uid, resourceVersion } }
    if (namespace) kept.metadata.namespace = once(namespace)
    if (ownerReferences) kept.metadata.ownerReferences = ownerReferences
    if (finalizers) kept.metadata.finalizers = finalizers
    if (deletionTimestamp) kept.metadata.deletionTimestamp = deletionTimestamp
    return kept as T
  }
}
