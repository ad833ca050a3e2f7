import type { JsonSchema, ResourceDefinition, VersionDefinition } from '#core/registry/resource.ts'
import type { Gvk } from '../discovery/served.ts'

/** The named schemas of documents: built-in types, what custom resources define, and the lists of both. */

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
export const metaSchema = (kind: string) => `${meta}.${kind}`
export const versionInfoSchema = 'io.k8s.apimachinery.pkg.version.Info'

const apiVersionField: JsonSchema = { type: 'string', description: 'The group and version the object is written in.' }
const kindField: JsonSchema = { type: 'string', description: 'The kind of the object.' }
const metadataField: JsonSchema = {
  $ref: metaSchema('ObjectMeta'),
  description: 'Name, labels, owners and history of the object.',
}
const listMetadataField: JsonSchema = {
  $ref: metaSchema('ListMeta'),
  description: 'The state of the store the list shows.',
}

const headReferences = [metadataField.$ref!, listMetadataField.$ref!]

/** What a schema of some kind goes by. */
export interface KindNames {
  /** The definition name of a kind, when it has a schema. */
  nameOf(kind: Gvk): string | undefined
}

/** The types of the built-in kinds, by definition name and by kind. */
export class NamedTypes implements KindNames {
  readonly #types: Readonly<Record<string, JsonSchema>>
  readonly #nameByKind = new Map<string, string>()
  readonly #references = new Map<string, readonly string[]>()

  constructor(types: Readonly<Record<string, JsonSchema>>) {
    this.#types = types
    for (const [name, schema] of Object.entries(types)) {
      for (const kind of schema['x-kubernetes-group-version-kind'] ?? []) this.#nameByKind.set(keyOf(kind), name)
    }
  }

  nameOf(kind: Gvk): string | undefined {
    return this.#nameByKind.get(keyOf(kind))
  }

  get(name: string): JsonSchema | undefined {
    return Object.hasOwn(this.#types, name) ? this.#types[name] : undefined
  }

  /** Those of `roots` that are types, and all types they refer to, by alphabet. */
  closure(roots: Iterable<string>): string[] {
    const seen = new Set<string>()
    const waiting = [...roots]
    for (let name: string | undefined; (name = waiting.pop()) !== undefined; ) {
      const schema = seen.has(name) ? undefined : this.get(name)
      if (!schema) continue
      seen.add(name)
      waiting.push(...this.#referencesOf(name, schema))
    }
    return [...seen].sort()
  }

  /** Types do not change, so each is walked once. */
  #referencesOf(name: string, schema: JsonSchema): readonly string[] {
    let references = this.#references.get(name)
    if (!references) this.#references.set(name, (references = referencesOf(schema)))
    return references
  }
}

/** The schemas that one version of a definition adds to the named types: its own, unless that is one, and its list's. */
export class OwnSchemas implements KindNames {
  readonly #types: NamedTypes
  readonly #isBuiltin: boolean
  readonly #made = new Map<string, JsonSchema>()
  readonly #nameByKind = new Map<string, string>()

  constructor(types: NamedTypes, definition: ResourceDefinition, version: VersionDefinition) {
    this.#types = types
    this.#isBuiltin = definition.builtin
    const [name, listName] = schemaNames(definition, version)
    const { group, kind, listKind } = definition
    const own = { group, version: version.name, kind }
    if (!types.get(name)) this.#made.set(name, customSchema(version.schema, own))
    this.#nameByKind.set(keyOf(own), name)
    if (definition.keelson?.virtual !== undefined) return
    const list = { ...own, kind: listKind }
    this.#made.set(listName, listSchema(name, own, list))
    this.#nameByKind.set(keyOf(list), listName)
  }

  nameOf(kind: Gvk): string | undefined {
    return this.#nameByKind.get(keyOf(kind)) ?? this.#types.nameOf(kind)
  }

  get schemas(): ReadonlyMap<string, JsonSchema> {
    return this.#made
  }

  /** What of `roots` and of the own schemas is left to the named types. */
  references(roots: Iterable<string>): string[] {
    // A custom resource's schema refers to nothing but what was put into it here.
    const own = this.#isBuiltin ? [...this.#made.values()].flatMap(referencesOf) : headReferences
    const all = new Set([...roots, ...own])
    return [...all].filter((name) => !this.#made.has(name))
  }
}

const keyOf = ({ group, version, kind }: Gvk) => `${group}/${version}/${kind}`

/** Of the objects and of lists of them. */
export function schemaNames(
  definition: ResourceDefinition,
  version: VersionDefinition,
): readonly [name: string, listName: string] {
  const name = schemaName(definition, version)
  return [name, name.slice(0, name.lastIndexOf('.') + 1) + definition.listKind]
}

/** `io.k8s.api.apps.v1.Deployment`; for a custom resource `dev.acme.v1.Backup`. */
function schemaName({ builtin, group, kind, keelson }: ResourceDefinition, version: VersionDefinition): string {
  return (
    keelson?.definitions?.[version.name] ??
    (builtin ? version.schema.$ref : undefined) ??
    [...group.split('.').reverse(), version.name, kind].join('.')
  )
}

function customSchema(schema: JsonSchema, kind: Gvk): JsonSchema {
  return {
    ...schema,
    type: 'object',
    properties: { apiVersion: apiVersionField, kind: kindField, ...withoutHead(schema), metadata: metadataField },
    'x-kubernetes-group-version-kind': [kind],
  }
}

function withoutHead({ properties = {} }: JsonSchema): Record<string, JsonSchema> {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...rest } = properties
  return rest
}

function listSchema(itemName: string, item: Gvk, list: Gvk): JsonSchema {
  return {
    description: `A list of ${item.kind}.`,
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: apiVersionField,
      items: { type: 'array', items: { $ref: itemName } },
      kind: kindField,
      metadata: listMetadataField,
    },
    'x-kubernetes-group-version-kind': [list],
  }
}

/** The names a schema refers to. */
function referencesOf(schema: JsonSchema): string[] {
  const found = new Set<string>()
  collectReferences(schema, found)
  return [...found]
}

function collectReferences(schema: JsonSchema, into: Set<string>): void {
  if (schema.$ref) into.add(schema.$ref)
  for (const child of childSchemas(schema)) collectReferences(child, into)
}

function* childSchemas(schema: JsonSchema): Generator<JsonSchema> {
  if (schema.properties) yield* Object.values(schema.properties)
  if (schema.items) yield schema.items
  if (typeof schema.additionalProperties === 'object') yield schema.additionalProperties
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf]) if (list) yield* list
  if (schema.not) yield schema.not
}
