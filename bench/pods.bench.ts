import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { ClientHttp2Session } from 'node:http2'
import { promisify } from 'node:util'
import { nodesReady, watchEvents } from './events.ts'
import type { Row } from './figure.ts'
import { median } from './rounds.ts'
import { openSession, request, scratch, startKeelson } from './servers.ts'

const image = 'busybox:stable'
const pods = '/api/v1/namespaces/default/pods'
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const repeats = 5

/** From the POST of a Pod or a Deployment to its pod running, with the image present. */
export async function podsBench(): Promise<Row[]> {
  const noDocker = await whyNoDocker()
  return [
    ...(await podStarts('sim', 500)),
    ...(noDocker === undefined ? await podStarts('docker', 2_000) : skipped('docker', noDocker)),
  ]
}

function skipped(runtime: string, why: string): Row[] {
  return ['Pod', 'Deployment'].map((kind) => ({ what: whatOf(kind, runtime), skipped: why }))
}

function whatOf(kind: string, runtime: string): string {
  return `${kind} to running, ${runtime}`
}

async function whyNoDocker(): Promise<string | undefined> {
  if (!existsSync('/var/run/docker.sock') && !process.env.DOCKER_HOST) return 'no docker here'
  try {
    await promisify(execFile)('docker', ['image', 'inspect', image])
    return undefined
  } catch {
    return `docker has no image ${image}`
  }
}

async function podStarts(runtime: 'sim' | 'docker', goalMs: number): Promise<Row[]> {
  const { directory, remove } = scratch()
  try {
    await using keelson = await startKeelson(directory, ['up', '--cri', runtime])
    const session = openSession(keelson)
    await Promise.all([nodesReady(session, 1), accountThere(session)])
    const rows: Row[] = []
    for (const { kind, path, object } of workloads) {
      const times: number[] = []
      for (let at = 0; at < repeats; at++) times.push(await startOne(session, path, object(`${runtime}-${at}`)))
      const value = median(times, (ms) => ms)
      rows.push({ what: whatOf(kind, runtime), value, unit: 'ms', goal: { atMost: goalMs } })
    }
    session.close()
    return rows
  } finally {
    remove()
  }
}

const template = (app: string) => ({
  metadata: { labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] }],
  },
})

const workloads = [
  {
    kind: 'Pod',
    path: pods,
    object: (name: string) => {
      const { metadata, spec } = template(`pod-${name}`)
      return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: `pod-${name}` }, spec }
    },
  },
  {
    kind: 'Deployment',
    path: deployments,
    object: (name: string) => {
      const app = `deployment-${name}`
      const spec = { replicas: 1, selector: { matchLabels: { app } }, template: template(app) }
      return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: app, labels: { app } }, spec }
    },
  },
]

interface Workload {
  metadata: { name: string; labels: { app: string } }
}

interface Pod {
  status?: { phase?: string }
}

/** @returns milliseconds from the POST to the event that says the pod runs; the workload is gone afterwards */
async function startOne(session: ClientHttp2Session, path: string, object: Workload): Promise<number> {
  const { name, labels } = object.metadata
  const events = watchEvents<Pod>(session, `${pods}?labelSelector=app%3D${labels.app}`)
  const started = performance.now()
  const running = firstOf(events, ({ object }) => object.status?.phase === 'Running')
  const { status, body } = await send(session, 'POST', path, object)
  if (status !== 201) throw new Error(`create answered ${status}: ${body.toString('utf8', 0, 300)}`)
  await running
  const tookMs = performance.now() - started
  const gone = firstOf(events, ({ type }) => type === 'DELETED')
  await send(session, 'DELETE', `${path}/${name}?propagationPolicy=Background`)
  await gone
  await events.return(undefined)
  return tookMs
}

/** Resolves at the first event that `isIt`; those after it are still to come. */
async function firstOf<T>(events: AsyncGenerator<T>, isIt: (event: T) => boolean): Promise<void> {
  for (let next = await events.next(); !next.done; next = await events.next()) if (isIt(next.value)) return
  throw new Error('the watch ended before what is expected came')
}

/** A pod can be made once the account that it runs as is there. */
async function accountThere(session: ClientHttp2Session): Promise<void> {
  const accounts = '/api/v1/namespaces/default/serviceaccounts?fieldSelector=metadata.name%3Ddefault'
  for await (const _there of watchEvents(session, accounts)) return
}

function send(session: ClientHttp2Session, method: string, path: string, object?: unknown) {
  const headers = { ':method': method, ':path': path, 'content-type': 'application/json' }
  return request(session, headers, object === undefined ? undefined : Buffer.from(JSON.stringify(object)))
}
