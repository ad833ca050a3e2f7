import type { Logger } from '#apis/plugin/v1/host.ts'
import type { Exchange } from './exchange.ts'

/** Writes one line a request, when its answer is complete; at level debug, as there are many. */
export function accessLog(log: Logger, clock: () => number = performance.now.bind(performance)) {
  return (exchange: Exchange): void => {
    const started = clock()
    exchange.onEnd(() => {
      const { method, target, protocol, sent } = exchange
      const ms = Math.round((clock() - started) * 10) / 10
      const client = exchange.socket.remoteAddress
      const agent = exchange.header('user-agent')
      log.debug('request', { method, target, status: sent.status, bytes: sent.bytes, ms, protocol, client, agent })
    })
  }
}
