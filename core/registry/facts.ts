import type { Rules } from '#apis/meta/v1/rules.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { compileJsonPath } from '#core/machinery/json-path.ts'
import type { ExtractFacts } from '#core/storage/cacher/entry.ts'
import type { ResourceDefinition } from './resource.ts'

/** What the cache extracts of each object of a resource, once, for selectors to ask. */
export function factsExtractor(definition: ResourceDefinition, rules: Rules): ExtractFacts {
  const paths = selectablePaths(definition).map((path) => ({ path, read: compileJsonPath(`.${path}`) }))
  return (bytes) => {
    const object = reviveObject(bytes)
    const fields: Record<string, string> = {
      'metadata.name': object.metadata.name ?? '',
      'metadata.namespace': object.metadata.namespace ?? '',
    }
    for (const { path, read } of paths) fields[path] = text(read(object)[0])
    Object.assign(fields, rules.fields?.(object))
    return { labels: object.metadata.labels ?? {}, fields }
  }
}

/** The names a field selector may use for this resource, besides those its rules add. */
export function selectablePaths(definition: ResourceDefinition): string[] {
  const storage = definition.versions.find((version) => version.name === definition.storageVersion)
  return (storage?.selectableFields ?? []).map((path) => path.replace(/^\./, ''))
}

/** Every name a field selector may use; an unknown one is a BadRequest. */
export function selectableFieldNames(definition: ResourceDefinition, rules: Rules): ReadonlySet<string> {
  const fromRules = Object.keys(rules.fields?.(emptyObject(definition)) ?? {})
  const fromStored = Object.keys(rules.storedFields ?? {})
  return new Set(['metadata.name', 'metadata.namespace', ...selectablePaths(definition), ...fromRules, ...fromStored])
}

function emptyObject(definition: ResourceDefinition): UnstructuredObject {
  return { apiVersion: '', kind: definition.kind, metadata: {}, spec: {}, status: {} }
}

function text(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : String(value)
}
