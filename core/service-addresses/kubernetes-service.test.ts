/** Whole servers, and what they say of themselves in the cluster. */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startEtcd, whyNoEtcd } from '#core/storage/etcd/testing/etcd-cluster.ts'
import { startTestServer, type TestServer } from '#core/testing/test-server.ts'

const inDefault = '/api/v1/namespaces/default'
const slicePath = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes'

interface Found {
  spec?: { clusterIP: string; ports: object[]; clusterIPs: string[]; cidrs: string[] }
  subsets?: { addresses: { ip: string }[]; ports: { port: number }[] }[]
  endpoints?: { addresses: string[] }[]
  metadata: { resourceVersion: string }
}

const get = async (server: TestServer, path: string) => (await server.request('GET', path)).json<Found>()

const addressesOf = async (server: TestServer) => {
  const { subsets = [] } = await get(server, `${inDefault}/endpoints/kubernetes`)
  return subsets.flatMap(({ addresses, ports }) => addresses.map(({ ip }) => `${ip}:${ports[0]!.port}`))
}

test('a server keeps the service of the API, under the addresses and ranges it is told', async () => {
  const server = await startTestServer([
    ...['--service-cluster-ip-range', '10.7.0.0/24,fd00:7::/112', '--service-node-port-range', '20000-20009'],
    ...['--advertise-address', '192.0.2.9', '--log-level', 'error'],
  ])
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { spec } = await get(server, `${inDefault}/services/kubernetes`)
  const https = [{ name: 'https', port: 443, protocol: 'TCP', targetPort: server.port }]
  expect(spec).toMatchObject({ clusterIP: '10.7.0.1', clusterIPs: ['10.7.0.1'], ports: https })
  expect(await addressesOf(server)).toEqual([`192.0.2.9:${server.port}`])
  const slice = await get(server, slicePath)
  expect(slice).toMatchObject({ addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.9'] }] })
  const socket = await server.socket()
  expect(socket.getPeerX509Certificate()!.checkIP('10.7.0.1')).toBe('10.7.0.1')
  socket.destroy()

  const both = { type: 'NodePort', ipFamilyPolicy: 'RequireDualStack', ports: [{ port: 80 }] }
  const made = await server.request('POST', `${inDefault}/services`, { metadata: { name: 'web' }, spec: both })
  expect(made.json<Found>().spec!.clusterIPs).toEqual([
    expect.stringMatching(/^10\.7\.0\.\d+$/),
    expect.stringMatching(/^fd00:7::/),
  ])
  expect(made.text).toMatch(/"nodePort":2000\d/)

  const before = await get(server, `${inDefault}/services/kubernetes`)
  await server.restart()
  expect(await get(server, `${inDefault}/services/kubernetes`)).toEqual(before)
  expect(await get(server, slicePath)).toEqual(slice)
})

test('a server that only its own machine reaches has a service without endpoints', async () => {
  const server = await startTestServer(['--log-level', 'error'])
  onTestFinished(() => server[Symbol.asyncDispose]())
  expect((await get(server, `${inDefault}/services/kubernetes`)).spec?.clusterIP).toBe('10.96.0.1')
  expect((await server.request('GET', `${inDefault}/endpoints/kubernetes`)).status).toBe(404)
})

const missing = await whyNoEtcd()
test.skipIf(missing)('servers over one etcd are endpoints as long as they run', async () => {
  const etcd = await startEtcd()
  onTestFinished(() => etcd[Symbol.asyncDispose]())
  const flags = (ip: string) => ['--etcd-servers', etcd.urls.join(), '--advertise-address', ip, '--log-level', 'error']
  const a = await startTestServer(flags('192.0.2.1'))
  onTestFinished(() => a[Symbol.asyncDispose]())
  const b = await startTestServer(flags('192.0.2.2'), (directory) =>
    cp(join(a.directory, 'pki'), join(directory, 'pki'), { recursive: true }),
  )
  onTestFinished(() => b[Symbol.asyncDispose]())
  const one = `192.0.2.1:${a.port}`
  const two = `192.0.2.2:${b.port}`
  await expect.poll(() => addressesOf(a)).toEqual([one, two].toSorted())
  await b.stop()
  await expect.poll(() => addressesOf(a)).toEqual([one])
})
