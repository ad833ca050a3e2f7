import { readdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

/** Adds what Prometheus' client libraries tell of any process, and of any Node process. */
export function addProcessMetrics(metrics: Metrics): void {
  const cpu = metrics.counter('process_cpu_seconds_total', 'CPU time, user and system.').with()
  const resident = metrics.gauge('process_resident_memory_bytes', 'Resident memory.').with()
  const files = metrics.gauge('process_open_fds', 'Open file descriptors.').with()
  const started = metrics.gauge('process_start_time_seconds', 'Start, in seconds since the epoch.').with()
  const heapTotal = metrics.gauge('nodejs_heap_size_total_bytes', 'Heap reserved.').with()
  const heapUsed = metrics.gauge('nodejs_heap_size_used_bytes', 'Heap used.').with()
  const external = metrics
    .gauge('nodejs_external_memory_bytes', 'Memory of buffers and other objects outside the heap.')
    .with()
  const busy = metrics
    .gauge('nodejs_eventloop_utilization', 'Share of the time since the last scrape the event loop was busy.')
    .with()
  started.set(performance.timeOrigin / 1000)

  let lastLoop = performance.eventLoopUtilization()
  metrics.beforeEach(() => {
    const { user, system } = process.cpuUsage()
    const memory = process.memoryUsage()
    cpu.value = (user + system) / 1e6
    resident.set(memory.rss)
    heapTotal.set(memory.heapTotal)
    heapUsed.set(memory.heapUsed)
    external.set(memory.external)
    files.set(countOpenFiles())
    const loop = performance.eventLoopUtilization()
    busy.set(performance.eventLoopUtilization(loop, lastLoop).utilization)
    lastLoop = loop
  })
}

/** @returns 0 where the system does not tell */
function countOpenFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
