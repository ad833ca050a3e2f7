import { type Figure, figureOf } from './figure.ts'
import { fill } from './fill.ts'
import { measureRate } from './load.ts'
import { configMaps } from './objects.ts'
import { alternate } from './rounds.ts'
import { scratch, startKeelson } from './servers.ts'

const protobuf = 'application/vnd.kubernetes.protobuf'
const json = 'application/json'

/** The second is more than what is kept encoded: all of it is encoded anew each time. */
const lengths = [5_000, 25_000]

/** Reads in protobuf, which are written from stored JSON, against the same in JSON, which is copied. */
export async function protobufBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  try {
    await fill(keelson, Math.max(...lengths))
    const compare = (path: string, concurrency: number) => {
      const measure = (accept: string) => (roundMs: number) =>
        measureRate(keelson, { concurrency, protocol: 'h2', sessions: 2, accept, durationMs: roundMs }, () => ({
          path,
        }))
      return alternate(durationMs, measure(json), measure(protobuf))
    }
    const figures = [figureOf('GET 2 KB in protobuf', await compare(`${configMaps}/bench-0`, 32), 'in JSON')]
    for (const length of lengths) {
      const round = await compare(`${configMaps}?limit=${length}`, 2)
      figures.push(
        figureOf(`LIST ${length.toLocaleString('en')} x 2 KB in protobuf`, round, 'in JSON', { atLeastRatio: 0.5 }),
      )
    }
    return figures
  } finally {
    remove()
  }
}
