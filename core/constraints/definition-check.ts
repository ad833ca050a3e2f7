import { setImmediate } from 'node:timers/promises'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { type FieldError, forbidden, invalid } from '#apis/meta/v1/field-error.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { newInvalid } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { judgedExtensions } from '#core/registry/custom/judged-specs.ts'
import type { Registry } from '#core/registry/registry.ts'
import { equalJson } from '#core/schema/json.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { claimsOf } from './claims.ts'
import {
  type Extensions,
  keywordPath,
  type Reference,
  referenceKeyword,
  type Unique,
  uniqueKeyword,
} from './extensions.ts'

const sliceLength = 100
/** Of the values that more than one object has, so many are named. */
const maxNamed = 5

/**
 * A step of admission: a definition cannot ask for what the objects that exist do not keep. Those who write at the same time
 * are let be; what they write is checked from then on.
 */
export function definitionCheck(registry: Registry) {
  return {
    name: 'DefinitionConstraints',
    validate(request: AdmissionRequest): Promise<void> | void {
      if (request.resource !== 'customresourcedefinitions' || request.group !== 'apiextensions.k8s.io') return
      const { object, oldObject, subresource } = request
      if (!object || subresource !== '') return
      const crd = object as unknown as CustomResourceDefinition
      const extensions = judgedExtensions(crd)
      if (!extensions) return
      const before = oldObject && judgedExtensions(oldObject as unknown as CustomResourceDefinition)
      return judge(registry, crd, { extensions, path: pathOfStored(crd), before })
    },
  }
}

function pathOfStored({ spec }: CustomResourceDefinition): string {
  return `spec.versions[${spec.versions.findIndex((version) => version.storage)}].schema.openAPIV3Schema`
}

async function judge(
  registry: Registry,
  crd: CustomResourceDefinition,
  { extensions, path, before }: { extensions: Extensions; path: string; before: Extensions | undefined },
): Promise<void> {
  const { group, names } = crd.spec
  const errors = extensions.references.flatMap((reference) => scopeErrors(reference, registry, path))
  const cache = registry.get(group, names.plural)?.cache
  const added = extensions.unique.filter((one) => !before?.unique.some((other) => equalJson(one, other)))
  for (const unique of cache ? added : []) {
    const repeated = await repeatedValues(cache!, unique)
    if (repeated.length > 0) {
      errors.push(forbidden(`${path}.${keywordPath(unique.place, uniqueKeyword)}`, describe(repeated)))
    }
  }
  const kind = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' }
  if (errors.length > 0) throw newInvalid(kind, crd.metadata.name ?? '', errors)
}

/** Of a kind that is served one knows whether its objects are in namespaces. */
function scopeErrors(
  { group, resource, kind, namespace, place }: Reference,
  registry: Registry,
  path: string,
): FieldError[] {
  const named = registry.groups.get(group)?.find((one) => one.resource === resource || one.kind === kind)
  if (!named || named.namespaced === (namespace !== 'cluster')) return []
  const field = `${path}.${keywordPath(place, referenceKeyword)}.namespace`
  const detail = named.namespaced
    ? `must not be cluster: ${named.resource} are in namespaces`
    : `must be cluster: ${named.resource} are not in namespaces`
  return [invalid(field, Array.isArray(namespace) ? `.${namespace.join('.')}` : namespace, detail)]
}

interface Repeated {
  value: unknown
  keys: Set<string>
}

async function repeatedValues(cache: ResourceCache, unique: Unique): Promise<Repeated[]> {
  const seen = new Map<string, Repeated>()
  const { entries } = cache.list('')
  for (const [at, { key, bytes }] of entries.entries()) {
    if (at > 0 && at % sliceLength === 0) await setImmediate()
    for (const { value, found } of claimsOf(reviveObject(bytes), unique)) {
      const known = seen.get(value)
      if (known) known.keys.add(key)
      else seen.set(value, { value: found.value, keys: new Set([key]) })
    }
  }
  return [...seen.values()].filter(({ keys }) => keys.size > 1)
}

function describe(repeated: readonly Repeated[]): string {
  const shown = repeated.slice(0, maxNamed).map(({ value, keys }) => {
    return `${JSON.stringify(value)} (${[...keys].slice(0, maxNamed).join(', ')}${keys.size > maxNamed ? ', ...' : ''})`
  })
  const more = repeated.length > maxNamed ? ` and ${repeated.length - maxNamed} more` : ''
  return `objects that exist have the same value: ${shown.join('; ')}${more}`
}
