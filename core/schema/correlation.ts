import type { JsonSchema } from '#core/registry/resource.ts'
import { canonicalText, equalJson, isObject, type JsonObject } from './json.ts'
import { propertyOf } from './schema-places.ts'

/** What in a value from before an update is the counterpart of what is in the value after it. */

/** The items of a list by the values of their keys; the first counts where there are several. */
export class ItemsByKey {
  readonly #keys: readonly string[]
  readonly #items = new Map<string, unknown>()

  constructor(keys: readonly string[], items: readonly unknown[]) {
    this.#keys = keys
    for (const item of items) {
      const text = keyText(keys, item)
      if (text !== undefined && !this.#items.has(text)) this.#items.set(text, item)
    }
  }

  /** The item with the same keys as this one. */
  counterpart(item: unknown): unknown {
    const text = keyText(this.#keys, item)
    return text === undefined ? undefined : this.#items.get(text)
  }
}

/** One text for the values of an item's keys; undefined for what lacks one, or is no object. */
function keyText(keys: readonly string[], item: unknown): string | undefined {
  if (!isObject(item)) return undefined
  const values: unknown[] = []
  for (const key of keys) {
    if (!Object.hasOwn(item, key)) return undefined
    values.push(item[key])
  }
  return canonicalText(values)
}

/** Compares values after an update with their counterparts from before it, each once, however often it is asked. */
export class Comparison {
  #known: Map<object, boolean> | undefined

  /**
   * Whether the update left a value as it was; the items of a keyed list may have changed places.
   * @param old its counterpart, undefined when it has none
   */
  isUnchanged(schema: JsonSchema | undefined, value: unknown, old: unknown): boolean {
    if (typeof value !== 'object' || value === null || typeof old !== 'object' || old === null) return value === old
    this.#known ??= new Map()
    let known = this.#known.get(value)
    if (known === undefined) {
      known = Array.isArray(value)
        ? Array.isArray(old) && this.#isSameList(schema, value, old)
        : !Array.isArray(old) && this.#isSameObject(schema, value as JsonObject, old as JsonObject)
      this.#known.set(value, known)
    }
    return known
  }

  #isSameList(schema: JsonSchema | undefined, items: readonly unknown[], old: readonly unknown[]): boolean {
    if (items.length !== old.length) return false
    const keys = schema && keysOf(schema)
    if (!keys) return equalJson(items, old)
    const before = new ItemsByKey(keys, old)
    return items.every((item) => {
      const counterpart = before.counterpart(item)
      return counterpart !== undefined && this.isUnchanged(schema.items, item, counterpart)
    })
  }

  #isSameObject(schema: JsonSchema | undefined, object: JsonObject, old: JsonObject): boolean {
    const keys = Object.keys(object)
    if (keys.length !== Object.keys(old).length) return false
    return keys.every((key) => {
      if (!Object.hasOwn(old, key)) return false
      return this.isUnchanged(schema && fieldSchema(schema, key), object[key], old[key])
    })
  }
}

function fieldSchema(schema: JsonSchema, key: string): JsonSchema | undefined {
  const values = schema.additionalProperties
  return propertyOf(schema, key) ?? (isObject(values) ? (values as JsonSchema) : undefined)
}

/** The keys that tell items of a list apart; undefined for lists whose items have no counterparts. */
export function keysOf(schema: JsonSchema): readonly string[] | undefined {
  const keys = schema['x-kubernetes-list-map-keys']
  return schema['x-kubernetes-list-type'] === 'map' && keys?.length ? keys : undefined
}
