import { nodesReady } from './events.ts'
import type { Figure } from './figure.ts'
import { openSession, scratch, startKeelson } from './servers.ts'

const nodes = 1_000

/** From starting the process to a thousand simulated nodes that are registered and ready. */
export async function nodesBench(): Promise<Figure[]> {
  const { directory, remove } = scratch()
  try {
    const started = performance.now()
    await using keelson = await startKeelson(directory, ['up', '--cri', 'sim', '--nodes', String(nodes)])
    const session = openSession(keelson)
    await nodesReady(session, nodes)
    const seconds = (performance.now() - started) / 1000
    session.close()
    return [
      {
        what: `start to ${nodes.toLocaleString('en')} nodes ready, sim`,
        value: seconds,
        unit: 's',
        goal: { atMost: 10 },
      },
    ]
  } finally {
    remove()
  }
}
