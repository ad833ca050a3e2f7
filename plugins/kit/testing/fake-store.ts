import type { KubeObject, ResourceRef, Status, StatusReason, WatchEvent } from '@keelson/apis/meta/v1/types.ts'
import { ApiError } from '@keelson/client'
import { type Clock, formatTime } from '../clock.ts'

/** The objects and the history behind a fake client: what a server does to every kind, as far as controllers rely on it. */
export interface FakeStore {
  refs: ReadonlyMap<string, ResourceRef>
  know(ref: ResourceRef): void
  read(ref: ResourceRef, namespace: string, name: string): FakeObject
  all(ref: ResourceRef, namespace?: string): FakeObject[]
  /** Writes as it is, except for what the server owns. */
  insert(ref: ResourceRef, object: FakeObject): FakeObject
  replace(ref: ResourceRef, object: FakeObject, changed: { status: boolean }): FakeObject
  remove(ref: ResourceRef, namespace: string, name: string, options: DeleteWish): void
  /** Calls `deliver` with each later change; throws Expired when `after` is compacted. */
  subscribe(ref: ResourceRef, after: number, deliver: (change: Change) => void): () => void
  readonly revision: number
  compact(): void
  onChange(listener: () => void): () => void
}

export interface FakeObject extends KubeObject {
  [field: string]: unknown
}

export interface DeleteWish {
  uid?: string
  resourceVersion?: string
  policy?: string
  graceSeconds?: number
}

export interface Change {
  revision: number
  type: Exclude<WatchEvent['type'], 'BOOKMARK' | 'ERROR'>
  object: FakeObject
  old?: FakeObject
}

export const refKey = (ref: Pick<ResourceRef, 'group' | 'version' | 'resource'>) =>
  `${ref.group}/${ref.version}/${ref.resource}`

export function failure(code: number, reason: StatusReason, message: string, details?: Status['details']): ApiError {
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
    reason,
    message,
    details,
  })
}

export function createFakeStore(clock: Clock): FakeStore {
  const refs = new Map<string, ResourceRef>()
  const objects = new Map<string, Map<string, FakeObject>>()
  const history: { ref: string; change: Change }[] = []
  const watchers = new Set<{ ref: string; deliver: (change: Change) => void }>()
  const listeners = new Set<() => void>()
  let revision = 1
  let compacted = 0
  let serial = 0

  const tableOf = (ref: ResourceRef) => {
    const key = refKey(ref)
    const table = objects.get(key) ?? new Map<string, FakeObject>()
    objects.set(key, table)
    return table
  }
  const placeOf = (namespace = '', name = '') => `${namespace}/${name}`

  function record(ref: ResourceRef, type: Change['type'], object: FakeObject, old?: FakeObject): FakeObject {
    revision++
    object.metadata.resourceVersion = String(revision)
    const place = placeOf(object.metadata.namespace, object.metadata.name)
    if (type === 'DELETED') tableOf(ref).delete(place)
    else tableOf(ref).set(place, object)
    const change: Change = { revision, type, object, old }
    history.push({ ref: refKey(ref), change })
    for (const watcher of watchers) if (watcher.ref === refKey(ref)) watcher.deliver(change)
    for (const listener of listeners) listener()
    return structuredClone(object)
  }

  function find(ref: ResourceRef, namespace: string, name: string): FakeObject {
    const found = tableOf(ref).get(placeOf(namespace, name))
    if (!found) throw failure(404, 'NotFound', `${qualified(ref)} "${name}" not found`)
    return found
  }

  function checkPreconditions(ref: ResourceRef, object: FakeObject, wanted: DeleteWish): void {
    const { name, uid, resourceVersion } = object.metadata
    const isOther = wanted.uid && wanted.uid !== uid
    const isNewer = wanted.resourceVersion && wanted.resourceVersion !== resourceVersion
    if (!isOther && !isNewer) return
    throw failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(ref)} "${name}": the object has been modified`,
    )
  }

  return {
    refs,
    know: (ref) => void refs.set(refKey(ref), ref),
    read: (ref, namespace, name) => structuredClone(find(ref, namespace, name)),
    all: (ref, namespace) =>
      [...tableOf(ref).values()]
        .filter((object) => !namespace || object.metadata.namespace === namespace)
        .map((object) => structuredClone(object)),
    insert(ref, given) {
      const object = structuredClone(given)
      const { metadata } = object
      serial++
      metadata.name ||= `${metadata.generateName ?? ''}${serial.toString(36).padStart(5, '0')}`
      if (tableOf(ref).has(placeOf(metadata.namespace, metadata.name))) {
        throw failure(409, 'AlreadyExists', `${qualified(ref)} "${metadata.name}" already exists`)
      }
      metadata.uid ||= `uid-${serial}`
      metadata.creationTimestamp ||= formatTime(clock.now())
      metadata.generation ??= 1
      return record(ref, 'ADDED', object)
    },
    replace(ref, given, changed) {
      const { namespace = '', name = '', uid, resourceVersion } = given.metadata
      const old = find(ref, namespace, name)
      checkPreconditions(ref, old, { uid, resourceVersion })
      const object = merged(old, structuredClone(given), changed)
      if (sameJson(old, object)) return structuredClone(old)
      return isReleased(object) ? record(ref, 'DELETED', object, old) : record(ref, 'MODIFIED', object, old)
    },
    remove(ref, namespace, name, wish) {
      const old = find(ref, namespace, name)
      checkPreconditions(ref, old, wish)
      const object = markDeleted(old, wish, formatTime(clock.now()))
      if (isReleased(object)) record(ref, 'DELETED', object, old)
      else if (!sameJson(old, object)) record(ref, 'MODIFIED', object, old)
    },
    subscribe(ref, after, deliver) {
      if (after < compacted) throw failure(410, 'Expired', `too old resource version: ${after} (${compacted})`)
      for (const past of history) if (past.ref === refKey(ref) && past.change.revision > after) deliver(past.change)
      const watcher = { ref: refKey(ref), deliver }
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    get revision() {
      return revision
    },
    compact() {
      compacted = revision
      history.length = 0
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const qualified = (ref: ResourceRef) => (ref.group ? `${ref.resource}.${ref.group}` : ref.resource)
const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

/** What of a replacement counts: the status alone, or all but the status; identity and deletion are the server's. */
function merged(old: FakeObject, given: FakeObject, changed: { status: boolean }): FakeObject {
  if (changed.status) return { ...old, metadata: { ...old.metadata }, status: given.status }
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation = 1 } = old.metadata
  const owned = { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation }
  const object: FakeObject = {
    ...given,
    metadata: { ...given.metadata, ...owned, resourceVersion: old.metadata.resourceVersion },
  }
  if (old.status !== undefined) object.status = old.status
  if (!sameJson(desired(old), desired(object))) object.metadata.generation = generation + 1
  return JSON.parse(JSON.stringify(object))
}

const desired = ({ metadata: _, status: __, ...rest }: FakeObject) => rest

function markDeleted(old: FakeObject, wish: DeleteWish, now: string): FakeObject {
  const object = structuredClone(old)
  const { metadata } = object
  const finalizers = new Set(metadata.finalizers)
  if (wish.policy === 'Foreground') finalizers.add('foregroundDeletion')
  if (wish.policy === 'Orphan') finalizers.add('orphan')
  if (finalizers.size > 0) metadata.finalizers = [...finalizers]
  metadata.deletionTimestamp ??= now
  metadata.deletionGracePeriodSeconds = graceOf(object, wish)
  if (object.kind === 'Namespace') object.status = { ...(object.status as object), phase: 'Terminating' }
  return object
}

/** A pod on a node is left to the node to end. */
function graceOf(object: FakeObject, wish: DeleteWish): number {
  const spec = object.spec as { nodeName?: string } | undefined
  return object.kind === 'Pod' && spec?.nodeName ? (wish.graceSeconds ?? 30) : 0
}

function isReleased({ metadata, kind, spec }: FakeObject): boolean {
  const held = kind === 'Namespace' ? ((spec as { finalizers?: string[] } | undefined)?.finalizers ?? []) : []
  const isHeld =
    held.length > 0 || (metadata.finalizers ?? []).length > 0 || (metadata.deletionGracePeriodSeconds ?? 0) > 0
  return metadata.deletionTimestamp !== undefined && !isHeld
}
