import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newTestAuthority } from '#core/server/pki/test-authority.ts'
import { type ExtensionServer, startExtensionServer } from '#core/testing/extension-server.ts'
import { startTestServer, type TestObject, type TestServer } from '#core/testing/test-server.ts'

/** A started server beside an API server of somebody else's, which it reaches through a Service. */
const authority = newTestAuthority()
const servername = 'gadgets.default.svc'
const services = '/api/v1/namespaces/default/services'
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices'
const gadgets = '/apis/acme.test/v1/namespaces/default/gadgets'
const merge = { 'content-type': 'application/merge-patch+json' }
/** EndpointSlices take no loopback addresses. */
const ownAddress = Object.values(networkInterfaces())
  .flat()
  .find((one) => one && !one.internal && one.family === 'IPv4')?.address

let server: TestServer
let extension: ExtensionServer

const service = { metadata: { name: 'gadgets' }, spec: { ports: [{ name: 'https', port: 443 }] } }
const slice = (port: number) => ({
  metadata: { name: 'gadgets-1', labels: { 'kubernetes.io/service-name': 'gadgets' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [ownAddress] }],
  ports: [{ name: 'https', port }],
})
const apiService = {
  metadata: { name: 'v1.acme.test' },
  spec: {
    group: 'acme.test',
    version: 'v1',
    groupPriorityMinimum: 2000,
    versionPriority: 20,
    service: { namespace: 'default', name: 'gadgets' },
    caBundle: Buffer.from(authority.caPem).toString('base64'),
  },
}

beforeAll(async () => {
  server = await startTestServer(['--log-level', 'error'])
  const { data } = (await get(
    '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
  )) as unknown as {
    data: Record<string, string>
  }
  extension = await startExtensionServer({
    serving: authority.issue({ subject: { commonName: servername }, usage: 'server', hosts: [servername] }),
    clientCa: data['requestheader-client-ca-file']!,
    host: ownAddress ?? '127.0.0.1',
  })
  await made(services, ownAddress ? service : { ...service, spec: { type: 'ExternalName', externalName: 'localhost' } })
  if (ownAddress) await made(slices, slice(extension.port))
  const port = ownAddress ? 443 : extension.port
  await made(apiServices, {
    ...apiService,
    spec: { ...apiService.spec, service: { ...apiService.spec.service, port } },
  })
  await available('v1.acme.test', 'True')
})

afterAll(async () => {
  await extension?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

async function get(target: string): Promise<TestObject> {
  return (await server.request('GET', target)).json()
}

async function made(target: string, body: object): Promise<TestObject> {
  const answer = await server.request('POST', target, body as Record<string, unknown>)
  expect([answer.status, answer.text]).toEqual([201, expect.anything()])
  return answer.json()
}

/** Follows the object until its condition is like this. */
async function available(name: string, status: string, reason?: string): Promise<Condition> {
  const stream = server.session().request({ ':path': `${apiServices}?watch=true&fieldSelector=metadata.name=${name}` })
  let rest = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) {
      const condition = conditionOf(JSON.parse(line).object)
      if (condition?.status !== status || (reason && condition.reason !== reason)) continue
      stream.session!.destroy()
      return condition
    }
  }
  throw new Error(`the watch ended before ${name} was ${status}`)
}

interface Condition {
  status: string
  reason: string
  message: string
}
const conditionOf = (object: TestObject) => (object.status as { conditions?: Condition[] } | undefined)?.conditions?.[0]

test('requests are passed on as who asks, and nobody can pretend', async () => {
  const answer = await server.request('GET', `${gadgets}/one?pretty=1&x=%2F`, undefined, {
    'impersonate-user': 'jürgen',
    'impersonate-uid': 'u-1',
    'impersonate-group': 'system:masters',
    'impersonate-extra-acme.test%2fscope': 'all',
    'x-remote-user': 'mallory',
    'x-remote-group': 'system:nodes',
    'x-remote-extra-acme.test%2fscope': 'none',
    authorization: 'Basic eDp5',
  })
  expect(answer.status).toBe(200)
  expect(answer.json().metadata.name).toBe('one')
  const { client, headers, url } = extension.seen.at(-1)!
  expect([client, url]).toEqual(['front-proxy-client', `${gadgets}/one?pretty=1&x=%2F`])
  expect(headers.filter(([name]) => /^(x-remote|impersonate|authorization)/.test(name))).toEqual([
    ['x-remote-user', Buffer.from('jürgen').toString('latin1')],
    ['x-remote-uid', 'u-1'],
    ['x-remote-group', 'system:masters'],
    ['x-remote-group', 'system:authenticated'],
    ['x-remote-extra-acme.test%2fscope', 'all'],
  ])
})

test('rights are asked for here, before the other server hears of it', async () => {
  const before = extension.seen.length
  const answer = await server.request('GET', gadgets, undefined, { 'impersonate-user': 'nobody' })
  expect([answer.status, answer.json().reason]).toEqual([403, 'Forbidden'])
  expect(extension.seen.length).toBe(before)
})

test.each(['request', 'requestH1'] as const)('bodies stream both ways (%s)', async (by) => {
  const body = Buffer.alloc(8 * 1024 * 1024, 'gadget ')
  const answer = await server[by]('POST', `${gadgets}/one/echo`, body, { 'content-type': 'text/plain' })
  expect([answer.status, answer.headers['content-type'], answer.headers['x-acme']]).toEqual([200, 'text/x-echo', 'yes'])
  expect(answer.text.length).toBe(body.length)
  expect(Buffer.from(answer.text).equals(body)).toBe(true)
})

test('answers that are no success are the other server’s own', async () => {
  const answer = await server.request('GET', '/apis/acme.test/v1/teapots')
  expect([answer.status, answer.json().reason]).toEqual([418, 'Teapot'])
})

test.each([204, 304])('answers without a body pass (%i)', async (status) => {
  for (const by of ['request', 'requestH1'] as const) {
    const answer = await server[by]('GET', `${gadgets}/one/nothing?status=${status}`)
    expect([by, answer.status, answer.text]).toEqual([by, status, ''])
  }
})

test('a client that leaves is gone for the other server, too', async () => {
  const session = server.session()
  session.request({ ':path': `${gadgets}/one/hang` }).on('error', () => {})
  const { left } = await extension.hung()
  session.destroy()
  await left
})

test('watches stream, and end with the other server', async () => {
  const watched = extension.watched()
  const session = server.session()
  const stream = session.request({ ':path': `${gadgets}?watch=true` }).setEncoding('utf8')
  const send = await watched
  send({ type: 'ADDED', object: {} })
  const [line] = await once(stream, 'data')
  expect(JSON.parse(line)).toEqual({ type: 'ADDED', object: {} })
  extension.endWatch()
  await once(stream, 'end')
  session.destroy()
})

test('connections are upgraded', async () => {
  const socket = await server.socket()
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
  socket.write(
    `GET ${gadgets}/one/exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Remote-User: mallory\r\n${key}\r\n\r\n`,
  )
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 101 /)
  socket.write('hello')
  expect(String((await once(socket, 'data'))[0])).toBe('hello')
  socket.destroy()
  const users = extension.seen.at(-1)!.headers.filter(([name]) => name === 'x-remote-user')
  expect(users).toEqual([['x-remote-user', 'kubernetes-admin']])
})

test('discovery shows the group among the others, in its place', async () => {
  const { groups } = (await get('/apis')) as unknown as { groups: { name: string }[] }
  const names = groups.map(({ name }) => name)
  expect(names.indexOf('acme.test')).toBe(names.indexOf('keelson.dev') - 1)
  expect(await get('/apis/acme.test')).toMatchObject({ preferredVersion: { groupVersion: 'acme.test/v1' } })
  expect(await get('/apis/acme.test/v1')).toMatchObject({ resources: [{ name: 'gadgets' }, { name: 'gadgets/scale' }] })
  expect(await aggregatedGroup()).toMatchObject({
    version: 'v1',
    freshness: 'Current',
    resources: [
      {
        resource: 'gadgets',
        responseKind: { group: 'acme.test', version: 'v1', kind: 'Gadget' },
        scope: 'Namespaced',
        singularResource: 'gadget',
        shortNames: ['gd'],
        subresources: [{ subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } }],
      },
    ],
  })
})

async function aggregatedGroup(): Promise<{ version: string; freshness: string } | undefined> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const { items } = (await server.request('GET', '/apis', undefined, { accept })).json<{
    items: { metadata: { name: string }; versions: { version: string; freshness: string }[] }[]
  }>()
  return items.find(({ metadata }) => metadata.name === 'acme.test')?.versions[0]
}

test('OpenAPI of both versions shows what the other server says of its own paths, and nothing else', async () => {
  const v2 = (await get('/openapi/v2')) as unknown as Record<'paths' | 'definitions', Record<string, unknown>>
  const path = '/apis/acme.test/v1/namespaces/{namespace}/gadgets/{name}'
  expect(v2.paths[path]).toMatchObject({ get: { parameters: [{ name: 'name', in: 'path' }] } })
  expect(v2.paths['/apis/apps/v1/taken']).toBeUndefined()
  expect(v2.definitions['test.acme.v1.Gadget']).toMatchObject({ properties: { power: { type: 'integer' } } })
  const { paths } = (await get('/openapi/v3')) as unknown as { paths: Record<string, { serverRelativeURL: string }> }
  const url = paths['apis/acme.test/v1']!.serverRelativeURL
  expect(url).toBe('/openapi/v3/apis/acme.test/v1?hash=ABC')
  expect(paths['apis/apps/v1']!.serverRelativeURL).not.toMatch(/ABC$/)
  const document = await server.request('GET', url)
  expect(document.headers.etag).toBe('"ABC"')
  expect(document.json()).toMatchObject({ components: { schemas: { 'test.acme.v1.Gadget': {} } } })
})

const kubectls = ['/usr/bin/kubectl', '/tmp/k120/usr/bin/kubectl'].filter((path) => existsSync(path))

test.each(kubectls)('%s lists, gets and explains what another server has', async (kubectl) => {
  const run = async (...args: string[]) =>
    (await promisify(execFile)(kubectl, ['--kubeconfig', server.kubeconfig, '--cache-dir', server.directory, ...args]))
      .stdout
  expect(await run('get', 'gd', '-o', 'name')).toBe('gadget.acme.test/one\ngadget.acme.test/two\n')
  expect(await run('get', 'gadgets', 'one', '-o', 'jsonpath={.metadata.uid}')).toBe('one')
  expect(await run('api-resources', '--api-group', 'acme.test')).toMatch(/^gadgets +gd +acme.test/m)
  expect(await run('explain', 'gadgets.power')).toMatch(/In watts/)
})

test('who fails is shown as unavailable, and its clients hear why', async () => {
  extension.isWell = false
  await poke()
  const condition = await available('v1.acme.test', 'False', 'FailedDiscoveryCheck')
  expect(condition.message).toMatch(
    /^failing or missing response from https:.*\/apis\/acme\.test\/v1: bad status from .*: 500$/,
  )
  const answer = await server.request('GET', gadgets)
  expect([answer.status, answer.json().reason]).toEqual([503, 'ServiceUnavailable'])
  expect((await aggregatedGroup())?.freshness).toBe('Stale')
  extension.isWell = true
  await available('v1.acme.test', 'True', 'Passed')
  expect((await server.request('GET', gadgets)).status).toBe(200)
})

/** Makes the server look at its neighbour again. */
async function poke(): Promise<void> {
  const patch = { metadata: { labels: { poked: String(extension.seen.length) } } }
  await server.request('PATCH', `${services}/gadgets`, patch, merge)
}

test.skipIf(!ownAddress)('conditions follow the service and its endpoints', async () => {
  await server.request(
    'PATCH',
    `${slices}/gadgets-1`,
    { endpoints: [{ addresses: [ownAddress], conditions: { ready: false } }] },
    merge,
  )
  await available('v1.acme.test', 'False', 'MissingEndpoints')
  await server.request('DELETE', `${slices}/gadgets-1`)
  await available('v1.acme.test', 'False', 'EndpointsNotFound')
  await server.request('DELETE', `${services}/gadgets`)
  const gone = await available('v1.acme.test', 'False', 'ServiceNotFound')
  expect(gone.message).toBe('service/gadgets in "default" is not present')
  expect((await server.request('GET', gadgets)).json().message).toContain(gone.message)
  await made(services, { ...service, spec: { ports: [{ name: 'https', port: 8443 }] } })
  await available('v1.acme.test', 'False', 'ServicePortError')
  await server.request('PUT', `${services}/gadgets`, { ...(await get(`${services}/gadgets`)), spec: service.spec })
  await made(slices, slice(extension.port))
  await available('v1.acme.test', 'True', 'Passed')
})

test('a certificate that the bundle does not vouch for is refused, unless nobody cares', async () => {
  const other = Buffer.from(newTestAuthority('other').caPem).toString('base64')
  await server.request('PATCH', `${apiServices}/v1.acme.test`, { spec: { caBundle: other } }, merge)
  expect((await available('v1.acme.test', 'False', 'FailedDiscoveryCheck')).message).toMatch(/certificate/)
  await server.request(
    'PATCH',
    `${apiServices}/v1.acme.test`,
    { spec: { caBundle: null, insecureSkipTLSVerify: true } },
    merge,
  )
  await available('v1.acme.test', 'True', 'Passed')
})

test('a service outside of the cluster is reached by its name', async () => {
  await using outside = await startExtensionServer({
    serving: authority.issue({ subject: { commonName: 'x' }, usage: 'server', hosts: ['outside.default.svc'] }),
    clientCa: authority.caPem,
    host: '127.0.0.1',
  })
  await made(services, { metadata: { name: 'outside' }, spec: { type: 'ExternalName', externalName: 'localhost' } })
  const spec = {
    ...apiService.spec,
    version: 'v2',
    service: { namespace: 'default', name: 'outside', port: outside.port },
  }
  await made(apiServices, { metadata: { name: 'v2.acme.test' }, spec })
  // It does not believe this server's certificate, so that it answers 401: it was reached, and said so.
  expect((await available('v2.acme.test', 'False', 'FailedDiscoveryCheck')).message).toMatch(/: 401$/)
  await server.request('DELETE', `${apiServices}/v2.acme.test`)
})

test('a restart finds what there was, and what is gone is gone', async () => {
  await server.restart()
  await available('v1.acme.test', 'True', 'Passed')
  expect((await server.request('GET', gadgets)).status).toBe(200)
  await server.request('DELETE', `${apiServices}/v1.acme.test`)
  expect((await server.request('GET', gadgets)).text).toBe('404 page not found\n')
  expect((await server.request('GET', '/apis/acme.test')).status).toBe(404)
})
