import type { DeleteOptions, UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Admission, AdmissionRequest, Operation } from '#apis/plugin/v1/admission.ts'
import {
  findStatusError,
  isAlreadyExists,
  isNotFound,
  newBadRequest,
  newConflict,
  newGenerateNameConflict,
  newInvalid,
  newMethodNotSupported,
  newModified,
  newNotFound,
  newRequestEntityTooLarge,
} from '#core/errors/status-error.ts'
import {
  encodeObject,
  ownersText,
  reviveObject,
  reviveWhole,
  spliceResourceVersion,
} from '#core/machinery/canonical.ts'
import { canonicalText } from '#core/schema/json.ts'
import type { UserInfo } from '#core/server/exchange.ts'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import { CacheEntry } from '#core/storage/cacher/entry.ts'
import { type Also, type Storage, StorageError, type WriteOptions } from '#core/storage/storage.ts'
import { type Application, applyConfiguration } from './apply-configuration.ts'
import { type DecodeOptions, decodeInTurns, decodeObject, validateObject } from './decode.ts'
import { isReadyToRemove, planDeletion } from './deletion.ts'
import { isLarge, nextTurn } from './large-objects.ts'
import { takeOwners, trackCreate, trackUpdate } from './managed-fields.ts'
import { dropRepeatedOwners, generateName, setCreationMetadata, setUpdateMetadata, warnOf } from './metadata.ts'
import type { Resource, ServedVersion } from './registry.ts'
import { mayBeWritten, type Reservations, withReservation } from './reservations.ts'
import { isStorageConflict, translateStorageError } from './translate-errors.ts'
import { WriteLine } from './write-line.ts'

/** What every write is told beside its object. */
export interface WriteContext extends DecodeOptions {
  user: UserInfo
  dryRun: boolean
  /** Who owns the fields that the write sets; absent: owners stay as they are. */
  manager?: string
  /** What the client asked for beside the object, for admission to see. */
  options?(): Record<string, unknown>
  /** What admission is shown of a write to a subresource that takes objects of another kind; absent: the objects themselves. */
  shownAs?: ShownAs
  /** Whether admission judged a deletion already, as something else. */
  isAdmitted?: boolean
}

/** The objects of a resource as a subresource of it has them: a Deployment as a Scale. */
export interface ShownAs {
  /** Of what is posted; absent: an update. */
  operation?: Operation
  show(object: Readonly<UnstructuredObject>): UnstructuredObject
  /** Takes over what admission changed. */
  put?(object: UnstructuredObject, shown: Readonly<UnstructuredObject>): void
}

export interface ObjectName {
  /** Empty for cluster scope. */
  namespace: string
  name: string
}

/** How many times an unconditional write is tried against concurrent ones before the client hears of a Conflict. */
const maxAttempts = 20
/** 3 MiB, as a request's body. */
export const maxObjectBytes = 3 * 1024 * 1024
const maxNameAttempts = 8
/** How many times an object may come or go while a configuration is applied to it. */
const maxApplyAttempts = 8
const cacheWaitMs = 1_000
const historyPageSize = 1_000

/**
 * Makes the new state (parsed JSON, to be changed in place) out of the current one, both in the served version; called again
 * when somebody else was faster.
 */
export type Change = (current: CacheEntry) => unknown | Promise<unknown>

/** An object as it is stored, and as the served version shows it. */
interface Found {
  current: CacheEntry
  shown: CacheEntry
}

/**
 * Reads and writes objects of any resource: the way of every write through decoding, defaults, admission, validation
 * and the store. Nobody else reads or writes objects there. Answers are bytes in the served version.
 */
export class ResourceStore {
  readonly #storage: Storage
  readonly #admission: Admission
  readonly #now: () => number
  readonly #line = new WriteLine()

  constructor(options: { storage: Storage; admission: Admission; now?: () => number }) {
    this.#storage = options.storage
    this.#admission = options.admission
    this.#now = options.now ?? Date.now
  }

  /** @throws StatusError NotFound */
  get(resource: Resource, at: ObjectName): CacheEntry {
    const entry = resource.cache.get(keyOf(at))
    if (!entry) throw newNotFound(resource.definition, at.name)
    return entry
  }

  /**
   * The objects as they were at a revision, from the store's history.
   * @throws StatusError Expired when the history from then is gone
   */
  async listAt(
    resource: Resource,
    keyPrefix: string,
    revision: number,
    options: { limit: number; after: string; matches?: (entry: CacheEntry) => boolean },
  ): Promise<{ entries: CacheEntry[]; more: boolean }> {
    const base = storageKey(resource.home.group, resource.home.resource, '')
    const entries: CacheEntry[] = []
    let after = options.after
    try {
      for (;;) {
        const page = await this.#storage.list(base + keyPrefix, {
          revision,
          limit: historyPageSize,
          ...(after && { after: base + after }),
        })
        for (const { key, value, modRevision } of page.items) {
          after = key.slice(base.length)
          const entry = new CacheEntry(after, spliceResourceVersion(value, modRevision), modRevision)
          if (options.matches && !options.matches(entry)) continue
          if (options.limit && entries.length === options.limit) return { entries, more: true }
          entries.push(entry)
        }
        if (!page.more) return { entries, more: false }
      }
    } catch (error) {
      throw translateStorageError(error, resource.definition, '')
    }
  }

  /** @param value parsed JSON; changed in place */
  create(served: ServedVersion, namespace: string, value: unknown, context: WriteContext): Promise<Buffer> {
    return this.#create(served, namespace, value, context)
  }

  /** @param applied who owns what in an object that somebody applied; absent: that is found out here */
  async #create(
    served: ServedVersion,
    namespace: string,
    value: unknown,
    context: WriteContext,
    applied?: string,
  ): Promise<Buffer> {
    if (served.resource.definition.terminating) throw terminating(served)
    const inTurns = isLargeWrite(context)
    const object = inTurns ? await decodeInTurns(value, served, context) : decodeObject(value, served, context)
    dropRepeatedOwners(object, context.warn)
    checkNamespace(object, namespace)
    // Admission is to see where the object will be.
    if (namespace) object.metadata.namespace = namespace
    const sent = takeOwners(object)
    const { manager } = context
    const owners = applied ?? (manager === undefined ? '' : trackCreate(object, sent, served, manager, this.#now()))
    const request = this.#admissionRequest(
      'CREATE',
      served,
      { namespace, name: object.metadata.name ?? '' },
      '',
      context,
    )
    const isNamed = Boolean(object.metadata.name)
    request.object = object
    const mutating = this.#admission.mutate(request)
    if (mutating) await mutating
    const { resource } = served
    setCreationMetadata(object, resource, namespace, this.#now())
    dropStatus(object, served)
    resource.rules.prepareCreate?.(object)
    request.name = object.metadata.name ?? ''
    if (inTurns) await nextTurn()
    if (inTurns) await resource.prejudge?.(object)
    validateObject(object, undefined, served, '')
    warnOf(object, undefined, resource, context.warn)
    if (inTurns) await nextTurn()
    const { reservations } = resource
    // What is reserved is reserved for this name.
    const isFixed = isNamed || reservations !== undefined
    return this.#judgeAndWrite(request, reservations, () => this.#insert(served, object, owners, context, isFixed))
  }

  /** Has the whole object judged, and writes it. What was taken for it is given back when it is not written. */
  #judgeAndWrite(
    request: AdmissionRequest,
    reservations: Reservations | undefined,
    write: () => Promise<Buffer>,
  ): Promise<Buffer> {
    const judge = () => this.#admission.validate(request)
    const finish = () => orRelease(request, write())
    if (reservations) {
      const { object, oldObject, dryRun } = request
      const reserving = reservations.reserve(object!, oldObject, dryRun)
      return reserving.then((reservation) => withReservation(reservation, judge, finish))
    }
    const judging = judge()
    return judging ? judging.then(finish) : finish()
  }

  /** @param isNamed so that no other name may be tried */
  async #insert(
    served: ServedVersion,
    object: UnstructuredObject,
    owners: string,
    context: WriteContext,
    isNamed: boolean,
  ): Promise<Buffer> {
    const { resource } = served
    for (let attempt = 1; ; attempt++) {
      const at = nameOf(object)
      const key = keyIn(resource, at)
      const encoding = encodeForStorage(object, served, owners)
      const bytes = encoding instanceof Promise ? await encoding : encoding
      try {
        if (context.dryRun) return await this.#dryCreate(served, at, bytes)
        const write = (also?: Also) => this.#storage.create(key, bytes, withAlso(resource.rules, also))
        const { constraints } = resource
        const revision = await (constraints ? constraints.guard({ key: keyOf(at), after: bytes }, write) : write())
        return await written(served, at, bytes, revision)
      } catch (error) {
        const base = object.metadata.generateName
        const taken = error instanceof StorageError && error.code === 'KeyExists'
        if (!taken || !base) throw translateStorageError(error, resource.definition, at.name)
        if (isNamed || attempt === maxNameAttempts) throw newGenerateNameConflict(resource.definition, at.name)
        object = structuredClone(object)
        object.apiVersion = served.apiVersion
        object.metadata.name = generateName(base)
      }
    }
  }

  async #dryCreate(served: ServedVersion, at: ObjectName, bytes: Buffer): Promise<Buffer> {
    const { cache, constraints } = served.resource
    const key = keyOf(at)
    if (cache.get(key)) throw new StorageError('KeyExists', `key ${keyIn(served.resource, at)} exists`)
    await constraints?.check({ key, after: bytes })
    return bytesShown(served, at, bytes)
  }

  /**
   * Replaces an object by what `change` makes of it.
   * @param subresource empty for the object itself; `status` keeps everything but the status, others decide for themselves
   */
  async update(
    served: ServedVersion,
    at: ObjectName,
    subresource: string,
    change: Change,
    context: WriteContext,
  ): Promise<Buffer> {
    return this.#attempt(served.resource, at, async (current) => {
      const shown = await served.show(current)
      if (isLargeWrite(context, shown)) await nextTurn()
      return this.#replace(served, at, subresource, { current, shown }, await change(shown), context)
    })
  }

  /**
   * Applies a configuration to an object, or makes the object of it.
   * @param read gives it afresh for each try, since what is stored is made of it in place
   * @param mayCreate throws when an object that is not there shall stay so
   */
  async apply(
    served: ServedVersion,
    at: ObjectName,
    subresource: string,
    read: () => Application,
    mayCreate: () => void,
    context: WriteContext,
  ): Promise<{ bytes: Buffer; created: boolean }> {
    const write = async (current: CacheEntry) => {
      const shown = await served.show(current)
      const inTurns = isLargeWrite(context, shown)
      if (inTurns) await nextTurn()
      const live = { object: reviveObject(shown.bytes), owners: ownersText(shown.bytes) }
      if (inTurns) await nextTurn()
      const { object, owners } = await applyConfiguration(served, live, read(), this.#now(), inTurns)
      return this.#replace(served, at, subresource, { current, shown }, object, context, owners)
    }
    for (let attempt = 1; ; attempt++) {
      const isThere = served.resource.cache.get(keyOf(at)) !== undefined
      try {
        if (isThere) return { bytes: await this.#attempt(served.resource, at, write), created: false }
        mayCreate()
        const inTurns = isLargeWrite(context)
        const { object, owners } = await applyConfiguration(served, undefined, read(), this.#now(), inTurns)
        if (inTurns) await nextTurn()
        return { bytes: await this.#create(served, at.namespace, object, context, owners), created: true }
      } catch (error) {
        if (attempt === maxApplyAttempts || !isOvertaken(error, at, isThere)) throw error
        await this.#whenCached(served.resource, at, !isThere)
      }
    }
  }

  /** Resolves when the cache has heard that an object came or went, or after a while. */
  async #whenCached({ cache }: Resource, at: ObjectName, isThere: boolean): Promise<void> {
    const key = keyOf(at)
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => (cache.get(key) !== undefined) === isThere && resolve()
    const stop = cache.onChange(look)
    const timer = setTimeout(resolve, cacheWaitMs)
    look()
    await promise
    stop()
    clearTimeout(timer)
  }

  /**
   * Makes a write out of the current state, again whenever somebody else was faster. A write that named a resourceVersion
   * finds it outdated in the second round and ends there.
   */
  async #attempt<T>(resource: Resource, at: ObjectName, write: (current: CacheEntry) => Promise<T>): Promise<T> {
    const key = keyIn(resource, at)
    try {
      if (!this.#line.isFormed(key)) {
        try {
          return await write(this.get(resource, at))
        } catch (error) {
          if (!isStorageConflict(error)) throw error
        }
      }
      return await this.#line.take(key, () => this.#attemptInTurn(resource, at, write))
    } catch (error) {
      throw translateStorageError(error, resource.definition, at.name)
    }
  }

  async #attemptInTurn<T>(resource: Resource, at: ObjectName, write: (current: CacheEntry) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      await this.#line.whenWritten(keyIn(resource, at))
      try {
        return await write(await this.#freshEntry(resource, at))
      } catch (error) {
        if (!isStorageConflict(error) || attempt === maxAttempts) throw error
      }
    }
  }

  /** @param applied who owns what in an object that somebody applied; absent: that is found out here */
  async #replace(
    served: ServedVersion,
    at: ObjectName,
    subresource: string,
    { current, shown }: Found,
    value: unknown,
    context: WriteContext,
    applied?: string,
  ): Promise<Buffer> {
    const { resource } = served
    const inTurns = isLargeWrite(context, shown)
    if (inTurns) await nextTurn()
    const old = reviveObject(shown.bytes)
    if (inTurns) await nextTurn()
    const object = inTurns ? await decodeInTurns(value, served, context) : decodeObject(value, served, context)
    dropRepeatedOwners(object, context.warn)
    checkIdentity(object, old, at, resource)
    const sent = takeOwners(object)
    keepOtherHalf(object, old, served, subresource)
    const live = ownersText(shown.bytes)
    const { manager: name } = context
    const owners =
      applied ??
      (name === undefined
        ? live
        : await trackUpdate(
            { object, old, live, sent },
            served,
            { name, operation: 'Update', subresource },
            this.#now(),
          ))
    if (inTurns) await nextTurn()
    const request = this.#admissionRequest('UPDATE', served, at, subresource, context)
    request.object = object
    request.oldObject = old
    const { shownAs } = context
    if (shownAs) showAs(request, shownAs)
    const mutating = this.#admission.mutate(request)
    if (mutating) await mutating
    shownAs?.put?.(object, request.object)
    setUpdateMetadata(object, old, resource)
    resource.rules.prepareUpdate?.(object, old, subresource)
    if (inTurns) await nextTurn()
    if (inTurns && subresource === '') await resource.prejudge?.(object, { object: old, bytes: shown.bytes })
    validateObject(object, old, served, subresource, context.warn)
    if (subresource === '') warnOf(object, old, resource, context.warn)
    if (inTurns) await nextTurn()
    const reserves = subresource === '' && !isReadyToRemove(object, resource.rules)
    const write = () => this.#store(served, at, current, object, owners, context)
    return this.#judgeAndWrite(request, reserves ? resource.reservations : undefined, write)
  }

  async #store(
    served: ServedVersion,
    at: ObjectName,
    current: CacheEntry,
    object: UnstructuredObject,
    owners: string,
    context: WriteContext,
  ): Promise<Buffer> {
    const { resource } = served
    const encoding = encodeForStorage(object, served, owners)
    const bytes = encoding instanceof Promise ? await encoding : encoding
    const asBefore = spliceResourceVersion(bytes, current.revision)
    if (isReadyToRemove(object, resource.rules)) {
      if (!context.dryRun) await this.#remove(resource, at, current)
      return bytesShown(served, at, asBefore)
    }
    const { constraints } = resource
    const change = { key: keyOf(at), before: current.bytes, after: bytes }
    if (context.dryRun) await constraints?.check(change)
    if (context.dryRun || isSameState(served, asBefore, current.bytes)) return bytesShown(served, at, asBefore)
    const key = keyIn(resource, at)
    const write = (also?: Also) =>
      this.#line.write(key, () => this.#storage.update(key, bytes, current.revision, withAlso(resource.rules, also)))
    const revision = await (constraints ? constraints.guard(change, write) : write())
    return written(served, at, bytes, revision)
  }

  /**
   * Deletes, or marks as being deleted what finalizers or a grace period hold.
   * @returns the object in its last state, and whether it is gone
   */
  async delete(
    served: ServedVersion,
    at: ObjectName,
    options: DeleteOptions,
    context: WriteContext,
  ): Promise<{ removed: boolean; bytes: Buffer; object: UnstructuredObject }> {
    return this.#attempt(served.resource, at, async (current) => {
      const shown = await served.show(current)
      const object = reviveObject(shown.bytes)
      checkPreconditions(object, options, served.resource)
      if (!context.isAdmitted) {
        const request = this.#admissionRequest('DELETE', served, at, '', context)
        request.oldObject = object
        await this.#admission.mutate(request)
        await this.#admission.validate(request)
      }
      return this.#deleteOnce(served, at, { current, shown }, object, options, context)
    })
  }

  async #deleteOnce(
    served: ServedVersion,
    at: ObjectName,
    { current, shown }: Found,
    object: UnstructuredObject,
    options: DeleteOptions,
    context: WriteContext,
  ): Promise<{ removed: boolean; bytes: Buffer; object: UnstructuredObject }> {
    const { resource } = served
    const plan = planDeletion(object, options, resource.rules, this.#now())
    if (plan.action === 'wait') return { removed: false, bytes: shown.bytes, object }
    if (plan.action === 'remove' || isReadyToRemove(plan.object, resource.rules)) {
      if (!context.dryRun) await this.#remove(resource, at, current)
      else await resource.constraints?.check({ key: keyOf(at), before: current.bytes })
      return { removed: true, bytes: shown.bytes, object }
    }
    const bytes = await encodeForStorage(plan.object, served, ownersText(current.bytes))
    const { constraints } = resource
    const change = { key: keyOf(at), before: current.bytes, after: bytes, isDeletion: true }
    if (context.dryRun) {
      await constraints?.check(change)
      return { removed: false, bytes: await bytesShown(served, at, bytes), object: plan.object }
    }
    const key = keyIn(resource, at)
    const write = (also?: Also) =>
      this.#line.write(key, () => this.#storage.update(key, bytes, current.revision, withAlso({}, also)))
    const revision = await (constraints ? constraints.guard(change, write) : write())
    return { removed: false, bytes: await written(served, at, bytes, revision), object: plan.object }
  }

  async #remove(resource: Resource, at: ObjectName, current: CacheEntry): Promise<void> {
    const key = keyIn(resource, at)
    const { constraints } = resource
    const write = (also?: Also) =>
      this.#line.write(key, () => this.#storage.delete(key, current.revision, withAlso({}, also)))
    await (constraints ? constraints.guard({ key: keyOf(at), before: current.bytes }, write) : write())
    await resource.reservations?.release(reviveObject(current.bytes))
  }

  /** The latest state, past what the cache may not have heard of yet. @throws StatusError NotFound */
  async #freshEntry(resource: Resource, at: ObjectName): Promise<CacheEntry> {
    const key = keyOf(at)
    const stored = await this.#storage.get(keyIn(resource, at))
    if (!stored) throw newNotFound(resource.definition, at.name)
    const cached = resource.cache.get(key)
    if (cached && cached.revision >= stored.modRevision) return cached
    return new CacheEntry(key, spliceResourceVersion(stored.value, stored.modRevision), stored.modRevision)
  }

  /**
   * Has admission judge what is not stored: what is posted to a subresource, or asked of a connection.
   * @throws StatusError when it is refused
   */
  async admit(
    operation: 'CREATE' | 'CONNECT',
    served: ServedVersion,
    at: ObjectName,
    subresource: string,
    object: UnstructuredObject,
    context: WriteContext,
  ): Promise<void> {
    const request = this.#admissionRequest(operation, served, at, subresource, context)
    request.kind = object.kind
    request.object = object
    await this.#admission.mutate(request)
    await this.#admission.validate(request)
  }

  #admissionRequest(
    operation: Operation,
    served: ServedVersion,
    at: ObjectName,
    subresource: string,
    context: WriteContext,
  ): AdmissionRequest {
    const { group, resource, kind } = served.resource.definition
    const { options } = context
    const optionsKind = optionsKinds[operation]
    return {
      operation,
      group,
      version: served.definition.name,
      kind,
      resource,
      subresource,
      namespace: at.namespace,
      name: at.name,
      user: context.user,
      dryRun: context.dryRun,
      ...(options &&
        optionsKind && { options: () => ({ kind: optionsKind, apiVersion: 'meta.k8s.io/v1', ...options() }) }),
      warn: context.warn,
    }
  }
}

const optionsKinds: Readonly<Partial<Record<Operation, string>>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
}

function withAlso(options: WriteOptions, also: Also | undefined): WriteOptions {
  return also ? { ...options, also } : options
}

/** Lets admission see the objects of a request as its subresource has them. */
function showAs(request: AdmissionRequest, { operation = 'UPDATE', show }: ShownAs): void {
  request.operation = operation
  request.object = show(request.object!)
  request.kind = request.object.kind
  if (operation === 'UPDATE') request.oldObject = show(request.oldObject!)
  else delete request.oldObject
}

const isLargeWrite = ({ bodyLength = 0 }: WriteContext, shown?: CacheEntry) =>
  isLarge(Math.max(bodyLength, shown?.length ?? 0))

/** Whether an object came where there was none, or went, before it could be written. */
function isOvertaken(error: unknown, { name }: ObjectName, wasThere: boolean): boolean {
  if (findStatusError(error)?.status.details?.name !== name) return false
  return wasThere ? isNotFound(error) : isAlreadyExists(error)
}

/** What `keyOf` made the key of. */
export function nameOfKey(key: string): ObjectName {
  const slash = key.indexOf('/')
  return { namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The key within a resource: `namespace/name` or `name`. */
export function keyOf(at: ObjectName): string {
  return at.namespace ? `${at.namespace}/${at.name}` : at.name
}

/** The key within the store. */
function keyIn({ home }: Resource, at: ObjectName): string {
  return storageKey(home.group, home.resource, keyOf(at))
}

/** @throws StatusError RequestEntityTooLarge: patches may make an object larger than any request */
function encodeForStorage(object: UnstructuredObject, served: ServedVersion, owners: string): Buffer | Promise<Buffer> {
  const stored = served.toStorage(object)
  return stored instanceof Promise ? stored.then((one) => encodeBounded(one, owners)) : encodeBounded(stored, owners)
}

function encodeBounded(object: UnstructuredObject, owners: string): Buffer {
  const bytes = encodeObject(object, object, owners)
  if (bytes.length > maxObjectBytes) throw newRequestEntityTooLarge(`limit is ${maxObjectBytes}`)
  return bytes
}

/** Whether a write would change nothing. What has been converted may have its fields in another order. */
function isSameState(served: ServedVersion, bytes: Buffer, current: Buffer): boolean {
  if (bytes.equals(current)) return true
  if (served.isStorage || bytes.length !== current.length) return false
  return canonicalText(reviveWhole(bytes)) === canonicalText(reviveWhole(current))
}

/** What was written as the client sees it: the cache's copy where it is still that one. */
function written(served: ServedVersion, at: ObjectName, bytes: Buffer, revision: number): Buffer | Promise<Buffer> {
  const entry = served.resource.cache.get(keyOf(at))
  if (entry?.revision !== revision) return bytesShown(served, at, spliceResourceVersion(bytes, revision))
  return bytesOf(served.show(entry))
}

/** What is to be stored, or just was, as the client sees it. */
function bytesShown(served: ServedVersion, at: ObjectName, bytes: Buffer): Buffer | Promise<Buffer> {
  if (served.isStorage) return bytes
  return bytesOf(served.show(new CacheEntry(keyOf(at), bytes, Number.MAX_SAFE_INTEGER)))
}

function bytesOf(shown: CacheEntry | Promise<CacheEntry>): Buffer | Promise<Buffer> {
  return shown instanceof Promise ? shown.then(({ bytes }) => bytes) : shown.bytes
}

function nameOf({ metadata }: UnstructuredObject): ObjectName {
  return { namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
}

function terminating({ resource }: ServedVersion): Error {
  const error = newMethodNotSupported(resource.definition, 'create')
  error.status.message = 'create not allowed while custom resource definition is terminating'
  return error
}

function checkNamespace(object: UnstructuredObject, namespace: string): void {
  const given = object.metadata.namespace
  if (given && namespace && given !== namespace) {
    throw newBadRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  }
}

/** Gives back what admission took for a write that is not done in the end. */
function orRelease<T>({ release }: AdmissionRequest, writing: Promise<T>): Promise<T> {
  if (!release) return writing
  return writing.catch(async (error) => {
    if (!mayBeWritten(error)) await release()
    throw error
  })
}

/** The object sent must be the one named in the path, and the one that is there. */
function checkIdentity(object: UnstructuredObject, old: UnstructuredObject, at: ObjectName, resource: Resource): void {
  const { definition, rules } = resource
  const { metadata } = object
  metadata.name ??= at.name
  if (metadata.name !== at.name) {
    throw newBadRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${at.name})`)
  }
  checkNamespace(object, at.namespace)
  if (at.namespace) metadata.namespace = at.namespace
  else delete metadata.namespace
  if (metadata.uid && metadata.uid !== old.metadata.uid) {
    throw newConflict(
      definition,
      at.name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid}`,
    )
  }
  if (metadata.resourceVersion) {
    if (metadata.resourceVersion !== old.metadata.resourceVersion) throw newModified(definition, at.name)
  } else if (!definition.builtin || rules.requiresResourceVersion) {
    throw newInvalid(definition, at.name, [
      {
        reason: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ])
  }
}

function checkPreconditions(object: UnstructuredObject, options: DeleteOptions, { definition }: Resource): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { metadata } = object
  const of = { group: definition.group, resource: definition.kind }
  if ((uid ?? metadata.uid) !== metadata.uid) {
    throw newConflict(
      of,
      metadata.name ?? '',
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if ((resourceVersion ?? metadata.resourceVersion) !== metadata.resourceVersion) {
    throw newConflict(
      of,
      metadata.name ?? '',
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

/** Where status is a subresource, a create does not set it. */
function dropStatus(object: UnstructuredObject, served: ServedVersion): void {
  if (served.definition.subresources.status && !served.resource.rules.statusOnCreate) delete object.status
}

/** A write of the object keeps the old status; a write of the status keeps everything else. */
export function keepOtherHalf(
  object: UnstructuredObject,
  old: UnstructuredObject,
  served: ServedVersion,
  subresource: string,
): void {
  if (!served.definition.subresources.status) return
  if (subresource === '') {
    setOrDelete(object, 'status', old.status)
    return
  }
  if (subresource !== 'status') return
  for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (field !== 'status' && field !== 'metadata') setOrDelete(object, field, old[field])
  }
  const { labels, annotations } = object.metadata
  const { resourceVersion } = object.metadata
  object.metadata = { ...structuredClone(old.metadata), resourceVersion }
  if (!served.resource.definition.builtin) return
  const metadata = object.metadata as Record<string, unknown>
  setOrDelete(metadata, 'labels', labels)
  setOrDelete(metadata, 'annotations', annotations)
}

function setOrDelete(object: Record<string, unknown>, field: string, value: unknown): void {
  if (value === undefined) delete object[field]
  else object[field] = value
}
