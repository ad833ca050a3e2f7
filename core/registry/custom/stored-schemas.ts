import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { JsonSchema } from '../resource.ts'
import { schemaIn } from './definition.ts'

/**
 * The schemas of one CustomResourceDefinition, in the bytes that the cache has of it: parsed they are five times as large,
 * and of thousands of definitions few are in use at a time. What is parsed is the same object for as long as anybody has it.
 */
export class StoredSchemas {
  #entry: CacheEntry
  #parsed: Map<string, WeakRef<JsonSchema>> | undefined

  constructor(entry: CacheEntry) {
    entry.hold()
    this.#entry = entry
  }

  /** Takes what somebody read from the bytes, which is not read again until it is collected. */
  remember(crd: CustomResourceDefinition): void {
    for (const { name } of crd.spec.versions) this.#remember(name, schemaIn(crd, name))
  }

  /** Reads from another state of the same object, in which no schema differs. */
  moveTo(entry: CacheEntry): void {
    entry.hold()
    this.#entry.letGo()
    this.#entry = entry
  }

  /** The cache need not keep the bytes any more. Whoever has the definition still may still ask. */
  release(): void {
    this.#entry.letGo()
  }

  of(version: string): JsonSchema {
    const known = this.#parsed?.get(version)?.deref()
    if (known) return known
    const schema = schemaIn(reviveObject(this.#entry.bytes) as unknown as CustomResourceDefinition, version)
    this.#remember(version, schema)
    return schema
  }

  #remember(version: string, schema: JsonSchema): void {
    this.#parsed ??= new Map()
    if (!this.#parsed.get(version)?.deref()) this.#parsed.set(version, new WeakRef(schema))
  }
}
