import type { Rules } from '#apis/meta/v1/rules.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Index } from '#core/constraints/extensions.ts'
import { selectorValues } from '#core/constraints/selector-values.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { isObject, own } from '#core/schema/json.ts'
import type { ExtractFacts } from '#core/storage/cacher/entry.ts'
import type { ResourceDefinition, VersionDefinition } from './resource.ts'

/** What the cache extracts of each object of a resource, once, for selectors to ask. @param selectable as `selectablePaths` */
export function factsExtractor(
  selectable: readonly string[],
  rules: Rules,
  indexes: readonly Index[] = [],
): ExtractFacts {
  const paths = selectable.map((path) => ({ path, names: path.split('.') }))
  return (bytes) => {
    const object = reviveObject(bytes)
    const fields: Record<string, string | readonly string[]> = {
      'metadata.name': object.metadata.name ?? '',
      'metadata.namespace': object.metadata.namespace ?? '',
    }
    for (const { path, names } of paths) fields[path] = text(valueAt(object, names))
    for (const { field, place } of indexes) fields[field] = selectorValues(object, place)
    Object.assign(fields, rules.fields?.(object))
    return { labels: object.metadata.labels ?? {}, fields }
  }
}

/** Selectable fields are reached by names only, whatever characters are in them. */
function valueAt(object: UnstructuredObject, names: readonly string[]): unknown {
  let value: unknown = object
  for (const name of names) {
    if (!isObject(value)) return undefined
    value = own(value, name)
  }
  return value
}

/** The names a field selector may use for this version of a resource, besides those its rules add. */
export function selectablePaths({ selectableFields }: VersionDefinition): string[] {
  return selectableFields.map((path) => path.replace(/^\./, ''))
}

/** Every name a field selector may use; an unknown one is a BadRequest. */
export function selectableFieldNames(
  version: VersionDefinition,
  { kind, extensions }: ResourceDefinition,
  rules: Rules,
): ReadonlySet<string> {
  const fromRules = Object.keys(rules.fields?.(emptyObject(kind)) ?? {})
  const fromStored = Object.keys(rules.storedFields ?? {})
  const fromIndexes = extensions?.indexes.map(({ field }) => field) ?? []
  const ofAll = ['metadata.name', 'metadata.namespace']
  return new Set([...ofAll, ...selectablePaths(version), ...fromIndexes, ...fromRules, ...fromStored])
}

function emptyObject(kind: string): UnstructuredObject {
  return { apiVersion: '', kind, metadata: {}, spec: {}, status: {} }
}

function text(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : String(value)
}
