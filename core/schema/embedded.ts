import { type FieldError, invalid, required } from '#apis/meta/v1/field-error.ts'
import { dns1035LabelFaults, pathSegmentFaults } from '#apis/meta/v1/names.ts'
import type { ObjectMeta } from '#apis/meta/v1/types.ts'
import { validateObjectMeta } from '#apis/meta/v1/validate-object-meta.ts'
import { isObject, type JsonObject, own } from './json.ts'
import type { SchemaNode } from './node.ts'
import { typeError } from './type-errors.ts'

/**
 * What a resource within another must say of itself: what it is, and metadata that could be its own.
 * @param path where it is
 * @param hasSoundMetadata whether the fields of its metadata have the right types
 */
export function embeddedErrors(object: JsonObject, path: string, hasSoundMetadata: boolean): FieldError[] {
  const at = (name: string) => dotted(path, name)
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

/** The first thing that resources within a value say of themselves in the wrong JSON type. */
export function coercionError(node: SchemaNode, value: unknown, path: string): FieldError | undefined {
  const children = Array.isArray(value)
    ? value.map((item, at) => [node.items, item, `${path}[${at}]`] as const)
    : isObject(value)
      ? Object.entries(value).map(
          ([name, child]) => [node.property(name) ?? node.additional, child, dotted(path, name)] as const,
        )
      : []
  if (node.isEmbedded && isObject(value)) {
    const misfit = ownMisfit(node, value, path)
    if (misfit) return misfit
  }
  for (const [child, inner, innerPath] of children) {
    const misfit = child && coercionError(child, inner, innerPath)
    if (misfit) return misfit
  }
  return undefined
}

const dotted = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

function ownMisfit(node: SchemaNode, object: JsonObject, path: string): FieldError | undefined {
  for (const name of ['apiVersion', 'kind']) {
    const value = own(object, name)
    if (value !== undefined && typeof value !== 'string') return invalid(dotted(path, name), value, 'must be a string')
  }
  const metadata = own(object, 'metadata')
  const mismatch = metadata === undefined ? undefined : typeError(node.property('metadata')!, metadata)
  return mismatch === undefined ? undefined : invalid(dotted(path, 'metadata'), metadata, mismatch)
}
