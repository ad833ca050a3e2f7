import type { Counter, Family, Gauge, Histogram, Metrics } from './metrics.ts'
import { isLongRunning, isReadOnly, type RequestInfo, type ResourceInfo } from './request-info.ts'
import type { ObservedRequest, RequestMetrics } from './request-metrics.ts'

/**
 * The API server's metrics under Kubernetes' names, for the dashboards people have.
 * @see https://kubernetes.io/docs/reference/instrumentation/metrics/
 */
const requestSeconds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
const storageSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

const requestLabels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope']

const verbLabels = new Map([
  ['get', 'GET'],
  ['list', 'LIST'],
  ['watch', 'WATCH'],
  ['create', 'POST'],
  ['update', 'PUT'],
  ['patch', 'PATCH'],
  ['delete', 'DELETE'],
  ['deletecollection', 'DELETECOLLECTION'],
  ['post', 'POST'],
  ['put', 'PUT'],
  ['options', 'OPTIONS'],
])

/** The children of one kind of request. */
class RequestSeries implements ObservedRequest {
  readonly inflight: Gauge
  readonly #total: Family<Counter>
  readonly #labels: readonly string[]
  readonly #duration: Histogram | undefined
  readonly #byCode = new Map<number, Counter>()

  /** @param duration absent for requests that last as long as the client likes */
  constructor(total: Family<Counter>, labels: readonly string[], inflight: Gauge, duration: Histogram | undefined) {
    this.#total = total
    this.#labels = labels
    this.inflight = inflight
    this.#duration = duration
  }

  ended(status: number, ms: number): void {
    this.inflight.dec()
    this.#duration?.observe(ms / 1000)
    let counter = this.#byCode.get(status)
    if (!counter) {
      counter = this.#total.with(...this.#labels, String(status))
      this.#byCode.set(status, counter)
    }
    counter.inc()
  }
}

export class ApiServerMetrics implements RequestMetrics {
  readonly #isServed: (info: ResourceInfo) => boolean
  readonly #total: Family<Counter>
  readonly #duration: Family<Histogram>
  readonly #inflight: Family<Gauge>
  readonly #longRunning: Family<Gauge>
  readonly #watchEvents: Family<Counter>
  readonly #objects: Family<Gauge>
  readonly #storage: Family<Histogram>
  readonly #series = new Map<string, RequestSeries>()

  /** @param isServed false for paths that name nothing: they are counted together, or anyone could make up label values */
  constructor(metrics: Metrics, isServed: (info: ResourceInfo) => boolean) {
    this.#isServed = isServed
    this.#total = metrics.counter('apiserver_request_total', 'Requests answered, by kind of request and HTTP code.', [
      ...requestLabels,
      'code',
    ])
    this.#duration = metrics.histogram(
      'apiserver_request_duration_seconds',
      'Time from request to answer, long-running requests left out.',
      requestLabels,
      requestSeconds,
    )
    this.#inflight = metrics.gauge('apiserver_current_inflight_requests', 'Requests being answered.', ['request_kind'])
    this.#longRunning = metrics.gauge(
      'apiserver_longrunning_requests',
      'Watches, logs and other long-running requests being answered.',
      requestLabels,
    )
    this.#watchEvents = metrics.counter('apiserver_watch_events_total', 'Events sent to watchers.', [
      'group',
      'version',
      'resource',
    ])
    this.#objects = metrics.gauge('apiserver_storage_objects', 'Objects stored, by resource.', ['resource'])
    this.#storage = metrics.histogram(
      'etcd_request_duration_seconds',
      'Time the store takes, by operation and resource.',
      ['operation', 'type'],
      storageSeconds,
    )
  }

  begin(info: RequestInfo | undefined): ObservedRequest {
    const series = this.#seriesOf(info)
    series.inflight.inc()
    return series
  }

  /** Keep what it returns. */
  watchEvents(group: string, version: string, resource: string): Counter {
    return this.#watchEvents.with(group, version, resource)
  }

  /** Replaces what was told before. @param counts by `pods`, `deployments.apps` */
  setStorageObjects(counts: Iterable<readonly [resource: string, count: number]>): void {
    this.#objects.clear()
    for (const [resource, count] of counts) this.#objects.with(resource).set(count)
  }

  /** In seconds. @param operation `get`, `list`, `create`, `update`, `delete` @param type `/registry/pods` */
  storageRequests(operation: string, type: string): Histogram {
    return this.#storage.with(operation, type)
  }

  #seriesOf(info: RequestInfo | undefined): RequestSeries {
    const key = keyOf(info)
    const known = this.#series.get(key)
    if (known) return known
    // Anyone may ask for what is not there, in endless variety: that is counted under its verb.
    if (info?.isResource && !this.#isServed(info)) {
      return this.#seriesOf({ isResource: false, verb: info.verb, path: '' })
    }
    const labels = labelsOf(info)
    const kind = info && isReadOnly(info) ? 'readOnly' : 'mutating'
    const isLong = info !== undefined && isLongRunning(info)
    const series = new RequestSeries(
      this.#total,
      labels,
      isLong ? this.#longRunning.with(...labels) : this.#inflight.with(kind),
      isLong ? undefined : this.#duration.with(...labels),
    )
    this.#series.set(key, series)
    return series
  }
}

function labelsOf(info: RequestInfo | undefined): string[] {
  const verb = verbLabels.get(info?.verb ?? '') ?? 'OTHER'
  if (!info?.isResource) return [verb, '', '', '', '', '']
  return [verb, info.group, info.version, info.resource, info.subresource, scopeOf(info)]
}

/** What of a request its labels are made of, for all that look alike. */
function keyOf(info: RequestInfo | undefined): string {
  const verb = info && verbLabels.has(info.verb) ? info.verb : ''
  if (!info?.isResource) return verb
  return `${verb} ${info.group} ${info.version} ${info.resource} ${info.subresource} ${scopeOf(info)}`
}

function scopeOf({ name, namespace }: ResourceInfo): string {
  if (name) return 'resource'
  return namespace ? 'namespace' : 'cluster'
}
