import type { JsonSchema } from '#core/registry/resource.ts'
import type { Catalog, Manifest, ManifestVersion } from './catalog.ts'
import { reachable } from './catalog.ts'

/**
 * Renews the structure of the manifests from a reference and keeps what people added to them.
 * Structure (fields, types, references, formats, required, list and patch markers) is the derived catalog's. Everything else
 * (defaults, enums, descriptions, limits, rules, columns, names) is the existing catalog's; the reference's enums and defaults
 * only enter with a field that is new. Kinds the reference does not know stay as they are.
 */
export function mergeCatalogs(derived: Catalog, existing: Catalog): Catalog {
  const types = new Map<string, JsonSchema>()
  for (const [name, schema] of derived.types) types.set(name, mergeSchema(schema, existing.types.get(name)))
  const derivedNames = new Set(derived.manifests.map(nameOf))
  const own = existing.manifests.filter((manifest) => !derivedNames.has(nameOf(manifest)))
  const ownRoots = own.flatMap(({ spec }) => Object.values(spec['x-keelson'].definitions))
  for (const name of reachable(existing.types, ownRoots)) {
    if (!types.has(name)) types.set(name, existing.types.get(name)!)
  }
  const before = new Map(existing.manifests.map((manifest) => [nameOf(manifest), manifest]))
  const manifests = derived.manifests.map((manifest) => mergeManifest(manifest, before.get(nameOf(manifest))))
  return { types, manifests: [...manifests, ...own] }
}

const nameOf = (manifest: Manifest) => manifest.metadata.name

const structureKeys = new Set([
  '$ref',
  'additionalProperties',
  'format',
  'items',
  'properties',
  'required',
  'type',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-group-version-kind',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-unions',
])

export function mergeSchema(derived: JsonSchema, existing: JsonSchema | undefined): JsonSchema {
  if (!existing) return derived
  const isStructure = ([key]: [string, unknown]) => structureKeys.has(key)
  const structure: JsonSchema = Object.fromEntries(Object.entries(derived).filter(isStructure))
  const additions: JsonSchema = Object.fromEntries(Object.entries(existing).filter((entry) => !isStructure(entry)))
  const { properties, items, additionalProperties } = structure
  return {
    ...structure,
    ...additions,
    ...(properties && { properties: mergeProperties(properties, existing.properties) }),
    ...(items && { items: mergeSchema(items, existing.items) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: mergeSchema(additionalProperties, schemaOf(existing.additionalProperties)),
    }),
  }
}

/** Fields of our own, which no release has, are kept; all stand by alphabet. */
function mergeProperties(derived: Record<string, JsonSchema>, existing: Record<string, JsonSchema> = {}) {
  const before = new Map(Object.entries(existing))
  const merged = Object.entries(derived).map(([name, schema]): [string, JsonSchema] => {
    return [name, mergeSchema(schema, before.get(name))]
  })
  const own = [...before].filter(([name]) => name.startsWith('x-keelson-'))
  if (own.length === 0) return Object.fromEntries(merged)
  return Object.fromEntries([...merged, ...own].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const schemaOf = (value: boolean | JsonSchema | undefined) => (typeof value === 'object' ? value : undefined)

function mergeManifest(derived: Manifest, existing: Manifest | undefined): Manifest {
  if (!existing) return derived
  const { spec, ...head } = derived
  const { 'x-keelson': keelson } = existing.spec
  const subresources = { ...spec['x-keelson'].subresources, ...keelson.subresources }
  return {
    ...head,
    spec: {
      ...spec,
      names: { ...existing.spec.names, ...spec.names },
      versions: spec.versions.map((version) =>
        mergeVersion(
          version,
          existing.spec.versions.find(({ name }) => name === version.name),
        ),
      ),
      'x-keelson': {
        ...spec['x-keelson'],
        ...keelson,
        definitions: spec['x-keelson'].definitions,
        ...(Object.keys(subresources).length > 0 && { subresources }),
      },
    },
  }
}

function mergeVersion(derived: ManifestVersion, existing: ManifestVersion | undefined): ManifestVersion {
  const subresources = { ...derived.subresources, ...existing?.subresources }
  return {
    ...derived,
    ...existing,
    schema: derived.schema,
    ...(Object.keys(subresources).length > 0 && { subresources }),
  }
}
