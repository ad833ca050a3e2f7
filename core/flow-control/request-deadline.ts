import { newBadRequest, newTimeout } from '#core/errors/status-error.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { isLongRunning, type RequestInfo } from '#core/server/request-info.ts'
import { parseDuration } from './duration.ts'

/** How long a request may take: as long as it asks for with `?timeout=`, but no longer than the server allows. */
export class RequestDeadline {
  /** What the server allows. */
  readonly longestMs: number

  constructor(longestMs: number) {
    this.longestMs = longestMs
  }

  /** @returns milliseconds; 0 for a request that lasts as long as it likes @throws StatusError BadRequest */
  of(exchange: Pick<Exchange, 'target' | 'query'>, info: RequestInfo): number {
    if (isLongRunning(info)) return 0
    // A look at the text spares most requests the parsing of their query.
    const wanted = exchange.target.includes('timeout=') ? exchange.query.get('timeout') : null
    if (!wanted) return this.longestMs
    const ms = parse(wanted)
    return ms > 0 ? Math.min(ms, this.longestMs) : this.longestMs
  }

  /**
   * The answer, or its failure when it is not there in time. Whatever comes after that is not heard of.
   * @param ms 0 for no limit @throws StatusError Timeout
   */
  bound(answered: Promise<void>, ms: number): Promise<void> {
    if (ms === 0) return answered
    // By hand: every write passes here, and a race costs it four promises more.
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(newTimeout('request did not complete within the allotted timeout')), ms)
      const settle = (end: () => void) => {
        clearTimeout(timer)
        end()
      }
      answered.then(
        () => settle(resolve),
        (error) => settle(() => reject(error)),
      )
    })
  }
}

function parse(text: string): number {
  try {
    return parseDuration(text)
  } catch (cause) {
    throw newBadRequest(`invalid timeout specified in the request URL - ${(cause as Error).message}`, cause)
  }
}
