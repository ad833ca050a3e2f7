import type { ClientHttp2Session } from 'node:http2'
import { type Figure, figureOf } from './figure.ts'
import { configMap, configMaps } from './objects.ts'
import { alternate, observe, type Rate } from './rounds.ts'
import { openSession, request, scratch, startBare, startKeelson, type Target } from './servers.ts'

const watcherCount = 1_000
const sessions = 4
/** Writes that come together in a tick, as a group commit brings them. */
const burst = 8

/** One change to 1,000 HTTP/2 watchers: deliveries a second, against a bare server that writes the same lines. */
export async function watchBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  await using bare = await startBare(keelson)
  try {
    const lines = Buffer.concat(Array(burst).fill(await eventLine(keelson)))
    let created = 0
    const round = await alternate(
      durationMs,
      (roundMs) =>
        fanOut(bare, '/watch', roundMs, async (session) => {
          await request(session, post('/emit'), lines)
        }),
      async (roundMs) => {
        const { revision } = await newestRevision(keelson)
        return fanOut(keelson, `${configMaps}?watch=true&resourceVersion=${revision}`, roundMs, (session) =>
          Promise.all(
            Array.from({ length: burst }, async () => {
              const { status } = await request(session, post(configMaps), configMap(`watched-${created++}`, 2_048))
              if (status !== 201) throw new Error(`create answered ${status}`)
            }),
          ),
        )
      },
    )
    return [
      figureOf(`watch fan-out to ${watcherCount.toLocaleString('en')}, h2`, round, 'bare fan-out', {
        atLeastRatio: 0.7,
      }),
    ]
  } finally {
    remove()
  }
}

/** An event as the server writes it, for the bare server to write the same bytes. */
async function eventLine(target: Target): Promise<Buffer> {
  const session = openSession(target)
  const { body } = await request(session, post(configMaps), configMap('watched-first', 2_048))
  session.close()
  return Buffer.concat([Buffer.from('{"type":"ADDED","object":'), body, Buffer.from('}\n')])
}

function post(path: string): Record<string, string> {
  return { ':method': 'POST', ':path': path, 'content-type': 'application/json' }
}

async function newestRevision(target: Target): Promise<{ revision: string }> {
  const session = openSession(target)
  const { body } = await request(session, { ':path': `${configMaps}?limit=1` })
  session.close()
  return { revision: JSON.parse(body.toString('utf8')).metadata.resourceVersion }
}

/** @returns the rate of lines that reached watchers */
async function fanOut(
  target: Target,
  path: string,
  durationMs: number,
  emit: (session: ClientHttp2Session) => Promise<unknown>,
): Promise<Rate> {
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
  const arrival = (upTo: number) =>
    new Promise<void>((resolve) => {
      waiting = { upTo, resolve }
      if (lines >= upTo) resolve()
    })
  const started = performance.now()
  const rate = observe(target.pid)
  let expected = lines
  while (performance.now() - started < durationMs) {
    expected += burst * watcherCount
    await Promise.all([emit(writer), arrival(expected)])
  }
  const reached = rate(lines)
  const left = [...open, writer].map((session) => new Promise((resolve) => session.once('close', resolve)))
  for (const session of [...open, writer]) session.destroy()
  await Promise.all(left)
  return reached
}
