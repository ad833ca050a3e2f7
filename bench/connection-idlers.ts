import { once } from 'node:events'
import { Agent, request as h1Request } from 'node:https'
import { openSession, request, type Target } from './servers.ts'

/** A process with clients that ask once, over a connection each, and then keep it. A process may have so many files open. */
export interface IdlersOrder {
  target: Target
  protocol: 'h1' | 'h2'
  count: number
}

/** Handshakes under way at once. */
const wave = 25
const path = '/version'

process.on('message', async ({ target, protocol, count }: IdlersOrder) => {
  let open = 0
  let failure: unknown
  const openOne = protocol === 'h2' ? h2Idler(target) : h1Idler(target)
  const worker = async () => {
    while (open < count && !failure) {
      open++
      await openOne().catch((error: unknown) => {
        failure = error
        open--
      })
    }
  }
  await Promise.all(Array.from({ length: wave }, worker))
  process.send?.({ open, failure: failure && String(failure) })
})

function h2Idler(target: Target): () => Promise<void> {
  return async () => {
    const session = openSession(target)
    session.on('error', () => {})
    await once(session, 'connect')
    await request(session, { ':path': path })
  }
}

/** An agent that keeps what it has, and never has one free: every request gets a connection of its own. */
function h1Idler(target: Target): () => Promise<void> {
  return async () => {
    const agent = new Agent({ keepAlive: true, ...target.tls })
    const outgoing = h1Request({ host: '127.0.0.1', port: target.port, path, agent })
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream]
    response.resume()
    await once(response, 'end')
  }
}
