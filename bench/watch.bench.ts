import type { ClientHttp2Session } from 'node:http2'
import type { Figure } from './figure.ts'
import { configMap, configMaps } from './objects.ts'
import { openSession, request, scratch, startBare, startKeelson, type Target } from './servers.ts'

const watcherCount = 1_000
const sessions = 4
const bursts = 40
/** Writes that come together in a tick, as a group commit brings them. */
const burst = 8

/** One change to 1,000 HTTP/2 watchers: deliveries a second, against a bare server that writes the same lines. */
export async function watchBench(): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  await using bare = await startBare(keelson, Buffer.from('{}'), Buffer.from('{}'))
  try {
    const line = Buffer.from(`{"type":"ADDED","object":${configMap('line', 2_048)}}\n`)
    const yardstick = await fanOut(bare, '/watch', async (session) => {
      const headers = { ':method': 'POST', ':path': '/emit', 'content-type': 'application/json' }
      await request(session, headers, Buffer.concat(Array.from({ length: burst }, () => line)))
    })
    let at = 0
    const value = await fanOut(keelson, `${configMaps}?watch=true&resourceVersion=1`, async (session) => {
      const headers = { ':method': 'POST', ':path': configMaps, 'content-type': 'application/json' }
      const writes = Array.from({ length: burst }, () => request(session, headers, configMap(`watched-${at++}`, 2_048)))
      for (const { status } of await Promise.all(writes))
        if (status !== 201) throw new Error(`create answered ${status}`)
    })
    return [
      {
        what: `watch fan-out to ${watcherCount}, h2`,
        value,
        unit: '/s',
        yardstick: { what: 'bare fan-out', value: yardstick },
        goal: { atLeastRatio: 0.7 },
      },
    ]
  } finally {
    remove()
  }
}

/** @returns lines that reached watchers, a second */
async function fanOut(
  target: Target,
  path: string,
  emit: (session: ClientHttp2Session) => Promise<void>,
): Promise<number> {
  const open = Array.from({ length: sessions }, () => openSession(target))
  let lines = 0
  let waiting: { upTo: number; resolve: () => void } | undefined
  const count = (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
    if (waiting && lines >= waiting.upTo) waiting.resolve()
  }
  await Promise.all(
    Array.from({ length: watcherCount }, (_, at) => {
      const stream = open[at % sessions]!.request({ ':path': path })
      stream.on('data', count)
      return new Promise((resolve) => stream.once('response', resolve))
    }),
  )
  const writer = openSession(target)
  const lineArrival = (upTo: number) =>
    new Promise<void>((resolve) => {
      waiting = { upTo, resolve }
      if (lines >= upTo) resolve()
    })
  const settle = lines
  const started = performance.now()
  for (let round = 1; round <= bursts; round++) {
    await Promise.all([emit(writer), lineArrival(settle + round * burst * watcherCount)])
  }
  const seconds = (performance.now() - started) / 1000
  for (const session of [...open, writer]) session.destroy()
  return (bursts * burst * watcherCount) / seconds
}
