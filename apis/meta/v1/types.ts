/** The types every API object shares. Field names are those of the wire. @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/ */

export interface TypeMeta {
  apiVersion: string
  kind: string
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  manager?: string
  operation?: string
  apiVersion?: string
  time?: string
  fieldsType?: string
  fieldsV1?: Record<string, unknown>
  subresource?: string
}

export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  /** Opaque: send back what was read, never compute with it. */
  resourceVersion?: string
  generation?: number
  /** RFC 3339, whole seconds, UTC. */
  creationTimestamp?: string
  /** Set while the object is being deleted; the moment after which it may be removed by force. */
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  selfLink?: string
}

/** What is known of an object before its kind is. */
export interface KubeObject extends TypeMeta {
  metadata: ObjectMeta
}

/** An object whose fields beyond metadata are read by name. */
export interface UnstructuredObject extends KubeObject {
  [field: string]: unknown
}

export interface ListMeta {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
  selfLink?: string
}

export interface KubeList<T> extends TypeMeta {
  metadata: ListMeta
  items: T[]
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  observedGeneration?: number
  lastTransitionTime: string
  reason: string
  message: string
}

export interface LabelSelectorRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: string[]
}

/** All of `matchLabels` and `matchExpressions` must hold. An empty selector matches everything, an absent one nothing. */
export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: LabelSelectorRequirement[]
}

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

export type StatusReason =
  | ''
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'StoreReadError'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable'

/** How the API reports the outcome of a call that returns no object. @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  apiVersion: 'v1'
  kind: 'Status'
  metadata: ListMeta
  status: 'Success' | 'Failure'
  message?: string
  reason?: StatusReason
  details?: StatusDetails
  code: number
}

export interface Preconditions {
  uid?: string
  resourceVersion?: string
}

export interface DeleteOptions {
  apiVersion?: string
  kind?: string
  gracePeriodSeconds?: number
  preconditions?: Preconditions
  orphanDependents?: boolean
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  dryRun?: string[]
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'

export interface WatchEvent<T = KubeObject> {
  type: WatchEventType
  object: T
}

export interface GroupVersionResource {
  group: string
  version: string
  resource: string
}

export interface GroupResource {
  group: string
  resource: string
}

/**
 * Names one served resource and, to the compiler, the type of its objects.
 * The generated constants (`pods`, `deployments`, ...) are of this type; for a custom resource write one by hand.
 */
export interface ResourceRef<T extends KubeObject = KubeObject> extends GroupVersionResource {
  kind: string
  namespaced: boolean
  /** Never set: carries `T` for the compiler. */
  readonly objectType?: T
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(of: { group: string; version: string }): string {
  return of.group ? `${of.group}/${of.version}` : of.version
}

/** `apps/v1` in its parts; a version alone is of the core group. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/')
  return { group: apiVersion.slice(0, Math.max(0, slash)), version: apiVersion.slice(slash + 1) }
}
