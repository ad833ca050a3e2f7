import type { JsonSchema, KeelsonExtension, PrinterColumn, ScaleSubresource } from '#core/registry/resource.ts'

/**
 * Everything the manifests of apis/crds say, with types in one flat map: what every generator works on.
 * In a catalog a version's schema is a `$ref` to the kind's definition; in files it is written out (see files.ts).
 */
export interface Catalog {
  /** Definition name to schema, in order of name. */
  types: Map<string, JsonSchema>
  /** In order of group, then plural. */
  manifests: Manifest[]
}

/** A CustomResourceDefinition with the `x-keelson` block. */
export interface Manifest {
  apiVersion: 'apiextensions.k8s.io/v1'
  kind: 'CustomResourceDefinition'
  metadata: { name: string }
  spec: {
    group: string
    names: ManifestNames
    scope: 'Namespaced' | 'Cluster'
    /** In order of preference. */
    versions: ManifestVersion[]
    'x-keelson': KeelsonExtension & { definitions: Record<string, string> }
  }
}

export interface ManifestNames {
  plural: string
  singular: string
  kind: string
  listKind: string
  shortNames?: string[]
  categories?: string[]
}

export interface ManifestVersion {
  name: string
  served: boolean
  storage: boolean
  deprecated?: boolean
  deprecationWarning?: string
  schema: { openAPIV3Schema: JsonSchema }
  subresources?: { status?: Record<string, never>; scale?: ScaleSubresource }
  additionalPrinterColumns?: PrinterColumn[]
  selectableFields?: { jsonPath: string }[]
}

/** Every `$ref` in `schema`, in order, repeats included. */
export function* refsOf(schema: JsonSchema): Generator<string> {
  if (schema.$ref) yield schema.$ref
  for (const child of childrenOf(schema)) yield* refsOf(child)
}

function* childrenOf(schema: JsonSchema): Generator<JsonSchema> {
  yield* Object.values(schema.properties ?? {})
  if (schema.items) yield schema.items
  if (typeof schema.additionalProperties === 'object') yield schema.additionalProperties
}

/** The names in `roots` and all that their schemas reach. */
export function reachable(types: ReadonlyMap<string, JsonSchema>, roots: Iterable<string>): Set<string> {
  const seen = new Set<string>()
  const open = [...roots]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    const schema = types.get(name)
    if (!schema) throw new Error(`no definition is named ${name}`)
    open.push(...refsOf(schema))
  }
  return seen
}
