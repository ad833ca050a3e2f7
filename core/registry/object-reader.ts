import type { ObjectReader } from '#apis/plugin/v1/admission.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { Registry } from './registry.ts'
import { keyOf } from './resource-store.ts'

/** Reads objects from the watch cache. Objects parsed once for a revision are shared: treat them as `readonly`. */
export class CacheReader implements ObjectReader {
  readonly #registry: () => Registry
  readonly #parsed = new WeakMap<CacheEntry, unknown>()

  /** @param registry asked at each read, since the registry and what reads it are made together */
  constructor(registry: () => Registry) {
    this.#registry = registry
  }

  get<T>(group: string, resource: string, namespace: string, name: string): T | undefined {
    const entry = this.#registry().get(group, resource)?.cache.get(keyOf({ namespace, name }))
    return entry && this.#parse<T>(entry)
  }

  list<T>(group: string, resource: string, namespace = ''): T[] {
    const found = this.#registry()
      .get(group, resource)
      ?.cache.list(namespace && `${namespace}/`)
    return (found?.entries ?? []).map((entry) => this.#parse<T>(entry))
  }

  async waitFor<T>(
    group: string,
    resource: string,
    namespace: string,
    name: string,
    timeoutMs: number,
  ): Promise<T | undefined> {
    const now = this.get<T>(group, resource, namespace, name)
    const cache = this.#registry().get(group, resource)?.cache
    if (now !== undefined || !cache) return now
    const key = keyOf({ namespace, name })
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = cache.onChange((change) => change.entry.key === key && change.type !== 'DELETED' && resolve())
    const timer = setTimeout(resolve, timeoutMs)
    await promise
    stop()
    clearTimeout(timer)
    return this.get<T>(group, resource, namespace, name)
  }

  #parse<T>(entry: CacheEntry): T {
    let object = this.#parsed.get(entry)
    if (object === undefined) {
      object = reviveObject(entry.bytes)
      this.#parsed.set(entry, object)
    }
    return object as T
  }
}
