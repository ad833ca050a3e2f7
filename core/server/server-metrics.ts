import type { Registry, Resource } from '#core/registry/registry.ts'
import { ApiServerMetrics } from './api-server-metrics.ts'
import { Metrics } from './metrics.ts'
import { addProcessMetrics } from './process-metrics.ts'
import type { ResourceInfo } from './request-info.ts'
import type { RequestMetrics } from './request-metrics.ts'

export interface ServerMetrics extends RequestMetrics {
  /** For parts of the server with metrics of their own. */
  families: Metrics
  text(): string
}

/** What `/metrics` tells of this server. */
export function createServerMetrics(registry: Registry): ServerMetrics {
  const metrics = new Metrics()
  const server = new ApiServerMetrics(metrics, (info) => isServed(registry, info))
  addProcessMetrics(metrics)
  metrics.beforeEach(() => server.setStorageObjects(countObjects(registry.all())))
  return {
    begin: (info) => server.begin(info),
    families: metrics,
    text: () => metrics.text(),
  }
}

const everyKindMayHave = new Set(['', 'status', 'scale'])

function isServed(registry: Registry, { group, version, resource, subresource }: ResourceInfo): boolean {
  const served = registry.find(group, version, resource)
  if (!served) return false
  const own = served.resource.definition.keelson?.subresources
  return everyKindMayHave.has(subresource) || (own !== undefined && Object.hasOwn(own, subresource))
}

function* countObjects(resources: Iterable<Resource>): Generator<[string, number]> {
  for (const { definition, home, cache } of resources) {
    if (home !== definition || definition.keelson?.virtual !== undefined) continue
    yield [definition.group ? `${definition.resource}.${definition.group}` : definition.resource, cache.size]
  }
}
