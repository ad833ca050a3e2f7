/** Two whole servers over one etcd: to clients they are one. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { raceForRoom } from '#core/testing/quota-race.ts'
import { startTestServer, type TestObject, type TestServer } from '#core/testing/test-server.ts'
import { compact } from './compactor.ts'
import { EtcdClient } from './etcd-client.ts'
import { type EtcdCluster, startEtcd, whyNoEtcd } from './testing/etcd-cluster.ts'

const missing = await whyNoEtcd()
const configMaps = '/api/v1/namespaces/default/configmaps'
const strategic = { 'content-type': 'application/merge-patch+json' }

/** Reads the lines of a watch as they come. */
async function* watchLines(server: TestServer, target: string): AsyncGenerator<{ type: string; object: TestObject }> {
  const session = server.session()
  onTestFinished(() => session.destroy())
  let rest = ''
  for await (const chunk of session.request({ ':path': target }).setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) yield JSON.parse(line)
  }
}

describe.skipIf(missing)(`two servers over one etcd${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let etcd: EtcdCluster
  let a: TestServer
  let b: TestServer

  beforeAll(async () => {
    etcd = await startEtcd()
    const flags = ['--etcd-servers', etcd.urls.join(), '--log-level', 'error']
    a = await startTestServer(flags)
    b = await startTestServer(flags, (directory) =>
      cp(join(a.directory, 'pki'), join(directory, 'pki'), { recursive: true }),
    )
  }, 60_000)
  afterAll(async () => {
    await Promise.all([a, b].map((server) => server?.[Symbol.asyncDispose]()))
    await etcd[Symbol.asyncDispose]()
  })

  test('what one was told is done, the other shows at once', async () => {
    for (let i = 0; i < 30; i++) {
      const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a]
      const name = `shown-${i}`
      const created = await writer.request('POST', configMaps, { metadata: { name }, data: { i: String(i) } })
      expect(created.status).toBe(201)
      const { resourceVersion } = created.json().metadata
      const got = await reader.request('GET', `${configMaps}/${name}`)
      expect(got.json().metadata.resourceVersion).toBe(resourceVersion)
      const list = await reader.request('GET', `${configMaps}?fieldSelector=metadata.name=${name}`)
      expect(list.json<{ items: unknown[] }>().items).toHaveLength(1)
      const removed = await reader.request('DELETE', `${configMaps}/${name}`)
      expect(removed.status).toBe(200)
      expect((await writer.request('GET', `${configMaps}/${name}`)).status).toBe(404)
    }
  })

  test('an update that changes nothing here is not dropped when there is something newer in etcd', async () => {
    await a.request('POST', configMaps, { metadata: { name: 'flipped' }, data: { side: 'a' } })
    for (let i = 0; i < 20; i++) {
      const [server, side] = i % 2 === 0 ? [b, 'b'] : [a, 'a']
      const patched = await server.request('PATCH', `${configMaps}/flipped`, { data: { side } }, strategic)
      expect(patched.json().data).toEqual({ side })
    }
    expect((await b.request('GET', `${configMaps}/flipped`)).json().data).toEqual({ side: 'a' })
  })

  test('a namespace made at one is there for objects made at the other', async () => {
    await a.request('POST', '/api/v1/namespaces', { metadata: { name: 'shared' } })
    const answer = await b.request('POST', '/api/v1/namespaces/shared/configmaps', { metadata: { name: 'x' } })
    expect(answer.status).toBe(201)
  })

  test('of many who make objects at both, as many get in as the quota of their namespace has room for', async () => {
    const room = 4
    const { most, answers, madeUntilFull } = await raceForRoom([a, b], { room, clients: 10, objects: 3 })
    expect(most).toBeLessThanOrEqual(room)
    expect([...answers.keys()].sort()).toEqual([201, 403])
    expect(madeUntilFull).toBe(room)
  })

  test('of many who want a unique value at both, one gets it; what is referred to does not go meanwhile', async () => {
    const group = 'constraints.example.dev'
    const text = { type: 'string' }
    const spec = {
      host: { ...text, 'x-keelson-unique': 'cluster' },
      config: { ...text, 'x-keelson-reference': { resource: 'configmaps', onDelete: 'restrict' } },
    }
    const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: spec } } }
    await a.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: `sites.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'sites', kind: 'Site' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
      },
    })
    const sites = `/apis/${group}/v1/namespaces/default/sites`
    while ((await b.request('GET', sites)).status !== 200);
    const make = (server: TestServer, name: string, spec: object) =>
      server.request('POST', sites, { apiVersion: `${group}/v1`, kind: 'Site', metadata: { name }, spec })
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, at) => make(at % 2 === 0 ? a : b, `s-${round}-${at}`, { host: `h-${round}` })),
      )
      const codes = answers.map(({ status }) => status)
      expect(codes.filter((code) => code === 201)).toHaveLength(1)
      expect(codes.filter((code) => code === 422)).toHaveLength(11)
    }
    for (let round = 0; round < 10; round++) {
      await a.request('POST', configMaps, { metadata: { name: `c-${round}` } })
      const [made, removed] = await Promise.all([
        make(a, `r-${round}`, { config: `c-${round}` }),
        b.request('DELETE', `${configMaps}/c-${round}`),
      ])
      expect([
        [201, 409],
        [422, 200],
      ]).toContainEqual([made.status, removed.status])
    }
  })

  test('a watch at one shows the writes of both, each once and in order', async () => {
    const { resourceVersion } = (await b.request('GET', configMaps)).json().metadata
    const watch = watchLines(b, `${configMaps}?watch=true&resourceVersion=${resourceVersion}`)
    const wanted: string[] = []
    for (let i = 0; i < 20; i++) {
      const answer = await (i % 2 === 0 ? a : b).request('POST', configMaps, { metadata: { name: `watched-${i}` } })
      wanted.push(answer.json().metadata.resourceVersion)
    }
    const seen: string[] = []
    for await (const { type, object } of watch) {
      expect(type).toBe('ADDED')
      seen.push(object.metadata.resourceVersion)
      if (seen.length === wanted.length) break
    }
    expect(seen).toEqual(wanted)
  })

  test('a token of one is good at the other', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts'
    await a.request('POST', accounts, { metadata: { name: 'both' } })
    const issued = await a.request('POST', `${accounts}/both/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    })
    const { token } = issued.json<{ status: { token: string } }>().status
    const review = await b.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token },
    })
    expect(review.json().status).toMatchObject({
      authenticated: true,
      user: { username: 'system:serviceaccount:default:both' },
    })
  })

  test('what is compacted is gone with 410, for lists and watches', async () => {
    const first = (await a.request('POST', configMaps, { metadata: { name: 'compacted' } })).json()
    const old = first.metadata.resourceVersion
    const patched = await a.request('PATCH', `${configMaps}/compacted`, { data: { now: 'newer' } }, strategic)
    const client = new EtcdClient({ endpoints: etcd.urls })
    await compact(client, Number(patched.json().metadata.resourceVersion))
    client.close()
    // One that has just started knows no more than etcd does.
    await b.restart()
    const list = await b.request('GET', `${configMaps}?resourceVersion=${old}&resourceVersionMatch=Exact`)
    expect(list).toMatchObject({ status: 410 })
    expect(list.json().reason).toBe('Expired')
    for await (const { type, object } of watchLines(b, `${configMaps}?watch=true&resourceVersion=${old}`)) {
      expect({ type, code: object.code }).toEqual({ type: 'ERROR', code: 410 })
      break
    }
  })

  test('controllers run at one of them, and at the other once that one stops', async () => {
    const deployments = '/apis/apps/v1/namespaces/default/deployments'
    const deploymentOf = (name: string) => ({
      metadata: { name },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    })
    for (const name of ['led', 'taken-over']) {
      expect((await b.request('POST', deployments, deploymentOf(name))).status).toBe(201)
      const pods = new Set<string>()
      const selector = `labelSelector=app=${name}`
      for await (const { object } of watchLines(b, `/api/v1/namespaces/default/pods?watch=true&${selector}`)) {
        pods.add(object.metadata.name!)
        if (pods.size === 3) break
      }
      const status = `${deployments}?watch=true&fieldSelector=metadata.name=${name}`
      for await (const { object } of watchLines(b, status)) {
        if ((object.status as { replicas?: number }).replicas === 3) break
      }
      const list = await b.request('GET', `/api/v1/namespaces/default/pods?${selector}`)
      expect(list.json<{ items: unknown[] }>().items).toHaveLength(3)
      await a.stop()
    }
    await a.restart()
  }, 60_000)

  test('without etcd there are clear failures and a readiness that names it; with it again all goes on', async () => {
    const { resourceVersion } = (await a.request('GET', configMaps)).json().metadata
    const watch = watchLines(b, `${configMaps}?watch=true&resourceVersion=${resourceVersion}`)
    await etcd.members[0]!.stop('SIGKILL')
    const [write, read, cached] = await Promise.all([
      a.request('POST', configMaps, { metadata: { name: 'meanwhile' } }),
      a.request('GET', `${configMaps}/flipped`),
      a.request('GET', `${configMaps}/flipped?resourceVersion=0`),
    ])
    for (const answer of [write, read]) {
      expect(answer.status).toBe(503)
      expect(answer.json()).toMatchObject({ kind: 'Status', reason: 'ServiceUnavailable' })
      expect(answer.json().message).toContain('etcd')
    }
    expect(cached.status).toBe(200)
    const ready = await a.request('GET', '/readyz')
    expect(ready.status).toBe(500)
    expect(ready.text).toContain('[-]etcd failed')
    await etcd.members[0]!.start()
    while ((await a.request('GET', '/readyz')).status !== 200);
    const after = await a.request('POST', configMaps, { metadata: { name: 'afterwards' } })
    expect(after.status).toBe(201)
    for await (const { object } of watch) {
      expect(object.metadata.name).toBe('afterwards')
      break
    }
  }, 60_000)
})
