import type { Clock } from '#core/clock.ts'
import { equalJson } from '#core/schema/json.ts'
import type { LevelSpec } from './configuration.ts'
import type { LevelDemand, SeatBounds } from './limits.ts'
import { smoothDemand } from './limits.ts'
import { QueueSet } from './queue-set.ts'

/** One priority level at work: its seats, its queues, and what it lends and borrows. */
export class PriorityLevel {
  readonly queues: QueueSet
  spec: LevelSpec
  bounds: SeatBounds
  smooth = 0
  /** The level is no longer wanted; it goes when its last request has. */
  isQuiescing = false
  /** Requests of an exempt level, which are only counted. */
  #running = 0
  #mostRunning = 0

  constructor(spec: LevelSpec, bounds: SeatBounds, options: { clock: Clock; waitLimitMs: number }) {
    this.spec = spec
    this.bounds = bounds
    this.queues = new QueueSet({ ...options, limit: bounds.nominal, ...(spec.queuing && { queuing: spec.queuing }) })
  }

  get isIdle(): boolean {
    return this.queues.isIdle && this.#running === 0
  }

  get executing(): number {
    return this.queues.executing + this.#running
  }

  /** What it had borrowed under other bounds it gives back. */
  configure(spec: LevelSpec, bounds: SeatBounds): void {
    const isAsBefore = equalJson(bounds, this.bounds)
    this.spec = spec
    this.bounds = bounds
    this.isQuiescing = false
    this.queues.configure(spec.queuing)
    if (!isAsBefore) this.queues.limit = bounds.nominal
  }

  /** Of an exempt level: lets a request run. */
  enterFreely(): void {
    this.#running++
    if (this.#running > this.#mostRunning) this.#mostRunning = this.#running
  }

  leaveFreely(): void {
    this.#running--
  }

  /** What it wanted since the last call, and is expected to want. */
  takeDemand(): LevelDemand {
    const { isExempt } = this.spec
    const { high, average, deviation } = this.queues.takeDemand()
    const most = isExempt ? this.#mostRunning : high
    this.#mostRunning = this.#running
    this.smooth = smoothDemand(this.smooth, isExempt ? most : average + deviation)
    return { ...this.bounds, isExempt, high: most, smooth: this.smooth }
  }
}
