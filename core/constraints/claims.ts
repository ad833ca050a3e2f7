import { hash } from 'node:crypto'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { valueAt } from '#core/machinery/json-path.ts'
import { canonicalText } from '#core/schema/json.ts'
import type { Reference, Unique } from './extensions.ts'
import { type Found, foundAt, type Place, placeText } from './place.ts'

/** What one object has that its kind's constraints are about: pure functions of the object as it is stored. */

/** Where keys stand that are no objects. What is below them is made of text that any key may have. */
const uniqueRoot = '/registry/~unique'
const referenceRoot = '/registry/~reference'

export interface GroupResource {
  group: string
  resource: string
}

/** A value that no other object may have. */
export interface Claim {
  unique: Unique
  /** What the column of an index knows it by: the same for equal values in the same namespace, if that matters. */
  value: string
  found: Found
}

/** @returns every value, equal ones as often as they come */
export function claimsOf(object: UnstructuredObject, unique: Unique): Claim[] {
  const scope = unique.within === 'namespace' ? object.metadata.namespace : undefined
  return valuesAt(object, unique.place).map((found) => {
    const digest = hash('sha256', canonicalText(found.value), 'base64url')
    return { unique, value: `${scope ?? '~'}/${digest}`, found }
  })
}

/** The key in the store that stands for a claim: who made it has the value. */
export function claimKey(of: GroupResource, { unique, value }: Pick<Claim, 'unique' | 'value'>): string {
  return `${claimPrefix(of, unique)}${value}`
}

export function claimPrefix({ group, resource }: GroupResource, { place, within }: Unique): string {
  return `${uniqueRoot}/${group}/${resource}/${encodeURIComponent(placeText(place).toWellFormed())}/${within}/`
}

/** An object that another one names. */
export interface Mention {
  reference: Reference
  /** Its key within its resource. */
  target: string
  /** Empty for cluster scope. */
  namespace: string
  name: string
  found: Found
}

export function mentionsOf(object: UnstructuredObject, reference: Reference): Mention[] {
  return valuesAt(object, reference.place).flatMap((found) => {
    if (typeof found.value !== 'string') return []
    const namespace = namespaceOf(object, reference, found)
    const name = found.value
    return [{ reference, namespace, name, target: namespace ? `${namespace}/${name}` : name, found }]
  })
}

function namespaceOf(object: UnstructuredObject, { namespace }: Reference, { owner }: Found): string {
  const same = object.metadata.namespace ?? ''
  if (namespace === 'same') return same
  if (namespace === 'cluster') return ''
  const named = valueAt(owner, namespace)
  return typeof named === 'string' && named !== '' ? named : same
}

/** Below it there is a key for each object that names the target and holds it. @param target a key within its resource */
export function mentionPrefix({ group, resource }: GroupResource, target: string): string {
  const scoped = target.includes('/') ? target : `~/${target}`
  return `${referenceRoot}/${group || 'core'}/${resource}/${scoped}/`
}

/** The end of a key below `mentionPrefix`. @param key of the object that names, within its resource */
export function mentionSuffix({ group, resource }: GroupResource, key: string): string {
  return `${group}/${resource}/${key}`
}

/** What `mentionSuffix` has put together. */
export function whoMentions(suffix: string): GroupResource & { key: string } {
  const [group = '', resource = '', ...key] = suffix.split('/')
  return { group, resource, key: key.join('/') }
}

/** The values at a place that count: the empty text is none. */
export function valuesAt(object: UnstructuredObject, place: Place): Found[] {
  return foundAt(object, place).filter(({ value }) => value !== '')
}
