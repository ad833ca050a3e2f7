import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '#core/testing/test-server.ts'

/** Informers of Kubernetes' own JavaScript client behind a network that breaks all the time. */
let server: TestServer
let network: Network

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
  network = await openNetwork(server.port)
})

afterAll(async () => {
  network[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
})

interface Network extends Disposable {
  port: number
  /** Breaks every connection there is. @returns how many */
  cut(): number
}

/** A TCP proxy. */
async function openNetwork(to: number): Promise<Network> {
  const open = new Set<Socket>()
  const listener = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    open.add(client)
    for (const [from, into] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => {})
      from.on('close', () => into.destroy())
      from.pipe(into)
    }
    client.on('close', () => open.delete(client))
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const cut = () => {
    const count = open.size
    for (const socket of open) socket.resetAndDestroy()
    return count
  }
  return {
    port: (listener.address() as AddressInfo).port,
    cut,
    [Symbol.dispose]: () => {
      listener.close()
      cut()
    },
  }
}

const configMaps = '/api/v1/namespaces/default/configmaps'

/** An informer, and what it said: the kind of each event with the object's name and version. */
class Observer {
  readonly heard: string[] = []
  readonly #stop: () => void
  #waiting: { last: string; resolve: () => void } | undefined

  constructor(config: KubeConfig) {
    const api = config.makeApiClient(CoreV1Api)
    const selector = 'informed=yes'
    const list = () => api.listNamespacedConfigMap({ namespace: 'default', labelSelector: selector })
    const informer = makeInformer(config, configMaps, list, selector)
    for (const event of ['add', 'update', 'delete'] as const) {
      informer.on(event, (object) => this.#hear(event, object))
    }
    informer.on('error', () => void informer.start())
    void informer.start()
    this.#stop = () => void informer.stop()
  }

  #hear(event: string, { metadata }: V1ConfigMap): void {
    // Of a deletion nobody else is told the version.
    const line =
      event === 'delete' ? `delete ${metadata!.name}` : `${event} ${metadata!.name} ${metadata!.resourceVersion}`
    this.heard.push(line)
    if (line === this.#waiting?.last) this.#waiting.resolve()
  }

  until(last: string): Promise<void> {
    if (this.heard.includes(last)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting = { last, resolve }
    })
  }

  stop(): void {
    this.#stop()
  }
}

const observers = 20
const cuts = 1_000

test(`informers hear of everything once and in order, through ${cuts} broken connections`, async () => {
  const config = new KubeConfig()
  config.loadFromFile(server.kubeconfig)
  config.clusters = config.clusters.map((cluster) => ({ ...cluster, server: `https://127.0.0.1:${network.port}` }))
  const said: string[] = []
  const say = async (event: 'add' | 'update' | 'delete', name: string) => {
    const labels = { informed: 'yes' }
    const type = { 'content-type': 'application/merge-patch+json' }
    const answer = await {
      add: () => server.request('POST', configMaps, { metadata: { name, labels } }),
      update: () => server.request('PATCH', `${configMaps}/${name}`, { data: { round: String(said.length) } }, type),
      delete: () => server.request('DELETE', `${configMaps}/${name}`),
    }[event]()
    expect(answer.status).toBeLessThan(300)
    said.push(event === 'delete' ? `delete ${name}` : `${event} ${name} ${answer.json().metadata.resourceVersion}`)
  }
  const all = Array.from({ length: observers }, () => new Observer(config))
  await say('add', 'first')
  await Promise.all(all.map((one) => one.until(said.at(-1)!)))
  let broken = 0
  for (let round = 0; broken < cuts; round++) {
    await say('add', `made-${round}`)
    // While this is on its way.
    broken += network.cut()
    await say('update', `made-${round}`)
    if (round % 3 === 0) await say('delete', `made-${round}`)
    await Promise.all(all.map((one) => one.until(said.at(-1)!)))
  }
  for (const one of all) {
    expect(one.heard).toEqual(said)
    one.stop()
  }
}, 120_000)

test('a watch goes on where it was before the server started again, also behind a selector', async () => {
  const made = await server.request('POST', configMaps, { metadata: { name: 'kept', labels: { kept: 'yes' } } })
  expect(made.status).toBe(201)
  const type = { 'content-type': 'application/merge-patch+json' }
  const version = made.json().metadata.resourceVersion
  for (const patch of [{ data: { a: '1' } }, { metadata: { labels: { kept: 'no' } } }]) {
    expect((await server.request('PATCH', `${configMaps}/kept`, patch, type)).status).toBe(200)
  }
  await server.restart()
  const query = `watch=1&resourceVersion=${version}&labelSelector=kept%3Dyes&timeoutSeconds=1`
  const { text } = await server.request('GET', `${configMaps}?${query}`)
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; object: V1ConfigMap })
  expect(events.map(({ type, object }) => [type, object.metadata?.labels, object.data])).toEqual([
    ['MODIFIED', { kept: 'yes' }, { a: '1' }],
    ['DELETED', { kept: 'yes' }, { a: '1' }],
  ])
})
