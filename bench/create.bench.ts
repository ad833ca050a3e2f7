import type { Figure } from './figure.ts'
import { measureRate } from './load.ts'
import { configMap, configMaps } from './objects.ts'
import { scratch, startBare, startKeelson } from './servers.ts'

/** Durable creates through the whole chain from 64 clients, against a bare server that parses and answers the same body. */
export async function createBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  await using bare = await startBare(keelson, Buffer.from('{}'), Buffer.from('{}'))
  try {
    const figures: Figure[] = []
    for (const protocol of ['h1', 'h2'] as const) {
      const load = { concurrency: 64, durationMs, protocol }
      const yardstick = await measureRate(bare, load, (at) => ({
        path: '/parse',
        body: configMap(`bench-${at}`, 2_048),
      }))
      const value = await measureRate(keelson, load, (at) => ({
        path: configMaps,
        body: configMap(`${protocol}-${at}`, 2_048),
      }))
      figures.push({
        what: `create 2 KB, 64 clients, ${protocol}`,
        value,
        unit: '/s',
        yardstick: { what: 'bare POST', value: yardstick },
        goal: { atLeastRatio: 0.5 },
      })
    }
    return figures
  } finally {
    remove()
  }
}
