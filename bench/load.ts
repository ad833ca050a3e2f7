import { Agent, request as h1Request } from 'node:https'
import { observe, type Rate } from './rounds.ts'
import { type Answer, openSession, request, type Target } from './servers.ts'

export interface LoadOptions {
  /** Requests in flight at once. */
  concurrency: number
  durationMs: number
  protocol: 'h1' | 'h2'
  /** HTTP/2 connections the requests are spread over. */
  sessions?: number
  /** Over HTTP/2 only: how answers are to be encoded. */
  accept?: string
}

/** One request of a load. */
export interface Ask {
  path: string
  body?: Buffer
  /** POST with a body, GET without, when absent. */
  method?: string
  /** JSON when absent. */
  contentType?: string
}

type Send = (ask: Ask) => Promise<Answer>

/** Asks as fast as answers come, always so many at once. @returns the rate of good answers @throws at the first bad one */
export async function measureRate(target: Target, options: LoadOptions, next: (at: number) => Ask): Promise<Rate> {
  const { send, close } =
    options.protocol === 'h2'
      ? h2Sender(target, options.sessions ?? 4, options.accept)
      : h1Sender(target, options.concurrency)
  let sent = 0
  const askUntil = async (deadline: number) => {
    let answered = 0
    const worker = async () => {
      while (performance.now() < deadline) {
        const ask = next(sent++)
        const answer = await send(ask)
        if (answer.status >= 300)
          throw new Error(`${ask.path} answered ${answer.status}: ${answer.body.toString('utf8', 0, 400)}`)
        answered++
      }
    }
    await Promise.all(Array.from({ length: options.concurrency }, worker))
    return answered
  }
  await askUntil(performance.now() + Math.min(1_000, options.durationMs / 3))
  const rate = observe(target.pid)
  const answered = await askUntil(performance.now() + options.durationMs)
  close()
  return rate(answered)
}

function h2Sender(target: Target, sessions: number, accept = 'application/json'): { send: Send; close(): void } {
  const open = Array.from({ length: sessions }, () => openSession(target))
  let at = 0
  return {
    send: ({ path, body, method = body ? 'POST' : 'GET', contentType = 'application/json' }) => {
      const headers = { ':method': method, ':path': path, 'content-type': contentType, accept }
      return request(open[at++ % sessions]!, headers, body)
    },
    close: () => {
      for (const session of open) session.close()
    },
  }
}

function h1Sender(target: Target, connections: number): { send: Send; close(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ...target.tls })
  const send: Send = ({ path, body, method = body ? 'POST' : 'GET', contentType = 'application/json' }) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': contentType, ...(body && { 'content-length': body.length }) }
      const outgoing = h1Request({ host: '127.0.0.1', port: target.port, path, method, agent, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }))
        response.on('error', reject)
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  return { send, close: () => agent.destroy() }
}
