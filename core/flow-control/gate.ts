import type { UserInfo } from '#apis/meta/v1/user-info.ts'
import type { Exchange } from '#core/server/exchange.ts'
import type { RequestInfo } from '#core/server/request-info.ts'

/** A request that may run. */
export interface Admitted {
  /** It has run. To be called once. */
  leave(): void
}

/** Stands between who asks and whether they may: lets so many requests run at a time. */
export interface FlowGate {
  /**
   * Asks to run a request that does not last (a watch: its beginning). At once when there is room.
   * @returns undefined when it may not run: it has been answered
   */
  admit(exchange: Exchange, info: RequestInfo, user: UserInfo): Admitted | undefined | Promise<Admitted | undefined>
}

/** Lets everything run. */
export const openGate: FlowGate = { admit: () => ({ leave: () => {} }) }

const retryAfterSeconds = '1'

/** 429, in plain text as Kubernetes sends it from here. */
export function answerTooManyRequests(exchange: Exchange): void {
  exchange.setHeader('retry-after', retryAfterSeconds)
  exchange.setHeader('x-content-type-options', 'nosniff')
  exchange.send(429, 'text/plain; charset=utf-8', 'Too many requests, please try again later.\n')
}
