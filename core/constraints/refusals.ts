import { duplicate, type FieldError, notFound } from '#apis/meta/v1/field-error.ts'
import { newConflict } from '#core/errors/status-error.ts'
import type { Resource } from '#core/registry/registry.ts'
import { nameOfKey } from '#core/registry/resource-store.ts'
import type { Claim, Mention } from './claims.ts'

/** What is said of a write that does not keep a constraint. Objects of other namespaces are not named. */

export function repeatedValue({ found }: Claim): FieldError {
  return because(duplicate(found.path, found.value), 'another field of this object has it')
}

/** @param holder key of the object that has the value @param key of the one that wants it */
export function takenValue({ found }: Claim, holder: string, key: string): FieldError {
  const isNear = nameOfKey(holder).namespace === nameOfKey(key).namespace
  const who = isNear ? JSON.stringify(nameOfKey(holder).name) : 'an object in another namespace'
  return because(duplicate(found.path, found.value), `${who} has it`)
}

export function unknownResource(mention: Mention): FieldError {
  const { group, resource, kind } = mention.reference
  return nothingThere(mention, `no resource ${JSON.stringify(`${resource ?? kind}${group && `.${group}`}`)} is served`)
}

export function otherScope(mention: Mention, { definition }: Resource): FieldError {
  const { resource, namespaced } = definition
  return nothingThere(
    mention,
    `${resource} are ${namespaced ? 'in namespaces, and none is named' : 'not in namespaces'}`,
  )
}

/** @param state such as `does not exist` */
export function missingTarget(mention: Mention, { definition }: Resource, state: string): FieldError {
  const { namespace, name } = mention
  const where = namespace && ` in namespace ${JSON.stringify(namespace)}`
  return nothingThere(mention, `${nameOf(definition)} ${JSON.stringify(name)}${where} ${state}`)
}

/** Of a deletion. @param key of the object that is to go @param holder key of the one that names it */
export function heldObject({ definition }: Resource, key: string, by: Resource, holder: string): Error {
  const isNear = nameOfKey(holder).namespace === nameOfKey(key).namespace || nameOfKey(holder).namespace === ''
  const who = isNear ? JSON.stringify(nameOfKey(holder).name) : 'in another namespace'
  return newConflict(definition, nameOfKey(key).name, `it is in use by ${nameOf(by.definition)} ${who}`)
}

function nothingThere({ found }: Mention, why: string): FieldError {
  return because(notFound(found.path, found.value), why)
}

function because(error: FieldError, why: string): FieldError {
  return { ...error, message: `${error.message}: ${why}` }
}

function nameOf({ group, resource }: { group: string; resource: string }): string {
  return group ? `${resource}.${group}` : resource
}
