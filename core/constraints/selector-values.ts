import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { foundAt, type Place } from './place.ts'

/** What a field selector compares with: the values at a place as texts. An object without any has the empty text there. */
export function selectorValues(object: UnstructuredObject, place: Place): string[] {
  const values = foundAt(object, place).map(({ value }) => (typeof value === 'string' ? value : String(value)))
  return values.length > 0 ? values : ['']
}
