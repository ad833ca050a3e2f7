import type { Patch } from './types.ts'

/**
 * The JSON merge patch that turns `from` into `to`, or undefined when nothing differs. Arrays are replaced whole.
 * Pass parts of objects to patch only those: `patchOf({ metadata: old.metadata }, { metadata })`.
 * @see https://www.rfc-editor.org/rfc/rfc7396
 */
export function patchOf(from: object, to: object): (Patch & { type: 'merge' }) | undefined {
  const body = difference(from as Fields, to as Fields)
  return body && { type: 'merge', body }
}

type Fields = Readonly<Record<string, unknown>>

function difference(from: Fields, to: Fields): Record<string, unknown> | undefined {
  const changed = new Map<string, unknown>()
  for (const key of Object.keys(from)) {
    if (from[key] !== undefined && own(to, key) === undefined) changed.set(key, null)
  }
  for (const [key, value] of Object.entries(to)) {
    const before = own(from, key)
    if (value === undefined || equalJson(before, value)) continue
    changed.set(key, isFields(before) && isFields(value) ? difference(before, value) : value)
  }
  return changed.size > 0 ? Object.fromEntries(changed) : undefined
}

const own = (fields: Fields, key: string) => (Object.hasOwn(fields, key) ? fields[key] : undefined)

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Equality of JSON values; a field that is undefined equals an absent one. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => equalJson(item, b[at]))
  }
  if (!isFields(a) || !isFields(b)) return false
  return containsAll(a, b) && containsAll(b, a)
}

const containsAll = (a: Fields, b: Fields) =>
  Object.keys(a).every((key) => a[key] === own(b, key) || equalJson(a[key], own(b, key)))
