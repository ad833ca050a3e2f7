import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestBody, type TestObject, type TestServer } from '#core/testing/test-server.ts'

/** A started server as its clients see it: rights, races, pages, and what is done to pods. */
let server: TestServer

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
  await made('/api/v1/namespaces', { metadata: { name: 'team' } })
})

afterAll(async () => {
  // On a busy machine a start says that it takes its time.
  expect(server.stderr().replace('still starting ...\n', '')).toBe('')
  await server[Symbol.asyncDispose]()
})

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const configMaps = '/api/v1/namespaces/team/configmaps'
const merge = { 'content-type': 'application/merge-patch+json' }

async function made(target: string, body: TestBody): Promise<TestObject> {
  const answer = await server.request('POST', target, body)
  expect([answer.status, answer.text]).toEqual([201, expect.anything()])
  return answer.json()
}

/** Lets somebody do something in the namespace. */
async function grant(user: string, rules: object[]): Promise<void> {
  await made(`${rbac}/namespaces/team/roles`, { metadata: { name: user }, rules })
  await made(`${rbac}/namespaces/team/rolebindings`, {
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  })
}

const as = (user: string) => (method: string, target: string, body?: TestBody) =>
  server.request(method, target, body, {
    'impersonate-user': user,
    ...(body && { 'content-type': 'application/json' }),
  })

test('every right in one namespace is none outside of it', async () => {
  await grant('jane', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])
  const jane = as('jane')
  expect((await jane('GET', configMaps)).status).toBe(200)
  expect((await jane('GET', '/api/v1/namespaces/team')).status).toBe(200)
  const binding = {
    metadata: { name: 'escape' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
  }
  const outside: [string, string, TestBody?][] = [
    ['GET', '/api/v1/nodes'],
    ['GET', '/api/v1/namespaces/team/nodes'],
    ['GET', '/api/v1/namespaces/default/configmaps'],
    ['GET', '/api/v1/configmaps'],
    ['GET', '/api/v1/namespaces/team/configmaps/..%2Fdefault%2Fx'],
    ['GET', `${rbac}/namespaces/team/clusterroles`],
    ['DELETE', `${rbac}/namespaces/team/clusterroles`],
    ['POST', `${rbac}/namespaces/team/clusterrolebindings`, binding],
    ['POST', `${rbac}/clusterrolebindings`, binding],
  ]
  for (const [method, target, body] of outside) {
    expect([method, target, (await jane(method, target, body)).status]).toEqual([
      method,
      target,
      expect.toSatisfy((code) => code >= 400 && code < 500),
    ])
  }
  expect((await server.request('GET', `${rbac}/clusterroles/cluster-admin`)).status).toBe(200)
  expect((await server.request('GET', `${rbac}/clusterrolebindings/escape`)).status).toBe(404)
})

test('nobody gives away what he does not hold', async () => {
  const own = { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['*'] }
  await grant('ruth', [{ ...own, verbs: ['create', 'update', 'get'] }])
  const more = { metadata: { name: 'more' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] }
  const answer = await as('ruth')('POST', `${rbac}/namespaces/team/roles`, more)
  expect(answer.status).toBe(403)
  expect(answer.json().message).toContain(
    'is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  )
})

test('who may read one secret may list and watch it by its name', async () => {
  await grant('sam', [
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['s'], verbs: ['get', 'list', 'watch'] },
  ])
  const secrets = '/api/v1/namespaces/team/secrets'
  expect((await as('sam')('GET', `${secrets}?fieldSelector=metadata.name%3Ds`)).status).toBe(200)
  expect((await as('sam')('GET', secrets)).status).toBe(403)
  expect((await as('sam')('GET', `${secrets}?fieldSelector=metadata.name%3Dother`)).status).toBe(403)
})

test('plain metadata has no owners of fields, and its watch says nothing of changes that do not show', async () => {
  const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.keelson.dev'
  const change = (body: Record<string, unknown>) => server.request('PATCH', `${configMaps}/quiet`, body, merge)
  const { metadata } = await made(`${configMaps}?fieldManager=test`, { metadata: { name: 'quiet' }, data: {} })
  const shown = (await server.request('GET', `${configMaps}/quiet`, undefined, { accept })).json()
  expect(metadata).toHaveProperty('managedFields')
  expect({ ...shown.metadata, managedFields: metadata.managedFields }).toEqual(metadata)
  await change({ data: { key: 'value' } })
  await change({ metadata: { labels: { seen: 'yes' } } })
  const from = `${configMaps}?watch=1&fieldSelector=metadata.name%3Dquiet&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`
  const { text } = await server.request('GET', from, undefined, { accept })
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events).toMatchObject([{ type: 'MODIFIED', object: { metadata: { name: 'quiet', labels: { seen: 'yes' } } } }])
})

test('an aggregated role shows its rules', async () => {
  for (;;) {
    const { rules } = (await server.request('GET', `${rbac}/clusterroles/admin`)).json<{ rules?: unknown[] }>()
    if (rules && rules.length > 10) break
  }
})

test.each(['request', 'requestH1'] as const)('a hundred patches at once are all there, by %s', async (via) => {
  const target = `${configMaps}/${via.toLowerCase()}`
  await made(configMaps, { metadata: { name: via.toLowerCase() } })
  const patches = Array.from({ length: 100 }, (_, at) =>
    server[via]('PATCH', target, { data: { [`k${at}`]: 'x' } }, merge),
  )
  for (const { status } of await Promise.all(patches)) expect(status).toBe(200)
  const { data } = (await server.request('GET', target)).json<{ data: object }>()
  expect(Object.keys(data)).toHaveLength(100)
})

test('replacing what somebody else replaced is a conflict, once each round', async () => {
  const target = `${configMaps}/replaced`
  const first = await made(configMaps, { metadata: { name: 'replaced' } })
  const puts = Array.from({ length: 20 }, (_, at) =>
    server.request('PUT', target, { ...first, data: { at: String(at) } }),
  )
  const codes = (await Promise.all(puts)).map((answer) => answer.status)
  expect(codes.filter((code) => code === 200)).toHaveLength(1)
  expect(codes.filter((code) => code === 409)).toHaveLength(19)
})

test('a status replaced by many at once is a conflict for all but one, never anything else', async () => {
  // No controller here touches a quota.
  const quotas = '/api/v1/namespaces/default/resourcequotas'
  const first = await made(quotas, { metadata: { name: 'contended' }, spec: { hard: { pods: '1' } } })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      server.request('PUT', `${quotas}/contended/status`, { ...first, status: { hard: { pods: String(at) } } }),
    ),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 409)])
})

test('pages are of one moment, whatever happens between them', async () => {
  const target = '/api/v1/namespaces/team/secrets'
  for (let at = 0; at < 10; at++) await made(target, { metadata: { name: `p-${at}` } })
  const names: string[] = []
  let token = ''
  do {
    const answer = await server.request('GET', `${target}?limit=3&continue=${token}`)
    const page = answer.json<{ metadata: { continue?: string }; items: TestObject[] }>()
    names.push(...page.items.map((item) => item.metadata.name!))
    token = page.metadata.continue ?? ''
    await server.request('DELETE', `${target}/p-${names.length % 10}`)
    await made(target, { metadata: { name: `p-x${names.length}` } })
  } while (token)
  expect(names).toEqual(Array.from({ length: 10 }, (_, at) => `p-${at}`))
})

test('a disruption budget is spent once, however many evict at once', async () => {
  const pods = '/api/v1/namespaces/team/pods'
  await made('/api/v1/namespaces/team/serviceaccounts', { metadata: { name: 'default' } }).catch(() => undefined)
  const status = { 'content-type': 'application/merge-patch+json' }
  const conditions = [{ type: 'Ready', status: 'True' }]
  for (const name of ['e-0', 'e-1', 'e-2']) {
    await made(pods, {
      metadata: { name, labels: { app: 'e' } },
      spec: { nodeName: 'nowhere', containers: [{ name: 'c', image: 'i' }] },
    })
    await server.request('PATCH', `${pods}/${name}/status`, { status: { phase: 'Running', conditions } }, status)
  }
  const budgets = '/apis/policy/v1/namespaces/team/poddisruptionbudgets'
  const { metadata } = await made(budgets, {
    metadata: { name: 'e' },
    spec: { minAvailable: 2, selector: { matchLabels: { app: 'e' } } },
  })
  const observed = {
    disruptionsAllowed: 1,
    currentHealthy: 3,
    desiredHealthy: 2,
    expectedPods: 3,
    observedGeneration: metadata.generation,
  }
  expect((await server.request('PATCH', `${budgets}/e/status`, { status: observed }, status)).status).toBe(200)
  const evict = (name: string) =>
    server.request('POST', `${pods}/${name}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name },
    })
  const answers = await Promise.all(['e-0', 'e-1', 'e-2'].map(evict))
  expect(answers.map((answer) => answer.status).sort()).toEqual([201, 429, 429])
  const refused = answers.find((answer) => answer.status === 429)!
  expect(refused.json().message).toBe("Cannot evict pod as it would violate the pod's disruption budget.")
  expect(refused.json().details).toMatchObject({ causes: [{ reason: 'DisruptionBudget' }] })
})

test('a scale reads and writes the replicas of what it belongs to', async () => {
  const deployments = '/apis/apps/v1/namespaces/team/deployments'
  const spec = {
    selector: { matchLabels: { app: 'w' } },
    template: { metadata: { labels: { app: 'w' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  }
  await made(deployments, { metadata: { name: 'w' }, spec })
  const scale = (await server.request('GET', `${deployments}/w/scale`)).json()
  expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 1 }, status: { selector: 'app=w' } })
  expect((await server.request('PATCH', `${deployments}/w/scale`, { spec: { replicas: 0 } }, merge)).status).toBe(200)
  expect((await server.request('PUT', `${deployments}/w/scale`, { ...scale, spec: { replicas: 5 } })).status).toBe(409)
  expect((await server.request('GET', `${deployments}/w`)).json()).toMatchObject({ spec: { replicas: 0 } })
})
