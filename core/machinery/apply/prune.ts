import { difference, type FieldSet, intersection, union } from '#core/machinery/field-paths/field-set.ts'
import type { JsonObject } from '#core/schema/json.ts'
import { fieldsOf, withNamedFields } from './fields.ts'
import { removePaths } from './remove.ts'
import type { Node } from './structure.ts'

/**
 * Takes away what a manager applied the last time and nobody owns any more.
 * @param merged the object with what he applies now
 * @param last what he owned by his last apply
 * @param owned what anybody owns, his new fields included
 */
export function prune(node: Node, merged: JsonObject, last: FieldSet, owned: FieldSet): JsonObject {
  const given = withNamedFields(node, last)
  const all = withNamedFields(node, fieldsOf(node, merged))
  const without = (paths: FieldSet) => removePaths(node, merged, paths) as JsonObject
  const remaining = (paths: FieldSet) => withNamedFields(node, fieldsOf(node, without(paths)))
  // What others own comes back, and with it what it stands in; then what nobody gave up.
  const kept = union(remaining(given), withNamedFields(node, owned))
  const back = remaining(difference(all, kept))
  return without(intersection(difference(all, back), given))
}
