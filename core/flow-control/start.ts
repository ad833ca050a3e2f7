import type { Logger } from '#apis/plugin/v1/host.ts'
import { monotonicClock } from '#core/clock.ts'
import type { CacheReader } from '#core/registry/object-reader.ts'
import type { Registry } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import type { PathEndpoint } from '#core/server/handler.ts'
import type { Metrics } from '#core/server/metrics.ts'
import type { ResourceInfo } from '#core/server/request-info.ts'
import { dumpEndpoint } from './dump.ts'
import { FlowControlFeed } from './feed.ts'
import { FlowControl, type ResourceStatistics } from './flow-control.ts'
import { FlowControlMetrics } from './flow-control-metrics.ts'
import type { FlowGate } from './gate.ts'
import { MaxInFlight } from './max-in-flight.ts'

export interface FlowControlFlags {
  /** Reads that may run at once; with priority and fairness, seats. */
  maxRequestsInflight: number
  /** Writes, likewise. */
  maxMutatingRequestsInflight: number
  enablePriorityAndFairness: boolean
  requestTimeoutMs: number
}

export interface RunningFlowControl extends Disposable {
  gate: FlowGate
  /** Makes the default objects. They are kept from then on. */
  keepDefaults(): Promise<void>
  /** Answers the debugging paths and leaves all others to `next`. */
  withDebugPaths(next: PathEndpoint): PathEndpoint
}

export interface FlowControlParts {
  registry: Registry
  store: ResourceStore
  reader: CacheReader
  metrics: Metrics
  log: Logger
}

const adjustEveryMs = 10_000
const keepEveryMs = 60_000
const longestWaitMs = 60_000

/** Starts what the flags ask for: priority and fairness, or only a limit. The default objects are kept either way. */
export function startFlowControl(flags: FlowControlFlags, parts: FlowControlParts): RunningFlowControl {
  const control = new FlowControl({
    clock: monotonicClock,
    serverLimit: flags.maxRequestsInflight + flags.maxMutatingRequestsInflight,
    waitLimitMs: Math.min(longestWaitMs, flags.requestTimeoutMs / 4),
    metrics: new FlowControlMetrics(parts.metrics),
    statistics: (info) => statisticsOf(parts.registry, info),
  })
  const feed = new FlowControlFeed({ ...parts, control })
  feed.start()
  const timers = [
    setInterval(() => control.adjust(), adjustEveryMs),
    setInterval(() => void feed.keepDefaults(), keepEveryMs),
  ]
  for (const timer of timers) timer.unref()
  const debug = dumpEndpoint(() => control.levels(), dateOf)
  return {
    gate: flags.enablePriorityAndFairness
      ? control
      : new MaxInFlight({ reads: flags.maxRequestsInflight, writes: flags.maxMutatingRequestsInflight }),
    keepDefaults: () => feed.keepDefaults(),
    withDebugPaths: (next) =>
      flags.enablePriorityAndFairness ? (exchange, path) => debug(exchange, path) || next(exchange, path) : next,
    [Symbol.dispose]: () => {
      for (const timer of timers) clearInterval(timer)
    },
  }
}

function dateOf(clockMs: number): Date {
  return new Date(Date.now() - (monotonicClock.now() - clockMs))
}

function statisticsOf(registry: Registry, { group, version, resource }: ResourceInfo): ResourceStatistics | undefined {
  const cache = registry.find(group, version, resource)?.resource.cache
  return cache && { objects: cache.size, watchers: cache.watchers }
}
