import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeObject } from '#core/machinery/canonical.ts'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import { openEmbeddedStorage } from '#core/storage/embedded/embedded-storage.ts'
import type { Figure } from './figure.ts'
import { processTree, residentMegabytes } from './process-tree.ts'
import { openSession, request, scratch, startKeelson, type Target } from './servers.ts'

const count = 150_000
const namespaces = 100
const writers = 512
/** Long enough for what the start has left behind to be collected. */
const settleMs = 20_000
const sampleMs = 10
const pods = '/api/v1/pods'

/** LIST of 150,000 pods: how fast, and what the server needs for it beside the pods; once for a client that stalls. */
export async function bigListBench(): Promise<Figure[]> {
  const { directory, remove } = scratch()
  try {
    await fillStore(join(directory, 'store'))
    await using keelson = await startKeelson(directory, ['server'])
    const session = openSession(keelson)
    await untilListed(session)
    // The compiler is to know the way of a list, and not yet have seen a large one.
    for (let at = 0; at < namespaces; at++) await request(session, { ':path': `/api/v1/namespaces/bench-${at}/pods` })
    await sleep(settleMs)
    const fast = await listed(keelson, session, 0)
    const slow = await listed(keelson, session, pauseMs)
    session.close()
    const what = `LIST of ${count.toLocaleString('en')} pods`
    const goal = { atMost: 64 }
    return [
      { what: `${what}, growth of resident memory`, value: fast.growth, unit: 'MB', goal },
      { what: `${what}, the same for a reader that stalls`, value: slow.growth, unit: 'MB', goal },
      { what: `${what}, time of the fast one`, value: fast.seconds, unit: 's' },
    ]
  } finally {
    remove()
  }
}

/** Into the files of a server that does not run yet: nobody else has to hear of each of them. */
async function fillStore(directory: string): Promise<void> {
  await using storage = await openEmbeddedStorage({ directory })
  let next = 0
  const worker = async () => {
    for (let at = next++; at < count; at = next++) {
      await storage.create(storageKey('', 'pods', `bench-${at % namespaces}/pod-${at}`), encodeObject(pod(at), pod(at)))
    }
  }
  await Promise.all(Array.from({ length: writers }, worker))
}

/** No scheduler knows it, so nobody does anything about it. */
function pod(at: number) {
  const id = String(at).padStart(12, '0')
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${at}`,
      namespace: `bench-${at % namespaces}`,
      uid: `00000000-0000-4000-8000-${id}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: `app-${at % 500}` },
    },
    spec: {
      schedulerName: 'bench',
      restartPolicy: 'Always',
      containers: [{ name: 'main', image: 'example.com/main:1', env: [{ name: 'FILLER', value: 'x'.repeat(600) }] }],
    },
    status: { phase: 'Pending' },
  }
}

async function untilListed(session: ClientHttp2Session): Promise<void> {
  const { status, body } = await request(session, { ':path': `${pods}?limit=1` })
  const { metadata } = JSON.parse(body.toString()) as { metadata: { remainingItemCount?: number } }
  if (status !== 200 || metadata.remainingItemCount !== count - 1) throw new Error(`${status}: ${body}`)
}

/** Behind the first piece of a list: what the server would buffer for a slow reader, it buffers then. */
const pauseMs = 5_000

async function listed(target: Target, session: ClientHttp2Session, firstPauseMs: number) {
  const processes = processTree(target.pid)
  const resident = () => residentMegabytes(processes)
  const before = resident()
  let peak = before
  const sampler = setInterval(() => {
    peak = Math.max(peak, resident())
  }, sampleMs)
  const started = performance.now()
  const stream = session.request({ ':path': pods })
  let last: Buffer = Buffer.alloc(0)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (last.length === 0) await sleep(firstPauseMs)
    last = chunk
  }
  if (!stream.closed) await once(stream, 'close')
  clearInterval(sampler)
  if (!last.toString('latin1').endsWith('}]}')) throw new Error('the list was cut off')
  return { growth: peak - before, seconds: (performance.now() - started) / 1000 }
}
