import type { Figure } from './figure.ts'
import { measureRate } from './load.ts'
import { configMap, configMaps } from './objects.ts'
import { openSession, request, scratch, startBare, startKeelson } from './servers.ts'

const listLength = 5_000
const objectBytes = 2_048

/** GET of a 2 KB object and LIST of 5,000, against a bare server that answers the same bytes. */
export async function readBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  try {
    await fill(keelson, listLength)
    const session = openSession(keelson)
    const object = (await request(session, { ':path': `${configMaps}/bench-0` })).body
    const list = (await request(session, { ':path': configMaps })).body
    session.close()
    await using bare = await startBare(keelson, object, list)
    const figures: Figure[] = []
    for (const protocol of ['h1', 'h2'] as const) {
      const load = { concurrency: 32, durationMs, protocol }
      const yardstick = await measureRate(bare, load, () => ({ path: '/object' }))
      const value = await measureRate(keelson, load, () => ({ path: `${configMaps}/bench-0` }))
      figures.push({
        what: `GET 2 KB, ${protocol}`,
        value,
        unit: '/s',
        yardstick: { what: 'bare server', value: yardstick },
        goal: { atLeastRatio: 0.7 },
      })
    }
    for (const protocol of ['h1', 'h2'] as const) {
      const load = { concurrency: 2, durationMs, protocol, sessions: 2 }
      const yardstick = await measureRate(bare, load, () => ({ path: '/list' }))
      const value = await measureRate(keelson, load, () => ({ path: configMaps }))
      figures.push({
        what: `LIST ${listLength} x 2 KB, ${protocol}`,
        value,
        unit: '/s',
        yardstick: { what: 'bare server', value: yardstick },
        goal: { atLeastRatio: 0.8 },
      })
    }
    return figures
  } finally {
    remove()
  }
}

/** Creates `count` ConfigMaps, 64 at a time. */
export async function fill(target: Parameters<typeof openSession>[0], count: number, from = 0): Promise<void> {
  const session = openSession(target)
  let next = from
  const worker = async () => {
    for (let at = next++; at < from + count; at = next++) {
      const headers = { ':method': 'POST', ':path': configMaps, 'content-type': 'application/json' }
      const { status, body } = await request(session, headers, configMap(`bench-${at}`, objectBytes))
      if (status !== 201) throw new Error(`create answered ${status}: ${body.toString('utf8', 0, 300)}`)
    }
  }
  await Promise.all(Array.from({ length: 64 }, worker))
  session.close()
}
