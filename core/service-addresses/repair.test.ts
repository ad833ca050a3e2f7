import { afterEach, beforeEach, expect, test } from 'vitest'
import { storageKey } from '#core/storage/cacher/cacher.ts'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { graceMs } from './holder.ts'
import { openTestNetwork, type TestNetwork } from './testing/service-network.ts'

let base: TestRegistry
let network: TestNetwork
const nobody = { namespace: 'default', name: 'nobody' }

beforeEach(async () => {
  base = await openTestRegistry()
  network = await openTestNetwork(base.storage)
})
afterEach(async () => {
  await network[Symbol.asyncDispose]()
  await base[Symbol.asyncDispose]()
})

test('what no service has is freed, but not at once', async () => {
  await network.ips.record('10.0.0.9', nobody)
  await network.ports.record(30_009, nobody)
  network.time.now += graceMs - 1_000
  await network.repair()
  expect(network.records()).toEqual(['10.0.0.9 of nobody', '30009 of nobody'])
  network.time.now += 2_000
  await network.repair()
  expect(network.records()).toEqual([])
})

test('what a service has is recorded again', async () => {
  await network.create('web', { type: 'NodePort', ports: [{ port: 80 }] })
  const before = network.records()
  for (const record of network.ips.records()) await network.ips.remove(record)
  for (const { entry } of network.ports.records()) await network.ports.remove(entry)
  expect(network.records()).toEqual([])
  await network.repair()
  expect(network.records()).toEqual(before)
})

test('what is recorded as another’s becomes that of the service that has it', async () => {
  const { spec } = await network.create('web', { clusterIP: '10.0.0.9', ports: [{ port: 80 }] })
  for (const record of network.ips.records()) await network.ips.remove(record)
  await network.ips.record(spec!.clusterIP!, nobody)
  network.time.now += graceMs + 1_000
  await network.repair()
  expect(network.records()).toEqual(['10.0.0.9 of web'])
})

test('a service that went while nobody looked leaves nothing behind', async () => {
  await network.create('web', { type: 'NodePort', ports: [{ port: 80 }] })
  const key = storageKey('', 'services', 'default/web')
  const stored = await base.storage.get(key)
  await base.storage.delete(key, stored!.modRevision)
  network.time.now += graceMs + 1_000
  await network.repair()
  expect(network.records()).toEqual([])
})

test('an IPAddress that somebody made for something else stays', async () => {
  await base.create('networking.k8s.io/v1/ipaddresses', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: '192.0.2.1' },
    spec: { parentRef: { group: 'example.com', resource: 'gateways', name: 'one' } },
  })
  network.time.now += 10 * graceMs
  await network.repair()
  expect(base.get('networking.k8s.io/v1/ipaddresses', '192.0.2.1')).toBeDefined()
})
