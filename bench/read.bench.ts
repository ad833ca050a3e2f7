import { type Figure, figureOf } from './figure.ts'
import { fill } from './fill.ts'
import { type LoadOptions, measureRate } from './load.ts'
import { configMaps } from './objects.ts'
import { alternate } from './rounds.ts'
import { openSession, request, scratch, startBare, startKeelson } from './servers.ts'

const listLength = 5_000

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
    const compare = (load: Omit<LoadOptions, 'durationMs'>, barePath: string, path: string) =>
      alternate(
        durationMs,
        (roundMs) => measureRate(bare, { ...load, durationMs: roundMs }, () => ({ path: barePath })),
        (roundMs) => measureRate(keelson, { ...load, durationMs: roundMs }, () => ({ path })),
      )
    const figures: Figure[] = []
    for (const protocol of ['h1', 'h2'] as const) {
      const round = await compare({ concurrency: 32, protocol }, '/object', `${configMaps}/bench-0`)
      figures.push(figureOf(`GET 2 KB, ${protocol}`, round, 'bare server', { atLeastRatio: 0.7 }))
    }
    for (const protocol of ['h1', 'h2'] as const) {
      const round = await compare({ concurrency: 2, protocol, sessions: 2 }, '/list', configMaps)
      figures.push(
        figureOf(`LIST ${listLength.toLocaleString('en')} x 2 KB, ${protocol}`, round, 'bare server', {
          atLeastRatio: 0.8,
        }),
      )
    }
    return figures
  } finally {
    remove()
  }
}
