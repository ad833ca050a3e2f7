import type { Rules } from '#apis/meta/v1/rules.ts'
import { apiVersionOf, type UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { ResourceConstraints } from '#core/constraints/resource-constraints.ts'
import { type Converter, converterOfRules, renaming } from '#core/conversion/converter.ts'
import { VersionConversion, type VersionParts } from '#core/conversion/version-conversion.ts'
import { VersionFeed } from '#core/conversion/version-feed.ts'
import { apiVersionIn, headOf } from '#core/machinery/canonical.ts'
import { type CompiledSchema, SchemaCompiler } from '#core/schema/compile.ts'
import { equalJson } from '#core/schema/json.ts'
import { keepsAll } from '#core/schema/keeps-all.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'
import type { CacheEntry, ExtractFacts } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { Company } from './company.ts'
import { factsExtractor, selectableFieldNames, selectablePaths } from './facts.ts'
import { indexFields } from './field-index.ts'
import type { Reservations } from './reservations.ts'
import type { DefinitionGroups, JsonSchema, ResourceDefinition, VersionDefinition } from './resource.ts'

export type SchemaTypes = Readonly<Record<string, JsonSchema>>

export interface RegistryOptions {
  cacher: Cacher
  /** The named schemas that built-in definitions refer to. */
  types: SchemaTypes
  /** By `group/resource`, `core` for the core group. */
  rules: ReadonlyMap<string, Rules>
  /** Between versions that differ in more than their names; absent: no custom resource has such. */
  converterOf?(definition: ResourceDefinition): Converter | undefined
}

/** Is told of each resource in the turn in which it is served or changes, and in which it is served no more. */
export interface InstallListener {
  installed(resource: Resource): void
  removed(resource: Resource): void
}

/** The resources this server serves, and where the objects of each are. */
export class Registry {
  readonly #cacher: Cacher
  readonly #rules: ReadonlyMap<string, Rules>
  readonly #converterOf: RegistryOptions['converterOf']
  readonly #byResource = new Map<string, Resource>()
  readonly #groups = new Map<string, readonly ResourceDefinition[]>()
  readonly #builtinCompiler: SchemaCompiler
  /** Custom schemas name no types, so that all of them may share one. */
  readonly #customCompiler = new SchemaCompiler({})
  readonly #listeners = new Set<() => void>()
  readonly #installListeners = new Set<InstallListener>()
  #generation = 0

  constructor(options: RegistryOptions) {
    this.#cacher = options.cacher
    this.#rules = options.rules
    this.#converterOf = options.converterOf
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
    const converter = this.#converterOf?.(definition)
    const resource = new Resource(definition, compiler, cache, home, this.#rules.get(key) ?? {}, since, converter)
    // A resource stored as another's objects leaves the extraction to that one.
    if (home === definition) {
      const { rules, storage } = resource
      cache.extract = factsExtractor(selectablePaths(storage.definition), rules, definition.extensions?.indexes)
      if (rules.indexedFields) indexFields(cache, rules.indexedFields)
    }
    this.#byResource.set(key, resource)
    if (before && !servesAlike(before.definition, definition)) cache.endWatches()
    this.#changed(before?.definition, definition)
    for (const listener of this.#installListeners) listener.installed(resource)
    return resource
  }

  remove(of: { group: string; resource: string }): void {
    const key = resourceKey(of)
    const gone = this.#byResource.get(key)
    if (!gone) return
    this.#byResource.delete(key)
    gone.cache.endWatches()
    this.#changed(gone.definition, undefined)
    for (const listener of this.#installListeners) listener.removed(gone)
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

  onInstall(listener: InstallListener): void {
    this.#installListeners.add(listener)
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

/** An object as it was read from its canonical bytes. */
export interface StoredObject {
  object: UnstructuredObject
  bytes: Buffer
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
  readonly converter: Converter
  /** What its objects are given that nobody else may have. */
  reservations: Reservations | undefined
  /** Judges a large object beforehand, and elsewhere, where that would hold everybody up; absent: it would not. */
  prejudge: ((object: UnstructuredObject, old?: StoredObject) => Promise<void>) | undefined
  /** What its schema, or that of others who name its objects, says about more than one object. */
  constraints: ResourceConstraints | undefined
  /** Absent: its writes do not wait for each other. */
  readonly company: Company | undefined
  readonly #versions = new Map<string, ServedVersion>()
  readonly #compiler: SchemaCompiler
  readonly #conversions = new Map<string, VersionConversion>()
  readonly #renamed = new Map<string, boolean>()
  #current: WeakSet<CacheEntry> | undefined

  constructor(
    definition: ResourceDefinition,
    compiler: SchemaCompiler,
    cache: ResourceCache,
    home: { group: string; resource: string },
    rules: Rules,
    since: number,
    converter: Converter | undefined,
  ) {
    this.since = since
    this.converter = converter ?? (rules.convert ? converterOfRules(rules.convert) : renaming)
    this.definition = definition
    this.rules = rules
    this.company = rules.patienceMs === undefined ? undefined : new Company(rules.patienceMs)
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

  /** The version, served or not, that an object is stored in: it shows the object without converting it. */
  versionOf(entry: CacheEntry): ServedVersion {
    return (this.isMixed ? this.#versionAt(apiVersionIn(entry.bytes)) : undefined) ?? this.storage
  }

  /** Whether an entry is as today's schema of its own version would have it; of older ones that is not known until they are read. */
  isCurrent(entry: CacheEntry): boolean {
    return entry.revision >= this.since || (this.#current?.has(entry) ?? false)
  }

  /** Whether stored objects may be of another version than the one objects are stored in today. */
  get isMixed(): boolean {
    return !this.definition.builtin && this.definition.versions.length > 1
  }

  /** How objects of other versions become objects of one, be it one that is served, stored or neither. */
  conversionTo(apiVersion: string): VersionConversion {
    let conversion = this.#conversions.get(apiVersion)
    if (!conversion) {
      conversion = new VersionConversion(this.#partsOf(apiVersion))
      this.#conversions.set(apiVersion, conversion)
    }
    return conversion
  }

  #partsOf(apiVersion: string): VersionParts {
    const version = this.#versionAt(apiVersion)
    return {
      apiVersion,
      converter: this.converter,
      isCurrent: (entry) => this.isCurrent(entry),
      noteCurrent: (entry) => (this.#current ??= new WeakSet()).add(entry),
      showsAsStored: (entry) => version?.showsAsStored(entry) ?? false,
      schemaOf: (one) => (this.definition.builtin ? undefined : this.#versionAt(one)?.schema),
      kind: this.definition.kind,
      renamedFrom: () => this.#storedApiVersions().filter((stored) => this.isRenamed(stored, apiVersion)),
    }
  }

  /** The versions that objects may be stored in. */
  #storedApiVersions(): string[] {
    if (this.isMixed) return Array.from(this.#versions.values(), ({ apiVersion }) => apiVersion)
    return [apiVersionOf({ group: this.home.group, version: this.definition.storageVersion })]
  }

  /** Whether an object of one version is one of another as soon as it is called so. */
  isRenamed(from: string, to: string): boolean {
    if (from === to) return true
    if (this.converter !== renaming) return false
    if (this.definition.builtin) return true
    const key = `${from} ${to}`
    let isRenamed = this.#renamed.get(key)
    if (isRenamed === undefined) {
      const [source, target] = [this.#versionAt(from), this.#versionAt(to)]
      isRenamed =
        source !== undefined && target !== undefined && keepsAll(target.definition.schema, source.definition.schema)
      this.#renamed.set(key, isRenamed)
    }
    return isRenamed
  }

  /** Whether selectors find in stored objects what they would in those that a version shows. */
  selectsStored(version: ServedVersion, readsFields: boolean): boolean {
    if (!this.isMixed) return true
    if (!readsFields) return this.converter.keepsLabels
    const { selectableFields } = this.storage.definition
    return (
      version.definition.selectableFields.every((field) => selectableFields.includes(field)) &&
      [...this.#versions.values()].every(({ apiVersion }) => this.isRenamed(apiVersion, version.apiVersion))
    )
  }

  /** An object of a version that is not stored in the form it is stored in. May return `object` itself, changed. */
  toStorage(object: UnstructuredObject): UnstructuredObject | Promise<UnstructuredObject> {
    const apiVersion = apiVersionOf({ group: this.home.group, version: this.definition.storageVersion })
    const finish = ([stored]: readonly UnstructuredObject[]) => {
      if (!this.definition.builtin) this.storage.schema.applyDefaults(stored)
      return stored!
    }
    const made = this.conversionTo(apiVersion).convert([object])
    return made instanceof Promise ? made.then(finish) : finish(made)
  }

  #versionAt(apiVersion: string): ServedVersion | undefined {
    return this.#versions.get(apiVersion.slice(apiVersion.indexOf('/') + 1))
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
  #schema: CompiledSchema | undefined
  #head: Buffer | undefined
  #feed: VersionFeed | undefined
  #extract: ExtractFacts | undefined
  #fieldNames: ReadonlySet<string> | undefined

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
    const { resource } = this
    if (!this.isStorage || !resource.isCurrent(entry)) return false
    return !resource.isMixed || entry.startsWith((this.#head ??= headOf({ ...resource.definition, ...this })))
  }

  /** An entry as this version shows it. @throws StatusError when it cannot be converted */
  show(entry: CacheEntry): CacheEntry | Promise<CacheEntry> {
    return this.showsAsStored(entry) ? entry : this.#conversion.show(entry)
  }

  /** The same for kinds that convert at once: those that are built in. */
  showNow(entry: CacheEntry): CacheEntry {
    const shown = this.show(entry)
    if (shown instanceof Promise) throw new Error(`${this.apiVersion} is not converted at once`)
    return shown
  }

  /** The same for many, in their order: what has to be converted is converted together. */
  showAll(entries: readonly CacheEntry[]): readonly CacheEntry[] | Promise<readonly CacheEntry[]> {
    return entries.every((entry) => this.showsAsStored(entry)) ? entries : this.#conversion.showAll(entries)
  }

  get #conversion(): VersionConversion {
    return this.resource.conversionTo(this.apiVersion)
  }

  /** Where changes of the resource's objects come from as this version shows them; of a built-in kind, as they are stored. */
  get feed(): ResourceCache | VersionFeed {
    const { isMixed, cache } = this.resource
    if (!isMixed) return cache
    this.#feed ??= new VersionFeed(cache, this, () => this.extract)
    return this.#feed
  }

  /** What selectors ask of objects as this version shows them; of a built-in kind, as they are stored. */
  get extract(): ExtractFacts {
    const { cache, definition, rules, isMixed } = this.resource
    if (!isMixed || this.isStorage) return cache.extract
    this.#extract ??= factsExtractor(selectablePaths(this.definition), rules, definition.extensions?.indexes)
    return this.#extract
  }

  /** The names a field selector may use. */
  get fieldNames(): ReadonlySet<string> {
    const { definition, rules } = this.resource
    const version = definition.builtin ? this.resource.storage.definition : this.definition
    this.#fieldNames ??= selectableFieldNames(version, definition, rules)
    return this.#fieldNames
  }

  /** The same version for who asks of objects only how they are related: nobody converts, or has to be there to do so. */
  get asStored(): ServedVersion {
    return this.resource.isMixed ? new StoredVersion(this.resource, this.definition, this.#compiler) : this
  }

  /** An object of this version in the form it is stored in. May return `object` itself, changed. */
  toStorage(object: UnstructuredObject): UnstructuredObject | Promise<UnstructuredObject> {
    return this.isStorage ? object : this.resource.toStorage(object)
  }
}

/** Shows objects as they are stored, whatever version that is: for who looks at nothing that versions may differ in. */
class StoredVersion extends ServedVersion {
  override get isStorage(): boolean {
    return true
  }

  override showsAsStored(): boolean {
    return true
  }

  override get feed(): ResourceCache {
    return this.resource.cache
  }
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
