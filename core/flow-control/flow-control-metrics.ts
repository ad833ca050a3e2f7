import type { Counter, Family, Gauge, Histogram, Metrics } from '#core/server/metrics.ts'

/**
 * The metrics of API Priority and Fairness under Kubernetes' names.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/#metrics
 */
const waitSeconds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const bySchema = ['priority_level', 'flow_schema']

/** Of the requests one schema sends to one level. Observing is additions. */
export class FlowMeter {
  readonly #executing: Gauge
  readonly #executingSeats: Gauge
  readonly #inQueue: Gauge
  readonly #dispatched: Counter
  readonly #waited: Histogram
  readonly #gaveUp: Histogram
  readonly #rejected: (reason: string) => Counter

  constructor(metrics: FlowControlMetrics, level: string, schema: string) {
    this.#executing = metrics.executing.with(level, schema)
    this.#executingSeats = metrics.executingSeats.with(level, schema)
    this.#inQueue = metrics.inQueue.with(level, schema)
    this.#dispatched = metrics.dispatched.with(level, schema)
    this.#waited = metrics.waited.with(level, schema, 'true')
    this.#gaveUp = metrics.waited.with(level, schema, 'false')
    this.#rejected = (reason) => metrics.rejected.with(level, schema, reason)
  }

  started(seats: number): void {
    this.#executing.inc()
    this.#executingSeats.inc(seats)
    this.#dispatched.inc()
  }

  ended(seats: number): void {
    this.#executing.dec()
    this.#executingSeats.dec(seats)
  }

  /** @param change 1 for one that comes into a queue, -1 for one that leaves it */
  queued(change: number): void {
    this.#inQueue.inc(change)
  }

  waited(ms: number, isDispatched: boolean): void {
    const histogram = isDispatched ? this.#waited : this.#gaveUp
    histogram.observe(ms / 1000)
  }

  refused(reason: string): void {
    this.#rejected(reason).inc()
  }
}

export interface LevelFigures {
  name: string
  nominal: number
  min: number
  max: number
  current: number
  smoothDemand: number
}

export class FlowControlMetrics {
  readonly executing: Family<Gauge>
  readonly executingSeats: Family<Gauge>
  readonly inQueue: Family<Gauge>
  readonly dispatched: Family<Counter>
  readonly waited: Family<Histogram>
  readonly rejected: Family<Counter>
  readonly #levels: Readonly<Record<Exclude<keyof LevelFigures, 'name'>, Family<Gauge>>>
  readonly #meters = new Map<string, FlowMeter>()

  constructor(metrics: Metrics) {
    const name = (last: string) => `apiserver_flowcontrol_${last}`
    this.executing = metrics.gauge(
      name('current_executing_requests'),
      'Requests that run; of a watch, only its beginning.',
      bySchema,
    )
    this.executingSeats = metrics.gauge(name('current_executing_seats'), 'Seats of the requests that run.', bySchema)
    this.inQueue = metrics.gauge(name('current_inqueue_requests'), 'Requests that wait in queues.', bySchema)
    this.dispatched = metrics.counter(name('dispatched_requests_total'), 'Requests that were let run.', bySchema)
    this.waited = metrics.histogram(
      name('request_wait_duration_seconds'),
      'Time requests spent in queues, by whether they then ran.',
      [...bySchema, 'execute'],
      waitSeconds,
    )
    this.rejected = metrics.counter(name('rejected_requests_total'), 'Requests refused, by reason.', [
      ...bySchema,
      'reason',
    ])
    const ofLevel = (last: string, help: string) => metrics.gauge(name(last), help, ['priority_level'])
    this.#levels = {
      nominal: ofLevel('nominal_limit_seats', 'Seats a level has by its shares.'),
      min: ofLevel('lower_limit_seats', 'Seats a level never lends.'),
      max: ofLevel('upper_limit_seats', 'Seats a level has with all it may borrow.'),
      current: ofLevel('current_limit_seats', 'Seats a level has now.'),
      smoothDemand: ofLevel('demand_seats_smoothed', 'Seats a level is expected to want.'),
    }
  }

  meter(level: string, schema: string): FlowMeter {
    const key = JSON.stringify([level, schema])
    let meter = this.#meters.get(key)
    if (!meter) {
      meter = new FlowMeter(this, level, schema)
      this.#meters.set(key, meter)
    }
    return meter
  }

  /** Replaces what was told of levels before. */
  setLevels(levels: readonly LevelFigures[]): void {
    for (const family of Object.values(this.#levels)) family.clear()
    for (const { name, ...figures } of levels) {
      for (const [figure, value] of Object.entries(figures)) {
        this.#levels[figure as keyof typeof figures].with(name).set(value)
      }
    }
  }
}
