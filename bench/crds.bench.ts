import { createHash } from 'node:crypto'
import type { ClientHttp2Session } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { customObject, definition, definitionsPath, groupCount, namesOf, objectsPath } from './definitions.ts'
import { type Figure, figureOf } from './figure.ts'
import { measureRate } from './load.ts'
import { configMap, configMaps } from './objects.ts'
import { processTree, residentMegabytes } from './process-tree.ts'
import { alternate } from './rounds.ts'
import { type Answer, openSession, request, scratch, startKeelson, type Target } from './servers.ts'

const definitions = 1_000
const schemaBytes = 20_000
const objects = 50_000
const objectBytes = 2_048
/** Long enough for what the work has left behind to be collected. */
const settleMs = 20_000

/**
 * 1,000 CustomResourceDefinitions of 20 KB: what they cost where nobody uses them, how long each takes to be served, how
 * long documents take behind a change, a restart with them and 50,000 objects; and what creating a custom resource costs.
 */
export async function crdsBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  try {
    const figures = await beforeRestart(directory, durationMs)
    await using keelson = await startKeelson(directory, ['server'])
    const what = `restart to ready with ${definitions} definitions and ${objects.toLocaleString('en')} objects`
    return [...figures, { what, value: keelson.readyMs / 1_000, unit: 's', goal: { atMost: 5 } }]
  } finally {
    remove()
  }
}

async function beforeRestart(directory: string, durationMs: number): Promise<Figure[]> {
  await using keelson = await startKeelson(directory, ['server'])
  await sleep(settleMs)
  const before = resident(keelson)
  const times = await register(keelson)
  await sleep(settleMs)
  const memory = resident(keelson) - before
  const figures: Figure[] = [
    { what: `${definitions} idle definitions of 20 KB, resident`, value: memory, unit: 'MB', goal: { atMost: 100 } },
    ...timesOf('definition created to kind served', times, 20),
    ...(await documents(keelson)),
    await largeDefinition(keelson),
    ...(await creates(keelson, durationMs)),
  ]
  await fillObjects(keelson)
  return figures
}

const resident = ({ pid }: Target) => residentMegabytes(processTree(pid))

const json = { 'content-type': 'application/json' }
const post = (path: string) => ({ ':method': 'POST', ':path': path, ...json })

async function ask(session: ClientHttp2Session, headers: Record<string, string>, body?: Buffer): Promise<Answer> {
  const answer = await request(session, headers, body)
  if (answer.status < 300) return answer
  throw new Error(`${headers[':path']} answered ${answer.status}: ${answer.body.toString('utf8', 0, 300)}`)
}

/** Creates the definitions one after another. @returns how long each took to be served, in milliseconds */
async function register(target: Target): Promise<number[]> {
  const session = openSession(target)
  const times: number[] = []
  for (let at = 0; at < definitions; at++) {
    const body = definition(at, schemaBytes)
    const started = performance.now()
    await ask(session, post(definitionsPath), body)
    await ask(session, { ':path': objectsPath(at) })
    times.push(performance.now() - started)
  }
  session.close()
  return times
}

function timesOf(what: string, times: readonly number[], atMost: number): Figure[] {
  const sorted = times.toSorted((a, b) => a - b)
  const mean = times.reduce((sum, one) => sum + one, 0) / times.length
  const p99 = sorted[Math.floor(sorted.length * 0.99)]!
  return [
    { what: `${what}, mean`, value: mean, unit: 'ms', goal: { atMost } },
    { what: `${what}, p99`, value: p99, unit: 'ms' },
  ]
}

const { group } = namesOf(0)
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
const documentsAsked: { what: string; paths: { path: string; accept?: string }[] }[] = [
  {
    what: 'discovery',
    paths: [
      { path: '/apis', accept: aggregated },
      { path: '/apis' },
      { path: `/apis/${group}` },
      { path: `/apis/${group}/v1` },
    ],
  },
  { what: 'OpenAPI v3', paths: [{ path: '/openapi/v3' }, { path: `/openapi/v3/apis/${group}/v1` }] },
  { what: 'OpenAPI v2', paths: [{ path: '/openapi/v2' }] },
  { what: 'OpenAPI v2 in protobuf', paths: [{ path: '/openapi/v2', accept: protobuf }] },
]
const changes = 5

/** How long each document takes to answer right behind a change of a definition, and how long others wait meanwhile. */
async function documents(target: Target): Promise<Figure[]> {
  const session = openSession(target)
  const figures: Figure[] = []
  const first: number[] = []
  const stop = observeWaits(target)
  for (const { what, paths } of documentsAsked) {
    const fetchAll = async () => {
      const times: number[] = []
      for (const one of paths) times.push((await fetchDocument(session, one)).ms)
      return Math.max(...times)
    }
    first.push(await fetchAll())
    let slowest = 0
    for (let change = 0; change < changes; change++) {
      await touch(session, `${what} ${change}`)
      slowest = Math.max(slowest, await fetchAll())
    }
    figures.push({
      what: `${what} behind a change, slowest of ${changes}`,
      value: slowest,
      unit: 'ms',
      goal: { atMost: 100 },
    })
  }
  const longest = await stop()
  session.close()
  return [
    ...figures,
    { what: 'OpenAPI v2 for the first time', value: first[2]!, unit: 'ms' },
    { what: 'longest wait of others meanwhile', value: longest, unit: 'ms', goal: { atMost: 40 } },
  ]
}

/** As kubectl does, which takes gzip; what it unpacks is not the server's. */
async function fetchDocument(
  session: ClientHttp2Session,
  { path, accept = 'application/json' }: { path: string; accept?: string },
): Promise<{ ms: number; hash: string }> {
  const started = performance.now()
  const { body } = await ask(session, { ':path': path, accept, 'accept-encoding': 'gzip' })
  return { ms: performance.now() - started, hash: createHash('sha1').update(body).digest('hex') }
}

/** Changes a definition so that all documents are others. */
async function touch(session: ClientHttp2Session, words: string): Promise<void> {
  const { plural } = namesOf(0)
  const shortName = `s${createHash('sha1').update(words).digest('hex').slice(0, 10)}`
  const patch = Buffer.from(JSON.stringify({ spec: { names: { shortNames: [shortName] } } }))
  const headers = { ':method': 'PATCH', ':path': `${definitionsPath}/${plural}.${group}` }
  await ask(session, { ...headers, 'content-type': 'application/merge-patch+json' }, patch)
}

/** Asks for something small again and again. The function returned ends that and says what the longest wait was. */
function observeWaits(target: Target): () => Promise<number> {
  const session = openSession(target)
  let isOver = false
  let longest = 0
  const asking = (async () => {
    while (!isOver) {
      const started = performance.now()
      await ask(session, { ':path': '/livez' })
      longest = Math.max(longest, performance.now() - started)
      await sleep(2)
    }
  })()
  return async () => {
    isOver = true
    await asking
    session.close()
    return longest
  }
}

/** A definition of 1 MB: how long others wait while it is created. */
async function largeDefinition(target: Target): Promise<Figure> {
  const session = openSession(target)
  const stop = observeWaits(target)
  await sleep(200)
  await ask(session, post(definitionsPath), definition(definitions, 1_000_000))
  await ask(session, { ':path': objectsPath(definitions) })
  await sleep(1_000)
  const value = await stop()
  session.close()
  return { what: 'longest wait of others while 1 MB of schema is created', value, unit: 'ms', goal: { atMost: 40 } }
}

const loads = [
  { protocol: 'h1', sessions: 64 },
  { protocol: 'h2', sessions: 64 },
] as const

/** Creates of a custom resource beside those of a ConfigMap of the same size. */
async function creates(target: Target, durationMs: number): Promise<Figure[]> {
  const figures: Figure[] = []
  let created = 0
  for (const load of loads) {
    const measure = (path: string, bodyOf: (name: string) => Buffer) => (roundMs: number) =>
      measureRate(target, { ...load, concurrency: 64, durationMs: roundMs }, () => ({
        path,
        body: bodyOf(`bench-${created++}`),
      }))
    const round = await alternate(
      durationMs,
      measure(configMaps, (name) => configMap(name, objectBytes)),
      measure(objectsPath(0), (name) => customObject(0, name, objectBytes)),
    )
    const what = `create a custom resource of 2 KB, 64 clients, ${load.protocol}`
    figures.push(figureOf(what, round, 'create a ConfigMap', { atLeastRatio: 0.8 }))
  }
  return figures
}

/** Creates objects of every tenth definition. */
async function fillObjects(target: Target): Promise<void> {
  const session = openSession(target)
  let next = 0
  const worker = async () => {
    for (let at = next++; at < objects; at = next++) {
      const of = (at % groupCount) * 10
      await ask(session, post(objectsPath(of)), customObject(of, `filled-${at}`, objectBytes))
    }
  }
  await Promise.all(Array.from({ length: 64 }, worker))
  session.close()
}
