import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import { groups } from '#core/authn/users.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { isReadOnly, type RequestInfo } from '#core/server/request-info.ts'
import { type Admitted, answerTooManyRequests, type FlowGate } from './gate.ts'

/** Requests of one kind that run. */
class Lane implements Admitted {
  readonly #limit: number
  #running = 0

  /** @param limit 0 for none */
  constructor(limit: number) {
    this.#limit = limit
  }

  get isFull(): boolean {
    return this.#limit > 0 && this.#running >= this.#limit
  }

  enter(): Admitted {
    this.#running++
    return this
  }

  leave(): void {
    this.#running--
  }
}

/** What there is without API Priority and Fairness: so many reads and so many writes at a time, first come, first served, nobody waits. */
export class MaxInFlight implements FlowGate {
  readonly #reads: Lane
  readonly #writes: Lane

  constructor(limits: { reads: number; writes: number }) {
    this.#reads = new Lane(limits.reads)
    this.#writes = new Lane(limits.writes)
  }

  admit(exchange: Exchange, info: RequestInfo, user: UserInfo): Admitted | undefined {
    // A watch costs next to nothing once it has begun.
    if (info.verb === 'watch') return unlimited
    const lane = isReadOnly(info) ? this.#reads : this.#writes
    // Administrators must be able to look what is wrong.
    if (!lane.isFull || user.groups.includes(groups.masters)) return lane.enter()
    answerTooManyRequests(exchange)
  }
}

const unlimited: Admitted = { leave: () => {} }
