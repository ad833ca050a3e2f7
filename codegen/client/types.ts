import type { DeleteOptions, KubeList, KubeObject, ResourceRef, WatchEvent } from '@keelson/apis/meta/v1/types.ts'
import type { ApiAccess } from '@keelson/apis/plugin/v1/host.ts'

/**
 * A client of one API server, over one HTTP/2 connection that is re-opened when it breaks (and more of them when the
 * server limits the streams of a connection). Calls with Retry-After are repeated when that is safe.
 */
export interface Client extends AsyncDisposable {
  readonly access: ApiAccess
  /** The typed door to one resource: `client.resource(pods).in('default').get('web-0')`. */
  resource<T extends KubeObject>(ref: ResourceRef<T>): ResourceClient<T>
  /** As `resource`, for what needs no more than metadata: reads and watches carry nothing else. */
  metadata(ref: ResourceRef): MetadataClient
  /**
   * As `metadata`, for who follows very many objects and asks only who they are and how they are related: where the server
   * can, managedFields are left out, and watches say nothing of changes that leave the rest of metadata as it was.
   */
  relations(ref: ResourceRef): MetadataClient
  /** Any request, for paths that are no resource. @throws ApiError */
  request<R = unknown>(request: ApiRequest): Promise<R>
  /** As `request`, with the answer's body as it comes. */
  stream(request: ApiRequest): Promise<AsyncIterable<Buffer>>
}

export interface ApiRequest {
  method: string
  /** Escaped path and query. */
  path: string
  /** Sent as JSON unless a Buffer. */
  body?: unknown
  contentType?: string
  accept?: string
  signal?: AbortSignal
}

/** Every method throws ApiError with the server's Status, or ConnectionError when there was no answer. */
export interface ResourceClient<T extends KubeObject> {
  /** Narrows to a namespace; without it list, watch and deleteCollection span all. */
  in(namespace: string): ResourceClient<T>
  get(name: string, options?: { resourceVersion?: string; signal?: AbortSignal }): Promise<T>
  list(options?: ListOptions): Promise<KubeList<T>>
  create(object: DeepReadonly<T> | T, options?: WriteOptions): Promise<T>
  /** Replaces; sends the object's resourceVersion back, so a concurrent change is a Conflict. */
  update(object: DeepReadonly<T> | T, options?: WriteOptions): Promise<T>
  updateStatus(object: DeepReadonly<T> | T, options?: WriteOptions): Promise<T>
  patch(name: string, patch: Patch, options?: WriteOptions & { subresource?: string }): Promise<T>
  delete(name: string, options?: DeleteOptions & { signal?: AbortSignal }): Promise<void>
  deleteCollection(options?: ListOptions & { delete?: DeleteOptions }): Promise<void>
  /** GET of a subresource. */
  getSubresource<R>(name: string, subresource: string): Promise<R>
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  createSubresource<R>(name: string, subresource: string, body: unknown, signal?: AbortSignal): Promise<R>
  /**
   * One watch connection. Ends without error when the server closes it; throws ApiError (410 `Expired`: list again),
   * ConnectionError when it broke. Informers (in @keelson/kit) do the resuming.
   */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>
}

export interface MetadataClient
  extends Omit<ResourceClient<KubeObject>, 'in' | 'create' | 'update' | 'updateStatus' | 'createSubresource'> {
  in(namespace: string): MetadataClient
}

export interface ListOptions {
  labelSelector?: string
  fieldSelector?: string
  limit?: number
  continue?: string
  resourceVersion?: string
  resourceVersionMatch?: 'Exact' | 'NotOlderThan'
  signal?: AbortSignal
}

export interface WatchOptions {
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
  timeoutSeconds?: number
  allowWatchBookmarks?: boolean
  signal?: AbortSignal
}

export interface WriteOptions {
  dryRun?: boolean
  fieldManager?: string
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
  signal?: AbortSignal
}

export type Patch =
  | { type: 'json'; operations: JsonPatchOperation[] }
  | { type: 'merge'; body: unknown }
  | { type: 'strategic'; body: unknown }
  | { type: 'apply'; body: unknown; force?: boolean }

export interface JsonPatchOperation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  path: string
  from?: string
  value?: unknown
}

export type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T
