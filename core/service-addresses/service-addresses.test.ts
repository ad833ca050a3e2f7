import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ServiceSpec } from '#apis/core/v1/zz_generated.types.ts'
import { openEmbeddedStorage } from '#core/storage/embedded/embedded-storage.ts'
import type { Storage } from '#core/storage/storage.ts'
import { openTestNetwork, type TestNetwork, type TestNetworkOptions } from './testing/service-network.ts'

const web: ServiceSpec = { ports: [{ port: 80 }] }
const nodePort: ServiceSpec = { type: 'NodePort', ports: [{ port: 80 }] }
const headless: ServiceSpec = { clusterIP: 'None', selector: { a: 'b' } }
const alias: ServiceSpec = { type: 'ExternalName', externalName: 'example.com' }

let directory: string
let storage: Storage
const open: TestNetwork[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keelson-services-'))
  storage = await openEmbeddedStorage({ directory })
})
afterEach(async () => {
  for (const network of open.splice(0)) await network[Symbol.asyncDispose]()
  await storage[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

async function network(options?: TestNetworkOptions): Promise<TestNetwork> {
  const opened = await openTestNetwork(storage, options)
  open.push(opened)
  return opened
}

test('a service has an address, headless ones and aliases have none', async () => {
  const one = await network()
  const { spec } = await one.create('web', web)
  expect(spec).toMatchObject({ clusterIPs: [spec!.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  expect((await one.create('headless', headless)).spec).toMatchObject({ clusterIPs: ['None'], ipFamilies: ['IPv4'] })
  expect((await one.create('alias', alias)).spec).not.toHaveProperty('clusterIP')
  expect(one.records()).toEqual([`${spec!.clusterIP} of web`])
})

test('of two families, a service has what it asks for', async () => {
  const one = await network({ cidrs: ['10.0.0.0/28', 'fd00::/120'] })
  const { spec } = await one.create('web', { ...web, ipFamilyPolicy: 'PreferDualStack', clusterIP: 'FD00::5' })
  expect(spec).toMatchObject({ ipFamilies: ['IPv6', 'IPv4'], clusterIP: 'FD00::5' })
  expect(one.records()).toContain('fd00::5 of web')
  await one.update('web', ({ spec }) => {
    spec!.ipFamilyPolicy = 'SingleStack'
  })
  expect(one.records()).toEqual(['fd00::5 of web'])
  const { spec: again } = await one.update('web', ({ spec }) => {
    spec!.ipFamilyPolicy = 'RequireDualStack'
  })
  expect(again!.clusterIPs).toEqual(['FD00::5', expect.stringMatching(/^10\.0\.0\.\d+$/)])
  await one.remove('web')
  expect(one.records()).toEqual([])
})

test.each([
  [
    'out of range',
    { ...web, clusterIP: '10.1.0.1' },
    'spec.clusterIPs: Invalid value: ["10.1.0.1"]: failed to allocate IP 10.1.0.1: the provided network does not match the current range',
  ],
  [
    'the address of the network',
    { ...web, clusterIP: '10.0.0.0' },
    'the provided network does not match the current range',
  ],
  ['taken', { ...web, clusterIP: '10.0.0.5' }, 'failed to allocate IP 10.0.0.5: provided IP is already allocated'],
  [
    'a node port out of range',
    { ...nodePort, ports: [{ port: 80, nodePort: 80 }] },
    'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30009',
  ],
  [
    'a node port that is taken',
    { ...nodePort, ports: [{ port: 80, nodePort: 30_005 }] },
    'spec.ports[0].nodePort: Invalid value: 30005: provided port is already allocated',
  ],
] as [string, ServiceSpec, string][])('refused: %s', async (_, spec, message) => {
  const one = await network()
  await one.create('first', { ...nodePort, clusterIP: '10.0.0.5', ports: [{ port: 80, nodePort: 30_005 }] })
  const before = one.records()
  for (const dryRun of [true, false]) {
    await expect(one.create('second', spec, { dryRun })).rejects.toThrow(message)
  }
  expect(one.records()).toEqual(before)
})

test('a full range gives out nothing more, and what is released again', async () => {
  const one = await network({ cidrs: ['10.0.0.0/29'] })
  for (let at = 0; at < 6; at++) await one.create(`web-${at}`, web)
  await expect(one.create('further', web)).rejects.toThrow('failed to allocate a serviceIP: range is full')
  await one.remove('web-3')
  await one.create('further', web)
  expect(one.records()).toEqual(one.holdings())
})

test('what was taken for a service that is not stored is free again', async () => {
  const one = await network()
  await one.create('web', nodePort)
  const before = one.records()
  await expect(one.create('web', nodePort)).rejects.toThrow('already exists')
  // The second of its ports is taken.
  const taken = one.services()[0]!.spec!.ports![0]!.nodePort!
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 81, nodePort: taken },
  ]
  await expect(one.create('other', { type: 'NodePort', ports })).rejects.toThrow('already allocated')
  expect(one.records()).toEqual(before)
})

test('a dry run shows what it would be and takes nothing', async () => {
  const one = await network()
  const { spec } = await one.create('web', nodePort, { dryRun: true })
  expect(spec!.clusterIP).toMatch(/^10\.0\.0\.\d+$/)
  expect(spec!.ports![0]!.nodePort).toBeGreaterThanOrEqual(30_000)
  expect(one.records()).toEqual([])
  await one.create('web', nodePort)
  const before = one.records()
  await one.update('web', (service) => Object.assign(service, { spec: alias }), { dryRun: true })
  expect(one.records()).toEqual(before)
})

test('a service that changes its type keeps, gets and loses what belongs to it', async () => {
  const one = await network()
  const { spec } = await one.create('web', web)
  const type = (to: ServiceSpec['type'], more: Partial<ServiceSpec> = {}) =>
    one.update('web', (service) => void Object.assign(service.spec!, { type: to, ...more }))
  const served = await type('NodePort')
  expect(served.spec).toMatchObject({ clusterIP: spec!.clusterIP, ports: [{ nodePort: expect.any(Number) }] })
  const balanced = await type('LoadBalancer', { externalTrafficPolicy: 'Local' })
  expect(balanced.spec!.ports).toEqual(served.spec!.ports)
  expect(one.records()).toContain(`${balanced.spec!.healthCheckNodePort} of web`)
  expect(one.records()).toHaveLength(3)
  expect((await type('ClusterIP')).spec).toEqual(spec)
  expect(one.records()).toEqual([`${spec!.clusterIP} of web`])
  expect((await type('ExternalName', { externalName: 'example.com' })).spec).not.toHaveProperty('clusterIPs')
  expect(one.records()).toEqual([])
  expect((await type('ClusterIP')).spec!.clusterIP).toMatch(/^10\.0\.0\./)
  expect(one.records()).toEqual(one.holdings())
})

test('a service that is held up in its deletion keeps what it has until it is gone', async () => {
  const one = await network()
  await one.create('web', nodePort)
  await one.update('web', ({ metadata }) => void Object.assign(metadata, { finalizers: ['example.com/hold'] }))
  const before = one.records()
  await one.remove('web')
  expect(one.records()).toEqual(before)
  await one.update('web', ({ metadata }) => void delete metadata.finalizers)
  expect(one.services()).toEqual([])
  expect(one.records()).toEqual([])
})

test('an address stays when a client leaves it out, and cannot be changed', async () => {
  const one = await network()
  const { spec } = await one.create('web', web)
  const kept = await one.update('web', (service) => Object.assign(service, { spec: structuredClone(web) }))
  expect(kept.spec!.clusterIP).toBe(spec!.clusterIP)
  const other = spec!.clusterIP === '10.0.0.9' ? '10.0.0.10' : '10.0.0.9'
  const change = one.update('web', (service) => void Object.assign(service.spec!, { clusterIP: other }))
  await expect(change).rejects.toThrow('may not change once set')
})

describe('of many writers at two servers', () => {
  test('no two services have the same address or port', async () => {
    const servers = [await network(), await network()]
    const names = Array.from({ length: 20 }, (_, at) => `web-${at}`)
    const outcomes = await Promise.allSettled(names.map((name, at) => servers[at % 2]!.create(name, nodePort)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(10)
    const one = servers[0]!
    expect(new Set(one.holdings().map((line) => line.split(' ')[0])).size).toBe(20)
    expect(one.records()).toEqual(one.holdings())
  })

  test('one has the address that all ask for', async () => {
    const servers = [await network(), await network()]
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, at) => servers[at % 2]!.create(`web-${at}`, { ...web, clusterIP: '10.0.0.3' })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    expect(servers[0]!.records()).toEqual(servers[0]!.holdings())
  })
})

const specs = [
  web,
  nodePort,
  headless,
  alias,
  { ...web, clusterIP: '10.0.0.7' },
  { ...nodePort, clusterIP: '10.0.0.8' },
]
const step = fc.record({
  server: fc.nat(1),
  name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  act: fc.constantFrom('create', 'create', 'update', 'remove'),
  spec: fc.constantFrom(...specs),
  dryRun: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
})

test('whatever is done, all at once or one after another, the records say what the services have', async () => {
  const servers = [
    await network({ range: { first: 30_000, last: 30_002 } }),
    await network({ range: { first: 30_000, last: 30_002 } }),
  ]
  const act = ({ server, name, act, spec, dryRun }: typeof step extends fc.Arbitrary<infer T> ? T : never) => {
    const at = servers[server]!
    if (act === 'create') return at.create(name, spec, { dryRun })
    if (act === 'remove') return at.remove(name)
    return at.update(name, (service) => Object.assign(service, { spec: structuredClone(spec) }), { dryRun })
  }
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), async (rounds) => {
      for (const round of rounds) await Promise.allSettled(round.map(act))
      const [one] = servers
      expect(one!.records()).toEqual(one!.holdings())
      const taken = one!.records().map((line) => line.split(' ')[0])
      expect(new Set(taken).size).toBe(taken.length)
    }),
    { numRuns: 30 },
  )
})
