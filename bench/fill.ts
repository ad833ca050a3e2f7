import { configMap, configMaps } from './objects.ts'
import { openSession, request, type Target } from './servers.ts'

const writers = 64
const objectBytes = 2_048

/** Creates `count` ConfigMaps of 2 KB named `bench-<number>`, 64 at a time. */
export async function fill(target: Target, count: number): Promise<void> {
  const session = openSession(target)
  let next = 0
  const worker = async () => {
    for (let at = next++; at < count; at = next++) {
      const headers = { ':method': 'POST', ':path': configMaps, 'content-type': 'application/json' }
      const { status, body } = await request(session, headers, configMap(`bench-${at}`, objectBytes))
      if (status !== 201) throw new Error(`create answered ${status}: ${body.toString('utf8', 0, 300)}`)
    }
  }
  await Promise.all(Array.from({ length: writers }, worker))
  session.close()
}
