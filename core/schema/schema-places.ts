import type { FieldError } from '#apis/meta/v1/field-error.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { isObject } from './json.ts'

/** The places within a schema, and how Kubernetes writes them: `properties[spec].items.anyOf[0]`. */

/**
 * What later releases came to refuse, but leave to definitions that had a fault of the kind before: a type that is none,
 * a default with unknown fields, a set of granular items, keys of a list that may be absent or null.
 */
export type Ratchet = 'type' | 'unpruned' | 'set' | 'keys'

export interface SchemaFault extends FieldError {
  ratchet?: Ratchet
}

/** Adds all of them, however many: more than a call can take as arguments. */
export function append<T>(errors: T[], more: readonly T[]): void {
  for (const error of more) errors.push(error)
}

export const at = (path: string, child: string) => (path === '' ? child : `${path}.${child}`)

export const keyed = (path: string, child: string, key: string | number) => `${at(path, child)}[${key}]`

/** Whether a keyword that is no structure's is there: an empty object of most is as none. */
export function isSet(schema: JsonSchema, keyword: string): boolean {
  const value = (schema as Record<string, unknown>)[keyword]
  if (value === undefined || value === null || value === '') return false
  return keyword === 'additionalItems' || !isObject(value) || Object.keys(value).length > 0
}

export const propertiesOf = (schema: JsonSchema): [name: string, schema: JsonSchema][] =>
  Object.entries(schema.properties ?? {})

export function propertyOf({ properties }: JsonSchema, name: string): JsonSchema | undefined {
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined
}

export type Junctor = 'anyOf' | 'allOf' | 'oneOf' | 'not'
type Branch = [path: string, schema: JsonSchema, junctor: Junctor, index: number]

/** The schemas under a schema's junctors. */
export function branchLists(schema: JsonSchema, path = ''): Branch[] {
  const branches: Branch[] = []
  for (const junctor of ['anyOf', 'allOf', 'oneOf'] as const) {
    schema[junctor]?.forEach((branch, index) => {
      branches.push([keyed(path, junctor, index), branch, junctor, index])
    })
  }
  if (schema.not) branches.push([at(path, 'not'), schema.not, 'not', 0])
  return branches
}
