import type { Service } from '#apis/core/v1/zz_generated.types.ts'
import type { EndpointSlice } from '#apis/discovery/v1/zz_generated.types.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { Registry } from '#core/registry/registry.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { findTarget, type ServiceRef, type ServiceTarget } from './service-target.ts'

const serviceNameLabel = 'kubernetes.io/service-name'

/** Tells where a service can be reached now. */
export type ResolveService = (ref: ServiceRef) => ServiceTarget

export function serviceResolver(registry: Pick<Registry, 'get'>): ResolveService {
  return (ref) => {
    const { namespace, name } = ref
    const service = registry.get('', 'services')!.cache.get(`${namespace}/${name}`)
    const { cache } = registry.get('discovery.k8s.io', 'endpointslices')!
    const { entries } = cache.list(`${namespace}/`, (entry) => serviceOf(cache, entry) === `${namespace}/${name}`)
    const slices = entries.map((entry) => reviveObject(entry.bytes) as unknown as EndpointSlice)
    return findTarget(ref, service && (reviveObject(service.bytes) as unknown as Service), slices)
  }
}

/** `namespace/name` of the service whose endpoints an EndpointSlice lists. */
export function serviceOf(slices: ResourceCache, slice: CacheEntry): string {
  const { labels } = slice.facts(slices.extract)
  const name = Object.hasOwn(labels, serviceNameLabel) ? labels[serviceNameLabel]! : ''
  return slice.key.slice(0, slice.key.indexOf('/') + 1) + name
}
