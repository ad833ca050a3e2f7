import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonSchema } from '#core/registry/resource.ts'

/**
 * The facts of one Kubernetes release that manifests are derived from: three files of a reference directory.
 * Schemas come out as this repository writes them: `$ref` is a bare definition name.
 */
export interface Reference {
  /** Definition name (`io.k8s.api.core.v1.Pod`) to schema. */
  definitions: Map<string, JsonSchema>
  endpoints: Endpoint[]
}

/** One line of endpoints.tsv. */
export interface Endpoint {
  path: string
  method: string
  /** `list`, `get`, `post`, `put`, `patch`, `delete`, `deletecollection` or `connect`. */
  action: string
  group: string
  version: string
  kind: string
}

/** Enums of one group version: `fields` says which `Type.field` is of which named enum. */
interface EnumFacts {
  enums: Record<string, string[]>
  fields: Record<string, string>
  /** `Type.field` to a Go literal as JSON, or `ref(Constant)`. */
  defaults: Record<string, string>
}

/** Enums whose values are the well-known ones among many: nothing else is refused, so the schema does not list them. */
const openEnums = new Set([
  'ComponentConditionType',
  'FinalizerName',
  'HorizontalPodAutoscalerConditionType',
  'LimitType',
  'PersistentVolumeClaimConditionType',
  'PodConditionType',
  'RequestConditionType',
  'ResourceName',
  'StorageMedium',
])

/** Go types embedded in others: their fields appear under the embedding type. */
const embeddedIn: Record<string, string> = { EphemeralContainerCommon: 'EphemeralContainer' }

/** @throws when a file of the directory is missing or malformed */
export async function readReference(directory: string): Promise<Reference> {
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  const definitions = new Map<string, JsonSchema>()
  const raw: Record<string, JsonSchema> = JSON.parse(await read('kubernetes-v1.36-definitions.json'))
  for (const name of Object.keys(raw).sort()) definitions.set(name, normalise(name, raw[name]!))
  addEnums(definitions, JSON.parse(await read('kubernetes-v1.36-enums.json')))
  return { definitions, endpoints: parseEndpoints(await read('kubernetes-v1.36-endpoints.tsv')) }
}

export function parseEndpoints(tsv: string): Endpoint[] {
  const [, ...lines] = tsv.trim().split('\n')
  return lines.map((line) => {
    const [path = '', method = '', action = '', group = '', version = '', kind = ''] = line.split('\t')
    return { path, method, action, group, version, kind }
  })
}

/** What OpenAPI cannot say of Go's special types. */
const special: Record<string, JsonSchema> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { 'x-kubernetes-int-or-string': true },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { 'x-kubernetes-int-or-string': true },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  'io.k8s.apimachinery.pkg.runtime.RawExtension': { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
}

function normalise(name: string, schema: JsonSchema): JsonSchema {
  if (special[name]) return special[name]
  if (Object.keys(schema).length === 0) return { 'x-kubernetes-preserve-unknown-fields': true }
  const { 'x-kubernetes-group-version-kind': kinds, ...rest } = bareRefs(schema)
  // DeleteOptions and WatchEvent are of every group version there is: that says nothing.
  return kinds?.length === 1 ? { ...rest, 'x-kubernetes-group-version-kind': kinds } : rest
}

function bareRefs(schema: JsonSchema): JsonSchema {
  const text = JSON.stringify(schema)
  return JSON.parse(text.replaceAll('"$ref":"#/definitions/', '"$ref":"'))
}

function addEnums(definitions: Map<string, JsonSchema>, facts: Record<string, EnumFacts>): void {
  for (const [name, schema] of definitions) {
    const [group, version, type] = name.split('.').slice(-3) as [string, string, string]
    const known = facts[`${group}/${version}`]
    if (known) addEnumsOf(type, schema, known)
  }
}

function addEnumsOf(type: string, schema: JsonSchema, facts: EnumFacts): void {
  for (const [path, enumName] of Object.entries(facts.fields)) {
    const property = propertyAt(type, schema, path)
    const values = facts.enums[enumName]
    if (!property || !values || openEnums.has(enumName)) continue
    const target = property.items ?? property
    target.enum = [...values]
  }
  for (const [path, literal] of Object.entries(facts.defaults)) {
    const property = propertyAt(type, schema, path)
    if (property && !literal.startsWith('ref(')) property.default = JSON.parse(literal)
  }
}

/** The property `path` (`Type.field`) names, when it is one of `type`. */
function propertyAt(type: string, schema: JsonSchema, path: string): JsonSchema | undefined {
  const [owner = '', field = ''] = path.split('.')
  return (embeddedIn[owner] ?? owner) === type ? schema.properties?.[field] : undefined
}
