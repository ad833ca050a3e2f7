import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { extensionMark } from '#core/constraints/extensions.ts'
import { isConflict, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { equalJson } from '#core/schema/json.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import { asServer } from '../as-server.ts'
import { isLarge } from '../large-objects.ts'
import type { Registry } from '../registry.ts'
import type { ResourceDefinition } from '../resource.ts'
import { nameOfKey, type ResourceStore } from '../resource-store.ts'
import { conditionsOf, isTrue, type NameConflict, nameConflicts, withCondition } from './conditions.ts'
import { definitionOf } from './definition.ts'
import { LargeDefinitions } from './large-definitions.ts'
import { NameReservations } from './name-reservations.ts'
import { cleanupFinalizer } from './rules.ts'
import { extensionsOfStored } from './schema-facts.ts'
import { StoredSchemas } from './stored-schemas.ts'

const group = 'apiextensions.k8s.io'
const resource = 'customresourcedefinitions'

/** A definition that is served. */
interface Installed {
  generation: number
  schemas: StoredSchemas
}

/**
 * Serves what CustomResourceDefinitions define: a definition is installed in the same turn in which the object enters
 * the cache, so who created it finds its kind served. Keeps their conditions, and cleans up behind a deleted one. What a
 * change of one costs does not grow with the number of the others, but of those in its group.
 */
export class CustomResources {
  readonly #registry: Registry
  readonly #store: ResourceStore
  readonly #log: Logger
  readonly #installed = new Map<string, Installed>()
  /** The groups of those that are not served because somebody else has one of their names, by name. */
  readonly #waiting = new Map<string, string>()
  /** Definitions whose objects are being removed. */
  readonly #draining = new Set<string>()
  readonly #now: () => Date

  constructor(options: { registry: Registry; store: ResourceStore; log: Logger; now?: () => Date }) {
    this.#registry = options.registry
    this.#store = options.store
    this.#log = options.log
    this.#now = options.now ?? (() => new Date())
  }

  start(): void {
    const definitions = this.#registry.get(group, resource)!
    definitions.reservations = new NameReservations(() => this.#registry.groups, this.#now)
    const large = new LargeDefinitions()
    definitions.prejudge = (crd, old) => {
      if (old) this.#remember(old.object as unknown as CustomResourceDefinition)
      return large.prejudge(crd, old)
    }
    const { cache } = definitions
    // Who has a name keeps it: a definition that waits for it must not be first only because of the alphabet.
    const undecided: CacheEntry[] = []
    for (const entry of cache.list('').entries) {
      const crd = parse(entry)
      if (isTrue(crd.status, 'Established')) this.#apply(crd, entry)
      else undecided.push(entry)
    }
    for (const entry of undecided) this.#apply(parse(entry), entry)
    cache.onChange((change) => {
      if (change.type === 'DELETED') this.#forget(change.entry)
      else this.#takeOver(change.entry)
    })
  }

  #takeOver(entry: CacheEntry): void {
    const crd = parse(entry)
    this.#apply(crd, entry)
    if (isLarge(entry.length)) this.#remember(crd)
  }

  /** A large definition is read once for all who make use of it soon. */
  #remember(crd: CustomResourceDefinition): void {
    const { generation = 1, name = '' } = crd.metadata
    const known = this.#installed.get(name)
    if (known?.generation === generation) known.schemas.remember(crd)
  }

  #apply(crd: CustomResourceDefinition, entry: CacheEntry): void {
    this.#install(crd, entry)
    this.#settle(crd).catch((error) => {
      if (!isNotFound(error) && !isConflict(error))
        this.#log.error('custom resource definition not settled', { name: crd.metadata.name, error })
    })
  }

  /** Serves what the definition defines, unless somebody else has one of its names. */
  #install(crd: CustomResourceDefinition, entry: CacheEntry): void {
    const { generation = 1, name = '' } = crd.metadata
    const known = this.#installed.get(name)
    if (known?.generation === generation) {
      known.schemas.moveTo(entry)
    } else if (this.#conflictsOf(crd).length > 0) {
      if (!known) this.#waiting.set(name, crd.spec.group)
    } else {
      this.#serve(crd, entry)
      known?.schemas.release()
    }
  }

  #serve(crd: CustomResourceDefinition, entry: CacheEntry): void {
    const { generation = 1, name = '' } = crd.metadata
    const schemas = new StoredSchemas(entry)
    // What was served before is compared with it right away.
    if (this.#installed.has(name)) schemas.remember(crd)
    this.#waiting.delete(name)
    this.#installed.set(name, { generation, schemas })
    const definition = definitionOf(crd, (version) => schemas.of(version))
    this.#registry.install({ ...definition, ...extensionsOf(crd, entry) }, entry.revision)
  }

  #conflictsOf(crd: CustomResourceDefinition): NameConflict[] {
    return nameConflicts(crd, this.#registry.groups.get(crd.spec.group) ?? [])
  }

  #forget(entry: CacheEntry): void {
    const { metadata, spec } = parse(entry)
    const { name = '' } = metadata
    const known = this.#installed.get(name)
    this.#draining.delete(name)
    this.#waiting.delete(name)
    if (!known) return
    this.#installed.delete(name)
    this.#registry.remove({ group: spec.group, resource: spec.names.plural })
    known.schemas.release()
    this.#retryOthers(spec.group)
  }

  /** A name that has become free may be what another definition of the group waits for. */
  #retryOthers(freed: string): void {
    const { cache } = this.#registry.get(group, resource)!
    for (const [name, of] of this.#waiting) {
      const entry = of === freed ? cache.get(name) : undefined
      if (entry) this.#apply(parse(entry), entry)
    }
  }

  /** Brings status and finalizer to where they should be. */
  async #settle(crd: CustomResourceDefinition): Promise<void> {
    const { name = '', deletionTimestamp, finalizers = [] } = crd.metadata
    if (deletionTimestamp && finalizers.includes(cleanupFinalizer)) return this.#drain(crd)
    if (equalJson(crd.status, this.#statusOf(crd))) return
    const served = this.#registry.find(group, 'v1', resource)!
    await this.#store.update(
      served,
      { namespace: '', name },
      'status',
      (current) => {
        const object = parse(current)
        object.status = this.#statusOf(object)
        return object as unknown as UnstructuredObject
      },
      asServer,
    )
  }

  #statusOf(crd: CustomResourceDefinition): CustomResourceDefinition['status'] {
    return conditionsOf(crd, this.#conflictsOf(crd), this.#now())
  }

  async #drain(crd: CustomResourceDefinition): Promise<void> {
    const { name = '' } = crd.metadata
    if (this.#draining.has(name)) return
    this.#draining.add(name)
    try {
      const wasServed = this.#installed.has(name)
      if (wasServed) {
        await this.#tellTerminating(name, true, 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
        await this.#removeObjects(crd)
      }
      const reason = wasServed ? 'InstanceDeletionCompleted' : 'NeverEstablished'
      const message = wasServed ? 'removed all instances' : 'resource was never established'
      await this.#tellTerminating(name, false, reason, message)
      await this.#dropFinalizer(name)
    } finally {
      this.#draining.delete(name)
    }
  }

  async #tellTerminating(name: string, isGoingOn: boolean, reason: string, message: string): Promise<void> {
    const served = this.#registry.find(group, 'v1', resource)!
    const change = (current: CacheEntry) => {
      const crd = parse(current)
      crd.status = withCondition(crd.status, 'Terminating', isGoingOn, reason, message, this.#now())
      return crd as unknown as UnstructuredObject
    }
    await this.#store.update(served, { namespace: '', name }, 'status', change, asServer)
  }

  async #removeObjects(crd: CustomResourceDefinition): Promise<void> {
    const found = this.#registry.get(crd.spec.group, crd.spec.names.plural)
    if (!found) return
    const remove = async (entry: CacheEntry) => {
      // In its own version: whoever converts may be gone already.
      await this.#store.delete(found.versionOf(entry), nameOfKey(entry.key), {}, asServer).catch((error) => {
        if (!isNotFound(error)) throw error
      })
    }
    const { promise: drained, resolve, reject } = Promise.withResolvers<void>()
    const stop = found.cache.onChange(({ type, entry }) => {
      if (found.cache.size === 0) resolve()
      // A create that was under way when the deletion began comes behind the list below.
      else if (type === 'ADDED') setImmediate(() => remove(entry).catch(reject))
    })
    try {
      await inParallel(found.cache.list('').entries, remove)
      // Objects with finalizers go when their owners let them.
      if (found.cache.size > 0) await drained
    } finally {
      stop()
    }
  }

  async #dropFinalizer(name: string): Promise<void> {
    const served = this.#registry.find(group, 'v1', resource)!
    const change = (current: CacheEntry) => {
      const object = reviveObject(current.bytes)
      object.metadata.finalizers = (object.metadata.finalizers ?? []).filter((one) => one !== cleanupFinalizer)
      return object
    }
    await this.#store.update(served, { namespace: '', name }, '', change, asServer)
  }
}

const parse = (entry: CacheEntry) => reviveObject(entry.bytes) as unknown as CustomResourceDefinition

/** Most definitions use no extension: those are not walked through. */
function extensionsOf(crd: CustomResourceDefinition, entry: CacheEntry): Pick<ResourceDefinition, 'extensions'> {
  if (!entry.bytes.includes(extensionMark)) return {}
  const extensions = extensionsOfStored(crd.spec)
  return extensions ? { extensions } : {}
}

/** How many objects are removed at the same time: enough to fill the store's group commits. */
const concurrency = 64

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const worker = async () => {
    for (const item of waiting) await act(item)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}
