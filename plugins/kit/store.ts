import type { KubeObject } from '@keelson/apis/meta/v1/types.ts'
import type { DeepReadonly } from '@keelson/client'

/** Objects by namespace and name, and under whatever further keys an index gives them. The memory of an informer. */
export interface Store<T extends KubeObject> {
  get(namespace: string, name: string): DeepReadonly<T> | undefined
  list(namespace?: string): DeepReadonly<T>[]
  byIndex(index: string, key: string): DeepReadonly<T>[]
  addIndex(name: string, keys: IndexFunction<T>): void
  /** @returns what it replaced */
  set(object: DeepReadonly<T>): DeepReadonly<T> | undefined
  remove(namespace: string, name: string): DeepReadonly<T> | undefined
}

export type IndexFunction<T> = (object: DeepReadonly<T>) => readonly string[]

interface Index<T> {
  keys: IndexFunction<T>
  objects: Map<string, Set<DeepReadonly<T>>>
}

/** Objects of cluster scope live under the empty namespace. */
export function createStore<T extends KubeObject>(): Store<T> {
  const namespaces = new Map<string, Map<string, DeepReadonly<T>>>()
  const indexes = new Map<string, Index<T>>()

  function* all() {
    for (const objects of namespaces.values()) yield* objects.values()
  }

  function reindex(old: DeepReadonly<T> | undefined, object: DeepReadonly<T> | undefined): void {
    for (const index of indexes.values()) {
      if (old) unlink(index, old)
      if (object) link(index, object)
    }
  }

  return {
    get: (namespace, name) => namespaces.get(namespace)?.get(name),
    list: (namespace) => [...(namespace === undefined ? all() : (namespaces.get(namespace)?.values() ?? []))],
    byIndex(name, key) {
      const index = indexes.get(name)
      if (!index) throw new Error(`there is no index named "${name}"`)
      return [...(index.objects.get(key) ?? [])]
    },
    addIndex(name, keys) {
      if (indexes.has(name)) return
      const index: Index<T> = { keys, objects: new Map() }
      for (const object of all()) link(index, object)
      indexes.set(name, index)
    },
    set(object) {
      const { namespace, name } = placeOf(object)
      const siblings = namespaces.get(namespace) ?? new Map<string, DeepReadonly<T>>()
      const old = siblings.get(name)
      siblings.set(name, object)
      namespaces.set(namespace, siblings)
      reindex(old, object)
      return old
    },
    remove(namespace, name) {
      const siblings = namespaces.get(namespace)
      const old = siblings?.get(name)
      if (!siblings || !old) return undefined
      siblings.delete(name)
      if (siblings.size === 0) namespaces.delete(namespace)
      reindex(old, undefined)
      return old
    },
  }
}

export function placeOf(object: DeepReadonly<KubeObject>): { namespace: string; name: string } {
  const { namespace = '', name = '' } = object.metadata
  return { namespace, name }
}

function link<T>(index: Index<T>, object: DeepReadonly<T>): void {
  for (const key of index.keys(object)) {
    const found = index.objects.get(key)
    if (found) found.add(object)
    else index.objects.set(key, new Set([object]))
  }
}

function unlink<T>(index: Index<T>, object: DeepReadonly<T>): void {
  for (const key of index.keys(object)) {
    const found = index.objects.get(key)
    found?.delete(object)
    if (found?.size === 0) index.objects.delete(key)
  }
}
