import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { JsonSchema } from '#core/registry/resource.ts'
import type { Catalog, Manifest } from './catalog.ts'
import { refsOf } from './catalog.ts'
import { folderOf, parseDefinitionName } from './names.ts'

/**
 * The catalog as the YAML files of apis/crds: `<group>/<plural>.yaml` for kinds, `types/<group>.<version>.yaml` for types that
 * several places use. A type used in exactly one place is written out there, marked with its name by `x-keelson-type`.
 */
export type Files = Map<string, string>

/** A schema as written in a file. */
interface FileSchema extends JsonSchema {
  'x-keelson-type'?: string
}

/** What belongs to the place that uses a type, not to the type. */
const usageKeys = ['default', 'nullable', 'x-kubernetes-patch-strategy', 'x-kubernetes-patch-merge-key'] as const

/** In this order keys appear in a file; others follow. */
const keyOrder = [
  'x-keelson-type',
  '$ref',
  'description',
  'type',
  'format',
  'enum',
  'default',
  'required',
  'properties',
  'items',
  'additionalProperties',
]

export async function readCatalog(directory: string): Promise<Catalog> {
  return fromFiles(await readFiles(directory))
}

async function readFiles(directory: string): Promise<Files> {
  const entries = await readdir(directory, { recursive: true })
  const paths = entries.filter((path) => path.endsWith('.yaml')).sort()
  const read = async (path: string) => [path, await readFile(join(directory, path), 'utf8')] as const
  return new Map(await Promise.all(paths.map(read)))
}

/** Makes the YAML files of `directory` those of `catalog`; files of kinds it no longer has are removed. */
export async function writeCatalog(directory: string, catalog: Catalog): Promise<void> {
  const [before, after] = [await readFiles(directory), toFiles(catalog)]
  for (const path of before.keys()) {
    if (!after.has(path)) await rm(join(directory, path))
  }
  for (const [path, text] of after) {
    if (before.get(path) === text) continue
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
}

export function toFiles(catalog: Catalog): Files {
  const writer = new SchemaWriter(catalog)
  const files: Files = new Map()
  for (const manifest of catalog.manifests) files.set(pathOf(manifest), toYaml(writer.manifest(manifest)))
  for (const [path, types] of writer.sharedTypes()) files.set(path, toYaml(types))
  return files
}

function pathOf({ spec }: Manifest): string {
  return `${folderOf(spec.group)}/${spec.names.plural}.yaml`
}

function toYaml(document: unknown): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 120, indent: 2 })
}

class SchemaWriter {
  readonly #catalog: Catalog
  readonly #kinds: Set<string>
  readonly #uses = new Map<string, number>()

  constructor(catalog: Catalog) {
    this.#catalog = catalog
    this.#kinds = new Set(catalog.manifests.flatMap(({ spec }) => Object.values(spec['x-keelson'].definitions)))
    for (const schema of catalog.types.values()) {
      for (const ref of refsOf(schema)) this.#uses.set(ref, (this.#uses.get(ref) ?? 0) + 1)
    }
  }

  manifest(manifest: Manifest): Manifest {
    const versions = manifest.spec.versions.map((version) => {
      const { 'x-kubernetes-group-version-kind': _known, ...schema } = this.#typeOf(
        version.schema.openAPIV3Schema.$ref!,
      )
      return { ...version, schema: { openAPIV3Schema: this.#write(schema) } }
    })
    return { ...manifest, spec: { ...manifest.spec, versions } }
  }

  /** Path to the types in it, by definition name. */
  sharedTypes(): Map<string, Record<string, FileSchema>> {
    const files = new Map<string, Record<string, FileSchema>>()
    for (const [name, schema] of this.#catalog.types) {
      if (this.#kinds.has(name) || this.#isInline(name)) continue
      const { group, version } = parseDefinitionName(name)
      const path = `types/${group}.${version}.yaml`
      files.set(path, { ...files.get(path), [name]: this.#write(schema) })
    }
    return files
  }

  /** Types of meta/v1 stay apart wherever they are used: everybody knows them by name. */
  #isInline(name: string): boolean {
    return this.#uses.get(name) === 1 && !this.#kinds.has(name) && parseDefinitionName(name).group !== 'meta'
  }

  #typeOf(name: string): JsonSchema {
    const schema = this.#catalog.types.get(name)
    if (!schema) throw new Error(`no definition is named ${name}`)
    return schema
  }

  #write(schema: JsonSchema): FileSchema {
    const { $ref } = schema
    if (!$ref || !this.#isInline($ref)) return inOrder(mapChildren(schema, (child) => this.#write(child)))
    const { $ref: _ref, ...usage } = schema
    return inOrder({ 'x-keelson-type': $ref, ...this.#write(this.#typeOf($ref)), ...usage })
  }
}

function inOrder(schema: FileSchema): FileSchema {
  const rank = (key: string) => (keyOrder.indexOf(key) + keyOrder.length + 1) % (keyOrder.length + 1)
  const entries = Object.entries(schema).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return Object.fromEntries(entries)
}

/** A copy of `schema` in which `change` has been applied to each schema directly below. */
export function mapChildren(schema: JsonSchema, change: (child: JsonSchema) => JsonSchema): JsonSchema {
  const { properties, items, additionalProperties } = schema
  return {
    ...schema,
    ...(properties && { properties: mapValues(properties, change) }),
    ...(items && { items: change(items) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: change(additionalProperties) }),
  }
}

function mapValues<T>(record: Record<string, T>, change: (value: T) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}

/** @throws when a type is defined twice or a file is not what its folder says */
export function fromFiles(files: Files): Catalog {
  const types = new Map<string, JsonSchema>()
  const manifests: Manifest[] = []
  for (const [path, text] of files) {
    if (path.startsWith('types/')) readTypes(path, text, types)
    else manifests.push(readManifest(path, text, types))
  }
  return { types: new Map([...types].sort(([a], [b]) => (a < b ? -1 : 1))), manifests: manifests.sort(byName) }
}

function byName({ spec: a }: Manifest, { spec: b }: Manifest): number {
  const [x, y] = [`${a.group}/${a.names.plural}`, `${b.group}/${b.names.plural}`]
  return x < y ? -1 : 1
}

function readTypes(path: string, text: string, types: Map<string, JsonSchema>): void {
  const document: Record<string, FileSchema> = parse(text)
  for (const [name, schema] of Object.entries(document)) define(types, name, readSchema(schema, types), path)
}

function readManifest(path: string, text: string, types: Map<string, JsonSchema>): Manifest {
  const manifest: Manifest = parse(text)
  const { group, names, versions, 'x-keelson': keelson } = manifest.spec
  for (const version of versions) {
    const definition = keelson.definitions[version.name]
    if (!definition) throw new Error(`${path}: x-keelson.definitions does not name version ${version.name}`)
    const schema = {
      ...readSchema(version.schema.openAPIV3Schema, types),
      'x-kubernetes-group-version-kind': [{ group, kind: names.kind, version: version.name }],
    }
    define(types, definition, schema, path)
    version.schema = { openAPIV3Schema: { $ref: definition } }
  }
  if (pathOf(manifest) !== path) throw new Error(`${path}: holds the manifest of ${pathOf(manifest)}`)
  return manifest
}

/** Moves the types written out in `schema` to `types` and leaves references. */
function readSchema(schema: FileSchema, types: Map<string, JsonSchema>): JsonSchema {
  const { 'x-keelson-type': name, ...rest } = mapChildren(schema, (child) => readSchema(child, types)) as FileSchema
  if (!name) return rest
  const isUsage = ([key]: [string, unknown]) => (usageKeys as readonly string[]).includes(key)
  const entries = Object.entries(rest)
  define(types, name, Object.fromEntries(entries.filter((entry) => !isUsage(entry))), name)
  return { $ref: name, ...Object.fromEntries(entries.filter(isUsage)) }
}

function define(types: Map<string, JsonSchema>, name: string, schema: JsonSchema, where: string): void {
  if (types.has(name)) throw new Error(`${where}: ${name} is defined twice`)
  types.set(name, schema)
}
