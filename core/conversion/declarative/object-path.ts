import { isObject, type JsonObject, own, setOwn } from '#core/schema/json.ts'

/** Fields within an object by paths such as `spec.size`. Only own properties count. */

/** @returns undefined when there is nothing */
export function valueAt(object: JsonObject, path: string): unknown {
  let at: unknown = object
  for (const name of path.split('.')) {
    if (!isObject(at)) return undefined
    at = own(at, name)
  }
  return at
}

/** Sets a field, and makes the objects on the way there; undefined takes it away. What is no object on the way is replaced. */
export function setAt(object: JsonObject, path: string, value: unknown): void {
  const names = path.split('.')
  let at = object
  for (const name of names.slice(0, -1)) {
    const next = own(at, name)
    if (isObject(next)) {
      at = next
      continue
    }
    if (value === undefined) return
    const made: JsonObject = {}
    setOwn(at, name, made)
    at = made
  }
  const last = names.at(-1)!
  if (value === undefined) delete at[last]
  else setOwn(at, last, value)
}
