import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { type Registry, type Resource, resourceKey } from '#core/registry/registry.ts'
import { equalJson } from '#core/schema/json.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'
import type { Storage } from '#core/storage/storage.ts'
import { claimPrefix, claimsOf, type GroupResource, mentionsOf } from './claims.ts'
import type { Surroundings } from './constrained-write.ts'
import type { Extensions, Index, Reference, Unique } from './extensions.ts'
import { ResourceConstraints } from './resource-constraints.ts'
import { type Column, ResourceIndex } from './resource-index.ts'
import { selectorValues } from './selector-values.ts'

/** A resource whose schema uses extensions. */
interface Extended {
  resource: Resource
  extensions: Extensions
  index: ResourceIndex<UnstructuredObject>
  constraints: ResourceConstraints
}

const none: Extensions = { unique: [], references: [], indexes: [] }

/**
 * Gives resources their constraints and their caches their indexes, as their definitions come, change and go. A resource that
 * neither uses an extension nor is named by one that does is not touched.
 */
export class Constraints {
  readonly #registry: Registry
  readonly #storage: Storage
  readonly #log: Logger
  readonly #extended = new Map<string, Extended>()
  readonly #world: Surroundings

  constructor({
    registry,
    storage,
    cacher,
    log,
  }: { registry: Registry; storage: Storage; cacher: Cacher; log: Logger }) {
    this.#registry = registry
    this.#storage = storage
    this.#log = log
    this.#world = {
      storage,
      synced: cacher.synced,
      resource: (of) => this.#find(of),
      holdersOf: (resource) => this.#holdersOf(resource),
      constraintsOf: (of) => this.#extended.get(resourceKey(of))?.constraints,
    }
  }

  start(): void {
    for (const resource of this.#registry.all()) this.#installed(resource)
    this.#registry.onInstall({
      installed: (resource) => this.#installed(resource),
      removed: (resource) => this.#removed(resource),
    })
  }

  #installed(resource: Resource): void {
    const { extensions } = resource.definition
    const key = resourceKey(resource.definition)
    const before = this.#extended.get(key)
    if (before && !equalJson(before.extensions, extensions)) this.#drop(key, before)
    if (extensions) this.#extend(key, resource, extensions)
    if (this.#extended.size > 0) this.#attach(resource)
    if (before && extensions) this.#clear(before, extensions)
    this.#attachNamed(before?.extensions)
    this.#attachNamed(extensions)
  }

  /** Who is named by references, or no longer so. */
  #attachNamed({ references }: Extensions = none): void {
    for (const reference of references) {
      const named = this.#find(reference)
      if (named) this.#attach(named)
    }
  }

  #removed(resource: Resource): void {
    const key = resourceKey(resource.definition)
    const known = this.#extended.get(key)
    if (!known) return
    this.#drop(key, known)
    this.#attachNamed(known.extensions)
    this.#clear(known, none)
  }

  #extend(key: string, resource: Resource, extensions: Extensions): void {
    const index = this.#extended.get(key)?.index ?? newIndex(resource, extensions)
    const constraints = new ResourceConstraints(resource, extensions, index, this.#world)
    this.#extended.set(key, { resource, extensions, index, constraints })
    const first = extensions.unique.length + extensions.references.length
    const columns = new Map(extensions.indexes.map(({ field }, at) => [field, first + at]))
    resource.cache.lookup =
      columns.size === 0
        ? undefined
        : (field, value) => {
            const column = columns.get(field)
            return column !== undefined && index.isReady ? index.keysWith(column, value) : undefined
          }
  }

  #drop(key: string, { index, resource }: Extended): void {
    this.#extended.delete(key)
    index.stop()
    resource.cache.lookup = undefined
  }

  /** Gives a resource what its writes have to keep to, if anything. */
  #attach(resource: Resource): void {
    const own = this.#extended.get(resourceKey(resource.definition))
    const isNamed = !this.#holdersOf(resource).next().done
    const keeps = own && own.extensions.unique.length + own.extensions.references.length > 0
    if (keeps) resource.constraints = own.constraints
    else resource.constraints = isNamed ? new ResourceConstraints(resource, none, undefined, this.#world) : undefined
  }

  *#holdersOf(resource: Resource): Generator<ResourceConstraints> {
    for (const { extensions, constraints } of this.#extended.values()) {
      const names = (one: Reference) => one.onDelete === 'restrict' && namesResource(one, resource)
      if (extensions.references.some(names)) yield constraints
    }
  }

  #find({ group, resource, kind }: { group: string; resource?: string; kind?: string }): Resource | undefined {
    if (resource) return this.#registry.get(group, resource)
    const definition = this.#registry.groups.get(group)?.find((one) => one.kind === kind && !one.keelson?.virtual)
    return definition && this.#registry.get(group, definition.resource)
  }

  /** Removes the keys of unique values that are no longer to be so. What is missed harms nobody. */
  #clear({ resource, extensions }: Extended, now: Extensions): void {
    const gone = extensions.unique.filter((one) => !now.unique.some((other) => equalJson(one, other)))
    for (const unique of gone) {
      this.#clearClaims(resource.home, unique).catch((error) => {
        this.#log.warn('claims not cleared', { resource: resource.definition.resource, error })
      })
    }
  }

  async #clearClaims(of: GroupResource, unique: Unique): Promise<void> {
    const prefix = claimPrefix(of, unique)
    for (;;) {
      const { items, more } = await this.#storage.list(prefix, { limit: clearedAtOnce })
      const cleared = await Promise.allSettled(
        items.map(({ key, modRevision }) => this.#storage.delete(key, modRevision)),
      )
      // Those that others clear away as well need no second look.
      if (!more || cleared.every(({ status }) => status === 'rejected')) return
    }
  }
}

const clearedAtOnce = 256

function namesResource(reference: Reference, { definition }: Resource): boolean {
  if (reference.group !== definition.group) return false
  return reference.resource ? reference.resource === definition.resource : reference.kind === definition.kind
}

function newIndex(resource: Resource, { unique, references, indexes }: Extensions): ResourceIndex<UnstructuredObject> {
  const columns = [...unique.map(claimColumn), ...references.map(mentionColumn), ...indexes.map(selectorColumn)]
  return new ResourceIndex(resource.cache, columns, (entry) => reviveObject(entry.bytes))
}

export function claimColumn(unique: Unique): Column<UnstructuredObject> {
  return { valuesOf: (object) => once(claimsOf(object, unique).map(({ value }) => value)) }
}

function mentionColumn(reference: Reference): Column<UnstructuredObject> {
  return { valuesOf: (object) => once(mentionsOf(object, reference).map(({ target }) => target)) }
}

function selectorColumn(index: Index): Column<UnstructuredObject> {
  return { valuesOf: (object) => once(selectorValues(object, index.place)) }
}

function once(values: string[]): string[] {
  return values.length < 2 ? values : [...new Set(values)]
}
