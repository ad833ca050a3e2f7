import type { Rules } from '#apis/meta/v1/rules.ts'
import { apiVersionOf, type UnstructuredObject } from '#apis/meta/v1/types.ts'
import {
  encodeObject,
  ownersText,
  replaceApiVersion,
  reviveObject,
  spliceResourceVersion,
} from '#core/machinery/canonical.ts'
import { type CompiledSchema, SchemaCompiler } from '#core/schema/compile.ts'
import { equalJson } from '#core/schema/json.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { factsExtractor, selectableFieldNames } from './facts.ts'
import type { Reservations } from './reservations.ts'
import type { DefinitionGroups, JsonSchema, ResourceDefinition, VersionDefinition } from './resource.ts'

export type SchemaTypes = Readonly<Record<string, JsonSchema>>

/** The resources this server serves, and where the objects of each are. */
export class Registry {
  readonly #cacher: Cacher
  readonly #rules: ReadonlyMap<string, Rules>
  readonly #byResource = new Map<string, Resource>()
  readonly #groups = new Map<string, readonly ResourceDefinition[]>()
  readonly #builtinCompiler: SchemaCompiler
  /** Custom schemas name no types, so that all of them may share one. */
  readonly #customCompiler = new SchemaCompiler({})
  readonly #listeners = new Set<() => void>()
  #generation = 0

  /**
   * @param types the named schemas that built-in definitions refer to
   * @param rules by `group/resource`, `core` for the core group
   */
  constructor(options: { cacher: Cacher; types: SchemaTypes; rules: ReadonlyMap<string, Rules> }) {
    this.#cacher = options.cacher
    this.#rules = options.rules
    this.#builtinCompiler = new SchemaCompiler(options.types, { builtin: true })
  }

  /** Knows every named type of the built-in kinds, those of subresources' bodies too. */
  get builtinCompiler(): SchemaCompiler {
    return this.#builtinCompiler
  }

  /** Grows with every change of the set of definitions. */
  get generation(): number {
    return this.#generation
  }

  /**
   * Adds a resource, or replaces its definition.
   * @param since the revision from which on objects are stored as this definition wants them; older ones are brought up to it when read
   */
  install(definition: ResourceDefinition, since = 0): Resource {
    const key = resourceKey(definition)
    const compiler = definition.builtin ? this.#builtinCompiler : this.#customCompiler
    const home = definition.keelson?.storedAs ?? definition
    const cache = this.#cacher.resource(resourceKey(home))
    const before = this.#byResource.get(key)
    const resource = new Resource(definition, compiler, cache, home, this.#rules.get(key) ?? {}, since)
    // A resource stored as another's objects leaves the extraction to that one.
    if (home === definition) cache.extract = factsExtractor(definition, resource.rules)
    this.#byResource.set(key, resource)
    if (before && !servesAlike(before.definition, definition)) cache.endWatches()
    this.#changed(before?.definition, definition)
    return resource
  }

  remove(of: { group: string; resource: string }): void {
    const key = resourceKey(of)
    const gone = this.#byResource.get(key)
    if (!gone) return
    this.#byResource.delete(key)
    gone.cache.endWatches()
    this.#changed(gone.definition, undefined)
  }

  /** @returns the resource when it serves that version */
  find(group: string, version: string, resource: string): ServedVersion | undefined {
    return this.#byResource.get(resourceKey({ group, resource }))?.version(version)
  }

  get(group: string, resource: string): Resource | undefined {
    return this.#byResource.get(resourceKey({ group, resource }))
  }

  all(): Iterable<Resource> {
    return this.#byResource.values()
  }

  /**
   * The definitions of each group that has any. A group's list is another one after each change of the group and the
   * same until then, so that what is made of a list can be kept by it.
   */
  get groups(): DefinitionGroups {
    return this.#groups
  }

  /** True for a group version that no CustomResourceDefinition serves. */
  isBuiltin(group: string, version: string): boolean {
    const members = this.#groups.get(group) ?? []
    return members.some(
      ({ builtin, versions }) => builtin && versions.some((one) => one.served && one.name === version),
    )
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  #changed(before: ResourceDefinition | undefined, after: ResourceDefinition | undefined): void {
    const { group } = (after ?? before)!
    const others = (this.#groups.get(group) ?? []).filter((one) => one !== before)
    const members = after ? [...others, after] : others
    if (members.length > 0) this.#groups.set(group, members)
    else this.#groups.delete(group)
    this.#generation++
    for (const listener of this.#listeners) listener()
  }
}

/** One resource: its definition, its objects, its rules. */
export class Resource {
  readonly definition: ResourceDefinition
  readonly rules: Rules
  readonly cache: ResourceCache
  /** Group and resource the objects are stored under. */
  readonly home: { group: string; resource: string }
  /** Objects of older revisions were stored under another schema. */
  readonly since: number
  /** What its objects are given that nobody else may have. */
  reservations: Reservations | undefined
  readonly #versions = new Map<string, ServedVersion>()
  readonly #compiler: SchemaCompiler
  #fieldNames: ReadonlySet<string> | undefined

  constructor(
    definition: ResourceDefinition,
    compiler: SchemaCompiler,
    cache: ResourceCache,
    home: { group: string; resource: string },
    rules: Rules,
    since: number,
  ) {
    this.since = since
    this.definition = definition
    this.rules = rules
    this.cache = cache
    this.home = home
    this.#compiler = compiler
    for (const version of definition.versions)
      this.#versions.set(version.name, new ServedVersion(this, version, compiler))
  }

  /** @returns the version when it is served */
  version(name: string): ServedVersion | undefined {
    const version = this.#versions.get(name)
    return version?.definition.served ? version : undefined
  }

  get storage(): ServedVersion {
    return this.#versions.get(this.definition.storageVersion)!
  }

  /** The names a field selector may use. */
  get fieldNames(): ReadonlySet<string> {
    this.#fieldNames ??= selectableFieldNames(this.definition, this.rules)
    return this.#fieldNames
  }

  get compiler(): SchemaCompiler {
    return this.#compiler
  }
}

/** One version of a resource: how its objects look to clients. */
export class ServedVersion {
  readonly resource: Resource
  readonly definition: VersionDefinition
  readonly apiVersion: string
  readonly #compiler: SchemaCompiler
  #renewedBytes: WeakMap<CacheEntry, Buffer> | undefined
  #schema: CompiledSchema | undefined

  constructor(resource: Resource, definition: VersionDefinition, compiler: SchemaCompiler) {
    this.resource = resource
    this.definition = definition
    this.apiVersion = apiVersionOf({ group: resource.definition.group, version: definition.name })
    this.#compiler = compiler
  }

  /** Compiled at first use. */
  get schema(): CompiledSchema {
    this.#schema ??= this.#compiler.compile(this.definition.schema)
    return this.#schema
  }

  get isStorage(): boolean {
    return this.definition.name === this.resource.definition.storageVersion && this.storedHere
  }

  /** False for a resource whose objects are stored as another's. */
  get storedHere(): boolean {
    return this.resource.definition.keelson?.storedAs === undefined
  }

  /** True for an entry whose bytes are what this version shows. */
  showsAsStored(entry: CacheEntry): boolean {
    return this.isStorage && entry.revision >= this.resource.since
  }

  /** An entry's bytes as this version shows them. */
  encode(entry: CacheEntry): Buffer {
    const bytes = entry.revision < this.resource.since ? this.#renewed(entry) : entry.bytes
    return this.isStorage ? bytes : this.fromStorage(bytes)
  }

  /** What was stored under an older schema, pruned and with the defaults of this one; done once for each entry. */
  #renewed(entry: CacheEntry): Buffer {
    this.#renewedBytes ??= new WeakMap()
    const known = this.#renewedBytes.get(entry)
    if (known) return known
    const object = reviveObject(entry.bytes)
    const { schema } = this.resource.storage
    schema.prune(object)
    schema.applyDefaults(object)
    const bytes = spliceResourceVersion(encodeObject(object, object, ownersText(entry.bytes)), entry.revision)
    this.#renewedBytes.set(entry, bytes)
    return bytes
  }

  fromStorage(bytes: Buffer): Buffer {
    if (this.isStorage) return bytes
    const { convert } = this.resource.rules
    if (!convert) return replaceApiVersion(bytes, storedApiVersion(this.resource), this.apiVersion)
    const object = convert(reviveObject(bytes), this.apiVersion)
    return spliceResourceVersion(
      encodeObject(object, object, ownersText(bytes)),
      Number(object.metadata.resourceVersion || 0),
    )
  }

  /** An object of this version in the form it is stored in. May return `object` itself, changed. */
  toStorage(object: UnstructuredObject): UnstructuredObject {
    if (this.isStorage) return object
    const { convert } = this.resource.rules
    const apiVersion = storedApiVersion(this.resource)
    if (convert) return convert(object, apiVersion)
    object.apiVersion = apiVersion
    return object
  }
}

function storedApiVersion(resource: Resource): string {
  return apiVersionOf({ group: resource.home.group, version: resource.definition.storageVersion })
}

/** A definition on its way out still shows its objects as before. */
function servesAlike(a: ResourceDefinition, b: ResourceDefinition): boolean {
  const shown = { terminating: false, fingerprint: '' }
  return equalJson({ ...a, ...shown }, { ...b, ...shown })
}

/** `group/resource`, with `core` for the core group. */
export function resourceKey(of: { group: string; resource: string }): string {
  return `${of.group || 'core'}/${of.resource}`
}
