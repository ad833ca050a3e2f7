import { type Figure, figureOf } from './figure.ts'
import { measureRate } from './load.ts'
import { configMap, configMaps } from './objects.ts'
import { alternate } from './rounds.ts'
import { scratch, startBare, startKeelson } from './servers.ts'

const loads = [
  { clients: '64 clients', protocol: 'h1', sessions: 64, goal: { atLeastRatio: 0.5 } },
  { clients: '64 clients', protocol: 'h2', sessions: 64, goal: { atLeastRatio: 0.5 } },
  { clients: '64 in flight on 4 connections', protocol: 'h2', sessions: 4, goal: undefined },
] as const

/** Durable creates through the whole chain from 64 clients, against a bare server that parses and answers the same body. */
export async function createBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  await using bare = await startBare(keelson)
  try {
    const figures: Figure[] = []
    let created = 0
    for (const { clients, protocol, sessions, goal } of loads) {
      const load = { concurrency: 64, protocol, sessions }
      const round = await alternate(
        durationMs,
        (roundMs) =>
          measureRate(bare, { ...load, durationMs: roundMs }, (at) => ({
            path: '/parse',
            body: configMap(`bench-${at}`, 2_048),
          })),
        (roundMs) =>
          measureRate(keelson, { ...load, durationMs: roundMs }, () => ({
            path: configMaps,
            body: configMap(`bench-${created++}`, 2_048),
          })),
      )
      figures.push(figureOf(`create 2 KB, ${clients}, ${protocol}`, round, 'bare POST', goal))
    }
    return figures
  } finally {
    remove()
  }
}
