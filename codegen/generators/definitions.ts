import type { JsonSchema, ResourceDefinition, VersionDefinition } from '#core/registry/resource.ts'
import type { Catalog, Manifest, ManifestVersion } from './catalog.ts'

/** What the server reads at start: apis/crds/zz_generated.definitions.json. */
export interface Definitions {
  /** Definition name to schema; every `$ref` in a schema is one of these names. */
  types: Record<string, JsonSchema>
  /** In order of group, then resource. Each version's schema is a `$ref` to the definition of its kind. */
  resources: ResourceDefinition[]
}

/** The definitions as JSON on one line: the server parses it at every start. */
export function generateDefinitions(catalog: Catalog): string {
  const types = Object.fromEntries([...catalog.types].sort(([a], [b]) => (a < b ? -1 : 1)))
  const definitions: Definitions = { types, resources: catalog.manifests.map(toResource) }
  return `${JSON.stringify(definitions)}\n`
}

export function toResource({ spec }: Manifest): ResourceDefinition {
  const { names, versions, 'x-keelson': keelson } = spec
  return {
    group: spec.group,
    resource: names.plural,
    singular: names.singular,
    kind: names.kind,
    listKind: names.listKind,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    storageVersion: versions.find(({ storage }) => storage)!.name,
    versions: versions.map(toVersion),
    builtin: true,
    keelson,
  }
}

function toVersion(version: ManifestVersion): VersionDefinition {
  const { status, scale } = version.subresources ?? {}
  return {
    name: version.name,
    served: version.served,
    ...(version.deprecated && { deprecated: true }),
    ...(version.deprecationWarning && { deprecationWarning: version.deprecationWarning }),
    schema: version.schema.openAPIV3Schema,
    subresources: { ...(status && { status: true }), ...(scale && { scale }) },
    printerColumns: version.additionalPrinterColumns ?? [],
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
  }
}
