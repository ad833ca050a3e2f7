import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Figure } from './figure.ts'
import { configMaps } from './objects.ts'
import { openSession, request, scratch, startKeelson, type Target } from './servers.ts'
import { type FleetOrder, type FleetWatch, type FromFleet, sentNow, type ToFleet } from './watch-fleet.ts'

const watchers = 10_000
const sample = 1_000
const sessions = 20
const writesPerSecond = 100
const objects = 100
/** What is on its way longer than this has missed the goal by far. */
const lateMs = 1_000
const fleetProgram = fileURLToPath(new URL('./watch-fleet.ts', import.meta.url))

/**
 * 10,000 watches of one resource and 100 writes a second: how long after the request was sent its event is there. Once all
 * watch as nodes do, each what concerns it (100 watches an object); once a thousand among them see everything.
 */
export async function watchersBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using keelson = await startKeelson(directory, ['server'])
  try {
    await makeObjects(keelson)
    const everyTenth = Array.from({ length: watchers }, (_, at) => at % (watchers / sample) === 0)
    const ofOne = everyTenth.map((isSampled, at) => ({ path: oneObject(at), isSampled }))
    const ofAll = everyTenth.map((isSampled, at) => ({ path: isSampled ? collection : oneObject(at), isSampled }))
    return [
      await delivery(keelson, durationMs, '10,000 watchers of one object each', ofOne),
      await delivery(keelson, durationMs, '1,000 watchers of everything beside 9,000 of one', ofAll),
    ]
  } finally {
    remove()
  }
}

const collection = `${configMaps}?watch=true`
const nameOf = (at: number) => `watched-${at}`
const oneObject = (at: number) => `${collection}&fieldSelector=metadata.name%3D${nameOf(at % objects)}`

async function delivery(target: Target, durationMs: number, what: string, watches: FleetWatch[]): Promise<Figure> {
  const { pid, port, tls } = target
  await using fleet = await startFleet({ target: { pid, port, tls }, watches, sessions })
  const session = openSession(target)
  // Unmeasured at first: the beginning sends what there is, and the compiler does not know its code yet.
  await writeAtPace(session, durationMs / 2)
  await sleep(lateMs)
  await fleet.report()
  await writeAtPace(session, durationMs)
  await sleep(lateMs)
  const { delays, ended } = await fleet.report()
  session.close()
  if (ended > 0) throw new Error(`${ended} watches ended`)
  const p99 = delays.toSorted()[Math.floor(delays.length * 0.99)] ?? Number.POSITIVE_INFINITY
  return { what: `p99 delivery to ${what}`, value: p99, unit: 'ms', goal: { atMost: 250 } }
}

async function makeObjects(target: Target): Promise<void> {
  const session = openSession(target)
  for (let at = 0; at < objects; at++) await write(session, 'POST', configMaps, at)
  session.close()
}

async function writeAtPace(session: ClientHttp2Session, durationMs: number): Promise<void> {
  const started = performance.now()
  const writes: Promise<void>[] = []
  for (let at = 0; performance.now() - started < durationMs; at++) {
    const due = (at * 1000) / writesPerSecond - (performance.now() - started)
    if (due > 0) await sleep(due)
    writes.push(write(session, 'PUT', `${configMaps}/${nameOf(at % objects)}`, at % objects))
  }
  await Promise.all(writes)
}

async function write(session: ClientHttp2Session, method: string, path: string, at: number): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: nameOf(at) }, data: { sent: sentNow() } }
  const headers = { ':method': method, ':path': path, 'content-type': 'application/json' }
  const { status, body } = await request(session, headers, Buffer.from(JSON.stringify(object)))
  if (status >= 300) throw new Error(`${method} answered ${status}: ${body.toString('utf8', 0, 300)}`)
}

interface Fleet extends AsyncDisposable {
  /** What was seen since the last report. */
  report(): Promise<{ delays: Float64Array; ended: number }>
}

async function startFleet(order: FleetOrder): Promise<Fleet> {
  const child = fork(fleetProgram, { serialization: 'advanced' })
  const exited = once(child, 'exit')
  await ask(child, { open: order })
  return {
    report: async () => {
      const answer = await ask(child, { report: true })
      if (!('delays' in answer)) throw new Error('the fleet answered something else')
      return answer
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function ask(child: ChildProcess, message: ToFleet): Promise<FromFleet> {
  const answer = once(child, 'message')
  child.send(message)
  return ((await answer) as [FromFleet])[0]
}
