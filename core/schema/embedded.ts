import { type FieldError, invalid, required } from '#apis/meta/v1/field-error.ts'
import { dns1035LabelFaults, pathSegmentFaults } from '#apis/meta/v1/names.ts'
import type { ObjectMeta } from '#apis/meta/v1/types.ts'
import { validateObjectMeta } from '#apis/meta/v1/validate-object-meta.ts'
import { isObject, type JsonObject, own } from './json.ts'

/**
 * What a resource within another must say of itself: what it is, and metadata that could be its own.
 * @param path where it is
 * @param hasSoundMetadata whether the fields of its metadata have the right types
 */
export function embeddedErrors(object: JsonObject, path: string, hasSoundMetadata: boolean): FieldError[] {
  const at = (name: string) => (path === '' ? name : `${path}.${name}`)
  const errors = (['apiVersion', 'kind'] as const).flatMap((name) => {
    const value = own(object, name)
    if (value === undefined || value === null) return [required(at(name))]
    if (typeof value !== 'string') return [invalid(at(name), value, 'must be a string')]
    return faultsOf[name](value).map((fault) => invalid(at(name), value, fault))
  })
  const metadata = own(object, 'metadata')
  if (!hasSoundMetadata || !isObject(metadata)) return errors
  const meta = metadata as ObjectMeta
  const named = { ...meta, name: meta.name || 'unnamed' }
  const rules = { namespaced: Boolean(meta.namespace), nameFaults: pathSegmentFaults }
  return [...errors, ...validateObjectMeta(named, rules, at('metadata'))]
}

const faultsOf = {
  apiVersion(value: string): string[] {
    if (value === '') return ['must not be empty']
    return value.split('/').length > 2 ? [`unexpected GroupVersion string: ${value}`] : []
  },
  kind(value: string): string[] {
    if (value === '') return ['must not be empty']
    const faults = dns1035LabelFaults(value.toLowerCase())
    return faults.length > 0 ? [`may have mixed case, but should otherwise match: ${faults.join(',')}`] : []
  },
} as const
