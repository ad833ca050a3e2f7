import type { JsonSchema, ResourceDefinition, VersionDefinition } from '#core/registry/resource.ts'
import type { Gvk } from '../discovery/served.ts'

/** The named schemas of a set of definitions: built-in types, what custom resources define, and the lists of both. */

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

export class SchemaCatalog {
  readonly #types: Readonly<Record<string, JsonSchema>>
  readonly #made = new Map<string, JsonSchema>()
  readonly #nameByKind = new Map<string, string>()

  /** @param types the built-in types, by definition name */
  constructor(types: Readonly<Record<string, JsonSchema>>, definitions: readonly ResourceDefinition[]) {
    this.#types = types
    for (const [name, schema] of Object.entries(types)) {
      for (const kind of schema['x-kubernetes-group-version-kind'] ?? []) this.#nameByKind.set(keyOf(kind), name)
    }
    for (const definition of definitions) {
      for (const version of definition.versions) if (version.served) this.#add(definition, version)
    }
  }

  #add(definition: ResourceDefinition, version: VersionDefinition): void {
    const name = schemaName(definition, version)
    const { group, kind, listKind } = definition
    const own = { group, version: version.name, kind }
    if (!Object.hasOwn(this.#types, name)) this.#made.set(name, customSchema(version.schema, own))
    this.#nameByKind.set(keyOf(own), name)
    if (definition.keelson?.virtual !== undefined) return
    const listName = name.slice(0, name.lastIndexOf('.') + 1) + listKind
    const list = { ...own, kind: listKind }
    this.#made.set(listName, listSchema(name, own, list))
    this.#nameByKind.set(keyOf(list), listName)
  }

  /** The definition name of a kind, when it has a schema. */
  nameOf(kind: Gvk): string | undefined {
    return this.#nameByKind.get(keyOf(kind))
  }

  get(name: string): JsonSchema | undefined {
    return this.#made.get(name) ?? (Object.hasOwn(this.#types, name) ? this.#types[name] : undefined)
  }

  /** `roots` and all they refer to, by alphabet. */
  closure(roots: Iterable<string>): string[] {
    const seen = new Set<string>()
    const waiting = [...roots]
    for (let name: string | undefined; (name = waiting.pop()) !== undefined; ) {
      const schema = seen.has(name) ? undefined : this.get(name)
      if (!schema) continue
      seen.add(name)
      waiting.push(...referencesOf(schema))
    }
    return [...seen].sort()
  }
}

const keyOf = ({ group, version, kind }: Gvk) => `${group}/${version}/${kind}`

/** `io.k8s.api.apps.v1.Deployment`; for a custom resource `dev.acme.v1.Backup`. */
export function schemaName({ group, kind, keelson }: ResourceDefinition, version: VersionDefinition): string {
  return (
    keelson?.definitions?.[version.name] ??
    version.schema.$ref ??
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

const referenceCache = new WeakMap<JsonSchema, readonly string[]>()

/** The names a schema refers to; schemas do not change, so each is walked once. */
function referencesOf(schema: JsonSchema): readonly string[] {
  const known = referenceCache.get(schema)
  if (known) return known
  const found = new Set<string>()
  collectReferences(schema, found)
  const list = [...found]
  referenceCache.set(schema, list)
  return list
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
