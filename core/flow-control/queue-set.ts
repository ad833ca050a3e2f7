import type { Clock } from '#core/clock.ts'
import type { FlowMeter } from './flow-control-metrics.ts'
import { type DemandSummary, SeatDemand } from './seat-demand.ts'
import { dealHand } from './shuffle-shard.ts'
import type { WorkEstimate } from './work-estimate.ts'

/** Absent where there is nowhere to wait: what does not fit is refused. */
export interface Queuing {
  queues: number
  handSize: number
  queueLengthLimit: number
}

/** Requests that share a fate: of one user, or in one namespace, by one schema. */
export interface Flow {
  readonly schema: string
  /** What tells the flows of a schema apart. */
  readonly distinguisher: string
  /** From `QueueSet.deal`. */
  readonly hand: readonly number[]
  readonly meter: FlowMeter
}

/** Why a request does not run, in the words of the metric. */
export type Refusal = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled'

/** Who a request is from and what it asks, for those who look into the queues. */
export interface Waiting {
  readonly flow: Flow
  readonly work: WorkEstimate
  /** By the clock of the queue set. */
  readonly arrivedAt: number
  readonly details: unknown
}

/** Past so many, queues that nobody is in are forgotten. */
const mostKept = 1_000

/** Longer than most requests take here; what they really took is settled when they leave. */
const expectedMs = 3

interface Waiter extends Waiting {
  /** Ends the waiting one way or the other. */
  settle(result: Seat | Refusal): void
}

class Queue {
  /** In order of arrival. */
  readonly waiting = new Set<Waiter>()
  seatsWaiting = 0
  seatsInUse = 0
  executing = 0
  /** The virtual time at which its next request starts: how much work it has been given. */
  next = 0
}

/** A request that runs. */
export class Seat {
  readonly #set: QueueSet
  readonly flow: Flow
  readonly queue: Queue | undefined
  readonly work: WorkEstimate
  /** By the clock of the queue set. */
  readonly startedAt: number

  constructor(set: QueueSet, flow: Flow, queue: Queue | undefined, work: WorkEstimate, startedAt: number) {
    this.#set = set
    this.flow = flow
    this.queue = queue
    this.work = work
    this.startedAt = startedAt
  }

  /** It has run. To be called once. */
  leave(): void {
    this.#set.release(this)
  }
}

/**
 * The seats of one priority level and the queues before them.
 *
 * Among queues, start-time fair queuing: each has a virtual time that advances by the work it is given (seats times
 * milliseconds), and the one that is furthest behind goes next. A queue that had nothing to do does not save up for
 * later. Within a queue, first come, first served. A request that wants more seats than are free holds everyone up until
 * they are, or nothing wide would ever run; one that wants more than the level has runs alone.
 */
export class QueueSet {
  readonly #clock: Clock
  readonly #waitLimitMs: number
  readonly #demand: SeatDemand
  #queuing: Queuing | undefined
  /** By index. Made when somebody comes: a level may be configured to have millions. */
  #queues = new Map<number, Queue>()
  /** Queues somebody waits in, also such that the configuration no longer has. */
  readonly #busy = new Set<Queue>()
  #limit: number
  #seatsInUse = 0
  #executing = 0
  #requestsWaiting = 0
  #seatsWaiting = 0
  /** The virtual start of the request that started last. */
  #virtual = 0

  constructor(options: { clock: Clock; waitLimitMs: number; limit: number; queuing?: Queuing }) {
    this.#clock = options.clock
    this.#waitLimitMs = options.waitLimitMs
    this.#limit = options.limit
    this.#demand = new SeatDemand(options.clock.now())
    this.configure(options.queuing)
  }

  /** Whoever waits goes on waiting where he is. Deal new hands after it. */
  configure(queuing: Queuing | undefined): void {
    this.#queuing = queuing
    const count = queuing?.queues ?? 0
    for (const index of this.#queues.keys()) if (index >= count) this.#queues.delete(index)
  }

  get limit(): number {
    return this.#limit
  }

  set limit(seats: number) {
    this.#limit = seats
    this.#dispatch(this.#clock.now())
  }

  get seatsInUse(): number {
    return this.#seatsInUse
  }

  get executing(): number {
    return this.#executing
  }

  get waiting(): number {
    return this.#requestsWaiting
  }

  get isIdle(): boolean {
    return this.#seatsInUse === 0 && this.#requestsWaiting === 0
  }

  /** The queues a flow may wait in. */
  deal(entropy: bigint): number[] {
    return this.#queuing ? dealHand(entropy, this.#queuing.queues, this.#queuing.handSize) : []
  }

  /** Demand since the last call. */
  takeDemand(): DemandSummary {
    return this.#demand.take(this.#clock.now())
  }

  /**
   * Asks for seats: at once when they are free and nobody waits for them.
   * @param onOver called only when the request has to wait: takes whom to call when it has no more use for an answer
   */
  enter(
    flow: Flow,
    work: WorkEstimate,
    onOver: (leave: () => void) => void,
    details?: unknown,
  ): Seat | Refusal | Promise<Seat | Refusal> {
    const now = this.#clock.now()
    const queue = this.#queueOf(flow)
    if (this.#requestsWaiting === 0 && this.#fits(widthOf(work))) {
      flow.meter.waited(0, true)
      return this.#start(flow, queue, work, now)
    }
    if (!queue) return refuse(flow, 'concurrency-limit')
    if (queue.waiting.size >= this.#queuing!.queueLengthLimit) return refuse(flow, 'queue-full')
    return this.#wait({ flow, work, arrivedAt: now, details }, queue, onOver)
  }

  /** The least loaded of the flow's queues. */
  #queueOf({ hand }: Flow): Queue | undefined {
    if (!this.#queuing) return undefined
    let best: Queue | undefined
    for (const index of hand) {
      const queue = this.#queues.get(index)
      if (!queue) return this.#newQueue(index)
      const load = queue.seatsInUse + queue.seatsWaiting
      if (load === 0) return queue
      if (!best || load < best.seatsInUse + best.seatsWaiting) best = queue
    }
    return best
  }

  #newQueue(index: number): Queue {
    if (this.#queues.size >= mostKept) this.#forgetIdle()
    const queue = new Queue()
    this.#queues.set(index, queue)
    return queue
  }

  #forgetIdle(): void {
    for (const [index, queue] of this.#queues) {
      if (queue.seatsInUse === 0 && queue.waiting.size === 0) this.#queues.delete(index)
    }
  }

  #fits(width: number): boolean {
    return this.#seatsInUse + width <= this.#limit || (width > this.#limit && this.#seatsInUse === 0)
  }

  #start(flow: Flow, queue: Queue | undefined, work: WorkEstimate, now: number): Seat {
    const width = widthOf(work)
    this.#seatsInUse += width
    this.#executing++
    flow.meter.started(width)
    if (queue) {
      const start = Math.max(this.#virtual, queue.next)
      this.#virtual = start
      queue.next = start + work.seats * expectedMs
      queue.seatsInUse += width
      queue.executing++
    }
    this.#note(now)
    return new Seat(this, flow, queue, work, now)
  }

  /** For seats to call. */
  release(seat: Seat): void {
    const now = this.#clock.now()
    const { flow, queue, work } = seat
    this.#executing--
    if (queue) {
      queue.executing--
      queue.next += work.seats * (now - seat.startedAt - expectedMs) + work.finalSeats * work.finalMs
    }
    flow.meter.ended(widthOf(work))
    this.#free(queue, widthOf(work) - work.finalSeats, now)
    if (work.finalSeats === 0) return
    this.#clock.after(work.finalMs, () => this.#free(queue, work.finalSeats, this.#clock.now()))
  }

  #free(queue: Queue | undefined, seats: number, now: number): void {
    this.#seatsInUse -= seats
    if (queue) queue.seatsInUse -= seats
    if (this.#requestsWaiting > 0) this.#dispatch(now)
    this.#note(now)
  }

  #wait(waiting: Waiting, queue: Queue, onOver: (leave: () => void) => void): Promise<Seat | Refusal> {
    const { promise, resolve } = Promise.withResolvers<Seat | Refusal>()
    const stopClock = this.#clock.after(this.#waitLimitMs, () => this.#giveUp(queue, waiter, 'time-out'))
    const waiter: Waiter = {
      ...waiting,
      settle: (result) => {
        stopClock()
        resolve(result)
      },
    }
    this.#add(queue, waiter)
    onOver(() => this.#giveUp(queue, waiter, 'cancelled'))
    return promise
  }

  #giveUp(queue: Queue, waiter: Waiter, why: Refusal): void {
    if (!queue.waiting.has(waiter)) return
    const now = this.#clock.now()
    this.#remove(queue, waiter)
    waiter.flow.meter.waited(now - waiter.arrivedAt, false)
    waiter.settle(refuse(waiter.flow, why))
    // It may have been the one that held the others up.
    this.#dispatch(now)
    this.#note(now)
  }

  #add(queue: Queue, waiter: Waiter): void {
    const width = widthOf(waiter.work)
    if (queue.waiting.size === 0) {
      queue.next = Math.max(this.#virtual, queue.next)
      this.#busy.add(queue)
    }
    queue.waiting.add(waiter)
    queue.seatsWaiting += width
    this.#seatsWaiting += width
    this.#requestsWaiting++
    waiter.flow.meter.queued(1)
    this.#note(waiter.arrivedAt)
  }

  #remove(queue: Queue, waiter: Waiter): void {
    const width = widthOf(waiter.work)
    queue.waiting.delete(waiter)
    if (queue.waiting.size === 0) this.#busy.delete(queue)
    queue.seatsWaiting -= width
    this.#seatsWaiting -= width
    this.#requestsWaiting--
    waiter.flow.meter.queued(-1)
  }

  /** Starts whoever is next, as long as there is room. */
  #dispatch(now: number): void {
    while (this.#requestsWaiting > 0) {
      const queue = this.#furthestBehind()
      const [waiter] = queue.waiting as Iterable<Waiter> as [Waiter]
      if (!this.#fits(widthOf(waiter.work))) return
      this.#remove(queue, waiter)
      this.#putLast(queue)
      waiter.flow.meter.waited(now - waiter.arrivedAt, true)
      waiter.settle(this.#start(waiter.flow, queue, waiter.work, now))
    }
  }

  #furthestBehind(): Queue {
    let best: Queue | undefined
    for (const queue of this.#busy) if (!best || queue.next < best.next) best = queue
    return best!
  }

  /** Queues that are as far behind as each other take turns. */
  #putLast(queue: Queue): void {
    if (this.#busy.delete(queue)) this.#busy.add(queue)
  }

  #note(now: number): void {
    this.#demand.set(this.#seatsInUse + this.#seatsWaiting, now)
  }

  /** The queues somebody has been in, for people to look at. */
  *inspect(): Generator<QueueState> {
    const known = new Map(Array.from(this.#queues, ([index, queue]) => [queue, index]))
    for (const queue of new Set([...known.keys(), ...this.#busy])) {
      const { executing, seatsInUse, seatsWaiting, next } = queue
      const index = known.get(queue)
      yield {
        ...(index !== undefined && { index }),
        waiting: [...queue.waiting],
        executing,
        seatsInUse,
        seatsWaiting,
        next,
      }
    }
  }
}

export interface QueueState {
  /** Absent when the configuration no longer has it. */
  index?: number
  waiting: readonly Waiting[]
  executing: number
  seatsInUse: number
  seatsWaiting: number
  /** Virtual time, in seats times milliseconds. */
  next: number
}

/** The seats a request needs to be let in: the most it holds at any time. */
export function widthOf({ seats, finalSeats }: WorkEstimate): number {
  return Math.max(seats, finalSeats)
}

function refuse(flow: Flow, why: Refusal): Refusal {
  flow.meter.refused(why)
  return why
}
