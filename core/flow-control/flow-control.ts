import type { FlowSchema, PriorityLevelConfiguration } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { Clock } from '#core/clock.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { isReadOnly, isTrue, type RequestInfo, type ResourceInfo } from '#core/server/request-info.ts'
import { Classifier, type LevelFlow } from './classifier.ts'
import { configurationOf } from './configuration.ts'
import type { FlowControlMetrics } from './flow-control-metrics.ts'
import { type Admitted, answerTooManyRequests, type FlowGate } from './gate.ts'
import { currentLimits, seatBounds } from './limits.ts'
import { PriorityLevel } from './priority-level.ts'
import type { Refusal, Seat } from './queue-set.ts'
import { listWork, plainWork, type WorkEstimate, widestRequest, writeWork } from './work-estimate.ts'

/** What the estimate of a request's work asks of the resource it is about. */
export interface ResourceStatistics {
  /** How many there are. */
  objects: number
  watchers: number
}

export interface FlowControlOptions {
  clock: Clock
  /** Seats of the whole server. */
  serverLimit: number
  /** How long a request may wait in a queue. */
  waitLimitMs: number
  metrics: FlowControlMetrics
  /** Undefined for what is not served. */
  statistics(info: ResourceInfo): ResourceStatistics | undefined
}

const schemaHeader = 'x-kubernetes-pf-flowschema-uid'
const levelHeader = 'x-kubernetes-pf-prioritylevel-uid'

/**
 * API Priority and Fairness: sorts requests into flows of priority levels, and lets each level run as many as it has
 * seats, fairly among its flows.
 * @see https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
export class FlowControl implements FlowGate {
  readonly #options: FlowControlOptions
  readonly #levels = new Map<string, PriorityLevel>()
  #classifier: Classifier

  constructor(options: FlowControlOptions) {
    this.#options = options
    this.#classifier = this.#classifierOf([])
    this.configure([], [])
  }

  /**
   * Takes over what is stored; mandatory objects are there whether stored or not. Requests that run or wait go on.
   * @returns the names of schemas whose level is missing
   */
  configure(schemas: readonly FlowSchema[], levels: readonly PriorityLevelConfiguration[]): ReadonlySet<string> {
    const wanted = configurationOf(schemas, levels)
    const bounds = seatBounds(wanted.levels, this.#options.serverLimit)
    for (const level of this.#levels.values()) level.isQuiescing = true
    for (const [index, spec] of wanted.levels.entries()) {
      const standing = this.#levels.get(spec.name)
      if (standing) standing.configure(spec, bounds[index]!)
      else this.#levels.set(spec.name, new PriorityLevel(spec, bounds[index]!, this.#options))
    }
    this.#dropQuiet()
    this.#classifier = this.#classifierOf(wanted.schemas)
    this.#report()
    return wanted.dangling
  }

  /** Lends seats of levels that do not need them to levels that do. For every ten seconds. */
  adjust(): void {
    this.#dropQuiet()
    const levels = [...this.#levels.values()].filter((level) => !level.isQuiescing)
    const limits = currentLimits(
      levels.map((level) => level.takeDemand()),
      this.#options.serverLimit,
    )
    for (const [index, level] of levels.entries()) level.queues.limit = limits[index]!
    this.#report()
  }

  admit(exchange: Exchange, info: RequestInfo, user: UserInfo): Admitted | undefined | Promise<Admitted | undefined> {
    const flow = this.#classifier.classify(user, info)
    const { level } = flow
    exchange.setHeader(schemaHeader, flow.schemaUid)
    exchange.setHeader(levelHeader, level.spec.uid)
    if (level.spec.isExempt) return flow.enterFreely()
    const work = this.#workOf(exchange, info, flow)
    const entered = level.queues.enter(flow, work, (leave) => exchange.onEnd(leave), { info, user })
    return entered instanceof Promise
      ? entered.then((result) => seatOrAnswer(exchange, result))
      : seatOrAnswer(exchange, entered)
  }

  /** All levels, those included that are on their way out. */
  levels(): Iterable<PriorityLevel> {
    return this.#levels.values()
  }

  #workOf(exchange: Exchange, info: RequestInfo, { level }: LevelFlow): WorkEstimate {
    if (!info.isResource || info.verb === 'get') return plainWork
    const isRead = isReadOnly(info)
    if (isRead && info.verb !== 'list' && !isTrue(exchange.query.get('sendInitialEvents'))) return plainWork
    const statistics = this.#options.statistics(info)
    if (!statistics) return plainWork
    const widest = widestRequest(level.bounds.nominal)
    if (!isRead) return writeWork(statistics.watchers, widest)
    // What is no number the list itself refuses.
    const limit = Math.max(0, Number(exchange.query.get('limit') ?? 0) || 0)
    return listWork(statistics.objects, limit, info.name !== '', widest)
  }

  #dropQuiet(): void {
    for (const [name, level] of this.#levels) if (level.isQuiescing && level.isIdle) this.#levels.delete(name)
  }

  #classifierOf(schemas: readonly FlowSchema[]): Classifier {
    return new Classifier(schemas, this.#levels, (level, schema) => this.#options.metrics.meter(level, schema))
  }

  #report(): void {
    const figures = Array.from(this.#levels.values(), ({ spec, bounds, queues, smooth }) => ({
      name: spec.name,
      ...bounds,
      current: queues.limit,
      smoothDemand: smooth,
    }))
    this.#options.metrics.setLevels(figures)
  }
}

function seatOrAnswer(exchange: Exchange, result: Seat | Refusal): Seat | undefined {
  if (typeof result !== 'string') return result
  // Its deadline may have come while it waited.
  if (!exchange.answered) answerTooManyRequests(exchange)
}
