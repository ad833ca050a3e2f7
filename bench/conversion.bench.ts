import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { newTestAuthority, testServing } from '#core/server/pki/test-authority.ts'
import { type Figure, figureOf } from './figure.ts'
import { measureRate } from './load.ts'
import { alternate, median } from './rounds.ts'
import { openSession, request, scratch, startKeelson, type Target } from './servers.ts'

const count = 5_000
const few = 1_000
const writers = 64
const rounds = 5
const group = 'bench.example.com'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** LIST of 5,000 objects in a version that is not stored, against the one that is: by name only, in CEL, by a webhook. */
export async function conversionBench(durationMs: number): Promise<Figure[]> {
  const { directory, remove } = scratch()
  await using webhook = await startWebhook()
  await using keelson = await startKeelson(directory, ['server', '--declarative-conversion', 'true'])
  try {
    await make(keelson, definition('plains', {}), count)
    await make(keelson, definition('moveds', { annotations: moves(0) }), count)
    await make(keelson, definition('hooked', { conversion: webhook.conversion(0) }), count)
    const list = (plural: string, version: string) => (roundMs: number) =>
      measureRate(keelson, { concurrency: 2, protocol: 'h2', sessions: 2, durationMs: roundMs }, () => ({
        path: `/apis/${group}/${version}/${plural}`,
      }))
    const what = `LIST ${count.toLocaleString('en')} x 2 KB in another version`
    const goal = { atLeastRatio: 0.8 }
    const compare = async (how: string, plural: string) =>
      figureOf(
        `${what}, ${how}`,
        await alternate(durationMs, list(plural, 'v1'), list(plural, 'v2')),
        'as stored',
        goal,
      )
    return [
      await compare('None', 'plains'),
      await compare('by CEL, again and again', 'moveds'),
      await converted(keelson, 'CEL', 'moveds', (round) => ({ metadata: { annotations: moves(round) } })),
      await converted(keelson, 'a webhook', 'hooked', (round) => ({ spec: { conversion: webhook.conversion(round) } })),
    ]
  } finally {
    remove()
  }
}

/** How many objects are converted in a second when none has been before: of a long list as many as of a short one. */
async function converted(
  keelson: Target,
  by: string,
  plural: string,
  forget: (round: number) => object,
): Promise<Figure> {
  const session = openSession(keelson)
  let round = 0
  const rate = async (limit: number) => {
    // What is served in another way is converted anew.
    await send(session, 'PATCH', `${definitions}/${plural}.${group}`, forget(++round))
    const started = performance.now()
    await send(session, 'GET', `/apis/${group}/v2/${plural}?limit=${limit}`)
    return (limit / (performance.now() - started)) * 1_000
  }
  const pairs: { value: number; yardstick: number }[] = []
  for (let at = 0; at < rounds; at++) pairs.push({ yardstick: await rate(few), value: await rate(count) })
  session.close()
  const { value, yardstick } = median(pairs, (pair) => pair.value / pair.yardstick)
  return {
    what: `objects of a LIST of ${count.toLocaleString('en')} converted by ${by}`,
    value,
    unit: '/s',
    yardstick: { what: `of a LIST of ${few.toLocaleString('en')}`, value: yardstick },
    goal: { atLeastRatio: 0.8 },
  }
}

const text = { type: 'string' }
const schemaOf = (fields: Record<string, object>) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: { spec: { type: 'object', properties: { filler: text, ...fields } } },
  },
})

function definition(plural: string, { annotations = {}, conversion = {} }): object {
  const isPlain = plural === 'plains'
  const versions = [
    { name: 'v1', served: true, storage: true, schema: schemaOf({ hostPort: text }) },
    {
      name: 'v2',
      served: true,
      storage: false,
      schema: schemaOf(isPlain ? { hostPort: text } : { host: text, port: text }),
    },
  ]
  const names = { plural, kind: plural[0]!.toUpperCase() + plural.slice(1), listKind: `${plural}List` }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations },
    spec: { group, scope: 'Namespaced', names, versions, conversion: { strategy: 'None', ...conversion } },
  }
}

/** The same each time, but another text. */
const moves = (round: number) => ({
  'keelson.dev/conversion': JSON.stringify({
    'v1 -> v2': {
      set: { 'spec.host': "self.spec.hostPort.split(':')[0]", 'spec.port': "self.spec.hostPort.split(':')[1]" },
    },
    'v2 -> v1': { set: { 'spec.hostPort': `self.spec.host + ':' + self.spec.port${' '.repeat(round)}` } },
  }),
})

type Session = ReturnType<typeof openSession>

async function make(keelson: Target, crd: object, objects: number): Promise<void> {
  const session = openSession(keelson)
  await send(session, 'POST', definitions, crd)
  const { plural, kind } = (crd as { spec: { names: { plural: string; kind: string } } }).spec.names
  const filler = 'x'.repeat(1_600)
  let next = 0
  const worker = async () => {
    for (let at = next++; at < objects; at = next++) {
      const body = {
        apiVersion: `${group}/v1`,
        kind,
        metadata: { name: `bench-${at}` },
        spec: { hostPort: `host-${at}:80`, filler },
      }
      await send(session, 'POST', `/apis/${group}/v1/namespaces/default/${plural}`, body)
    }
  }
  await Promise.all(Array.from({ length: writers }, worker))
  session.close()
}

async function send(session: Session, method: string, path: string, body?: object): Promise<void> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const headers = { ':method': method, ':path': path, ...(body && { 'content-type': type }) }
  const answer = await request(session, headers, body && Buffer.from(JSON.stringify(body)))
  if (answer.status > 299)
    throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString('utf8', 0, 400)}`)
}

interface Review {
  request: { uid: string; desiredAPIVersion: string; objects: { spec: { hostPort: string } }[] }
}

/** A webhook that does no more than it must, in this process. */
async function startWebhook() {
  const { cert, key, ca } = testServing(newTestAuthority())
  const server = createServer({ cert, key }, async (message, response) => {
    const { request: review } = (await json(message)) as Review
    const convertedObjects = review.objects.map(({ spec: { hostPort, ...spec }, ...object }) => {
      const [host, port] = hostPort.split(':')
      return { ...object, apiVersion: review.desiredAPIVersion, spec: { ...spec, host, port } }
    })
    const answer = { uid: review.uid, convertedObjects, result: { status: 'Success' } }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response: answer }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    conversion: (round: number) => ({
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v1'],
        clientConfig: { url: `https://127.0.0.1:${port}/${round}`, caBundle: Buffer.from(ca).toString('base64') },
      },
    }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
