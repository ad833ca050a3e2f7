import { Metrics } from '#core/server/metrics.ts'
import { FlowControlMetrics } from '../flow-control-metrics.ts'
import type { Flow, QueueSet, Refusal, Seat } from '../queue-set.ts'
import { flowHash } from '../shuffle-shard.ts'
import type { WorkEstimate } from '../work-estimate.ts'

const metrics = new FlowControlMetrics(new Metrics())

export function flowIn(set: QueueSet, distinguisher: string): Flow {
  const hand = set.deal(flowHash('some', distinguisher))
  return { schema: 'some', distinguisher, hand, meter: metrics.meter('level', 'some') }
}

export const seats = (count: number): WorkEstimate => ({ seats: count, finalSeats: 0, finalMs: 0 })

/** A request that asked to enter, and what has become of it. */
export interface Asked {
  flow: Flow
  /** Undefined while it waits. */
  result: Seat | Refusal | undefined
  /** It has no more use for an answer. */
  goAway(): void
}

/** Asks to enter. `result` of one that waits is set in a later microtask: `await settled()`. */
export function ask(set: QueueSet, flow: Flow, work: WorkEstimate): Asked {
  const asked: Asked = { flow, result: undefined, goAway: () => {} }
  const entered = set.enter(flow, work, (leave) => {
    asked.goAway = leave
  })
  if (entered instanceof Promise) {
    entered.then((result) => {
      asked.result = result
    })
  } else asked.result = entered
  return asked
}

/** Lets everything that has been decided be heard of. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
