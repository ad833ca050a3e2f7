import type { ConfigMap, Secret } from '@keelson/apis/core/v1/zz_generated.types.ts'
import { configmaps, secrets } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { Client, DeepReadonly } from '@keelson/client'
import { isForbidden, isNotFound } from '@keelson/client'
import type { Informer, Informers } from '@keelson/kit'
import type { KeyedValues, ObjectKind } from './pod/environment.ts'

/**
 * The ConfigMaps and Secrets that pods of this node refer to, each watched by itself for as long as a pod refers to it: the
 * agent may read no others, and a cluster may have many.
 */
export interface ObjectCache {
  /** The values now. The first look-up by `pod` (a uid) subscribes it until `release`. */
  values(pod: string, kind: ObjectKind, namespace: string, name: string): Promise<KeyedValues>
  /** Lets go of all that `pod` refers to. */
  release(pod: string): void
}

interface Watched {
  pods: Set<string>
  informer: Informer<ConfigMap> | Informer<Secret>
  drop(): void
}

/** @param onChange called with the uid of each pod that refers to an object that changed, appeared or went */
export function createObjectCache(client: Client, informers: Informers, onChange: (pod: string) => void): ObjectCache {
  const watched = new Map<string, Watched>()

  function watch(kind: ObjectKind, namespace: string, name: string): Watched {
    const options = { namespace, fieldSelector: `metadata.name=${name}` }
    const pods = new Set<string>()
    const ref = kind === 'configmap' ? configmaps : secrets
    const informer = informers.for<ConfigMap | Secret>(ref, options) as Watched['informer']
    const changed = () => pods.forEach(onChange)
    informer.on({ added: changed, updated: changed, deleted: changed })
    return { pods, informer, drop: () => informers.drop(ref, options) }
  }

  return {
    async values(pod, kind, namespace, name) {
      const key = JSON.stringify([kind, namespace, name])
      let entry = watched.get(key)
      if (!entry) watched.set(key, (entry = watch(kind, namespace, name)))
      entry.pods.add(pod)
      if (entry.informer.hasSynced) return valuesOf(entry.informer.get(namespace, name))
      const resource = client.resource<ConfigMap | Secret>(kind === 'configmap' ? configmaps : secrets)
      return resource.in(namespace).get(name).then(valuesOf, absentOrThrow)
    },
    release(pod) {
      for (const [key, entry] of watched) {
        if (!entry.pods.delete(pod) || entry.pods.size > 0) continue
        entry.drop()
        watched.delete(key)
      }
    },
  }
}

function absentOrThrow(error: unknown): undefined {
  if (isNotFound(error) || isForbidden(error)) return undefined
  throw error
}

function valuesOf(object: DeepReadonly<ConfigMap | Secret> | undefined): KeyedValues {
  if (!object) return undefined
  const decoded = (map: Readonly<Record<string, string>> | undefined, encoding: BufferEncoding) =>
    Object.entries(map ?? {}).map(([key, value]) => [key, Buffer.from(value, encoding)] as const)
  if ('binaryData' in object || object.kind === 'ConfigMap') {
    const { data, binaryData } = object as DeepReadonly<ConfigMap>
    return new Map([...decoded(data, 'utf8'), ...decoded(binaryData, 'base64')])
  }
  return new Map(decoded(object.data, 'base64'))
}
