import type { KubeObject, LabelSelector, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import type { Client, DeepReadonly } from '@keelson/client'

/**
 * One shared, indexed cache a resource, fed by one list and one watch however many components ask for it.
 * Objects in it are shared: treat them as `readonly`.
 */
export interface Informer<T extends KubeObject> {
  /** Resolves when the first list is in the cache; rejects when the informer is stopped before. */
  readonly synced: Promise<void>
  readonly hasSynced: boolean
  get(namespace: string, name: string): DeepReadonly<T> | undefined
  /** All, or those of one namespace. */
  list(namespace?: string): DeepReadonly<T>[]
  /** Objects for which the index function named `index` gave `key`. */
  byIndex(index: string, key: string): DeepReadonly<T>[]
  /** Adds an index; cheap to call again with the same name. `keys` gives the keys an object is found under. */
  addIndex(name: string, keys: (object: DeepReadonly<T>) => readonly string[]): void
  /** Called for each change after it is in the cache, and once for each object already there. Returns the unsubscriber. */
  on(handler: InformerHandler<T>): () => void
}

export interface InformerHandler<T extends KubeObject> {
  added?(object: DeepReadonly<T>): void
  updated?(object: DeepReadonly<T>, old: DeepReadonly<T>): void
  /** `object` is the last state known; after a lost watch it may be stale. */
  deleted?(object: DeepReadonly<T>): void
}

export interface Informers {
  readonly client: Client
  /** Starts the informer on first use. Options tell apart two informers on one resource. */
  for<T extends KubeObject>(ref: ResourceRef<T>, options?: InformerOptions): Informer<T>
  /** Stops one informer: of a resource that is no longer served. */
  drop(ref: ResourceRef, options?: InformerOptions): void
  /** Resolves when every informer asked for so far has synced, or was stopped. */
  synced(): Promise<void>
  stop(): void
}

export interface InformerOptions {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Keeps and transfers only metadata; other fields read as absent. */
  metadataOnly?: boolean
  /**
   * Of metadata, keeps only what tells objects apart and relates them: name, namespace, uid, resourceVersion, owners,
   * finalizers and deletion. For those who follow every object of a cluster. Implies `metadataOnly`.
   */
  relationsOnly?: boolean
}

/** Keys waiting to be reconciled: each at most once, never twice at the same time. */
export interface WorkQueue {
  add(key: string): void
  addAfter(key: string, delayMs: number): void
}

export type ReconcileResult = { requeueAfterMs: number } | undefined

/** Level-triggered: re-reads state, steps closer, and may run any number of times. Throws to be retried with backoff. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult>

export interface EventRecorder {
  /** Records a core/v1 Event about `object`; repeats within a minute are counted on one Event. Never throws, never blocks. */
  event(object: DeepReadonly<KubeObject>, type: 'Normal' | 'Warning', reason: string, message: string): void
}

export type { LabelSelector }
