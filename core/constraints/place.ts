import { isObject, type JsonObject } from '#core/schema/json.ts'

/**
 * Where in an object a schema has a say: a path through properties, all items of lists and all values of maps.
 * `spec.ports[*].name` is `['spec', 'ports', items, 'name']`.
 */
export type Place = readonly Step[]
export type Step = { property: string } | 'items' | 'values'

/** A value at a place. */
export interface Found {
  value: unknown
  /** Of this value: `spec.ports[1].name`. */
  path: string
  /** The innermost object on the way whose field it is, or is in. */
  owner: JsonObject
}

const plainName = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** As a field selector names it: `spec.ports[*].name`; what is no plain name stands in quotes. */
export function placeText(place: Place): string {
  let text = ''
  for (const step of place) text += typeof step === 'string' ? '[*]' : propertyText(step.property, text === '')
  return text
}

function propertyText(name: string, isFirst: boolean): string {
  if (!plainName.test(name)) return `[${JSON.stringify(name)}]`
  return isFirst ? name : `.${name}`
}

/** Whether a field selector can name it: every property on the way has a plain name. */
export function isSelectable(place: Place): boolean {
  return place.every((step) => typeof step === 'string' || plainName.test(step.property))
}

/** The values at a place, in order; none where a step is missing or null. */
export function foundAt(object: JsonObject, place: Place): Found[] {
  let found: Found[] = [{ value: object, path: '', owner: object }]
  for (const step of place) found = found.flatMap((one) => follow(one, step))
  return found.filter(({ value }) => value !== undefined && value !== null)
}

function follow({ value, path, owner }: Found, step: Step): Found[] {
  if (step === 'items') {
    return Array.isArray(value) ? value.map((item, at) => ({ value: item, path: `${path}[${at}]`, owner })) : []
  }
  if (!isObject(value)) return []
  if (step === 'values') {
    return Object.entries(value).map(([key, one]) => ({ value: one, path: `${path}[${key}]`, owner }))
  }
  const { property } = step
  if (!Object.hasOwn(value, property)) return []
  return [{ value: value[property], path: path + propertyText(property, path === ''), owner: value }]
}
