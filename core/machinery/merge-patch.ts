import { equalJson, isObject, type JsonObject, own, setOwn } from '#core/schema/json.ts'

/**
 * JSON Merge Patch: null removes, objects merge, all else replaces. May change `target` in place.
 * @see https://www.rfc-editor.org/rfc/rfc7386
 */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: JsonObject = isObject(target) ? target : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete result[key]
    else setOwn(result, key, applyMergePatch(own(result, key), value))
  }
  return result
}

/** The patch that makes `to` of `from`. Nulls in `to` cannot be expressed. */
export function createMergePatch(from: JsonObject, to: JsonObject): JsonObject {
  const patch: JsonObject = {}
  for (const key of Object.keys(from)) {
    if (!Object.hasOwn(to, key)) setOwn(patch, key, null)
  }
  for (const key of Object.keys(to)) {
    const before = own(from, key)
    const after = to[key]
    if (isObject(before) && isObject(after)) {
      const inner = createMergePatch(before, after)
      if (Object.keys(inner).length > 0) setOwn(patch, key, inner)
    } else if (!Object.hasOwn(from, key) || !equalJson(before, after)) {
      setOwn(patch, key, after)
    }
  }
  return patch
}
