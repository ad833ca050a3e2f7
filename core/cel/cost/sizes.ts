/** How large values are, in the units in which Kubernetes charges for them. */
import { size } from '../text.ts'
import { Bytes, CelMap, CelValue, Opaque, Optional, type Value } from '../values.ts'

/** Code points of a string, bytes, items of a list, entries of a map; 1 for all else, and for none. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return size(value)
  if (typeof value !== 'object' || value === null) return 1
  if (Array.isArray(value)) return value.length
  if (!(value instanceof CelValue)) return countKeys(value)
  if (value instanceof Bytes) return value.data.length
  if (value instanceof CelMap) return value.size
  if (value instanceof Optional) return value.value === undefined ? 1 : sizeOf(value.value)
  return value instanceof Opaque ? value.size : 1
}

/** Faster than a list of the keys; objects of JSON inherit none. */
function countKeys(object: object): number {
  let count = 0
  for (const _ in object) count++
  return count
}
