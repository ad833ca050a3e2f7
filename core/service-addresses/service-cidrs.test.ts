import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { IPAddress, ServiceCIDR } from '#apis/networking/v1/zz_generated.types.ts'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { isInUse } from './service-cidrs.ts'
import { openTestNetwork, type TestNetwork } from './testing/service-network.ts'

const resource = 'networking.k8s.io/v1/servicecidrs'
const finalizers = ['networking.k8s.io/service-cidr-finalizer']

let base: TestRegistry
let network: TestNetwork | undefined

beforeEach(async () => {
  base = await openTestRegistry()
})
afterEach(async () => {
  await network?.[Symbol.asyncDispose]()
  await base[Symbol.asyncDispose]()
})

const rangeOf = (name: string, ...cidrs: string[]): ServiceCIDR => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name },
  spec: { cidrs },
})

const ready = (name: string) => {
  const { status } = (base.get(resource, name) ?? {}) as Partial<ServiceCIDR>
  return status?.conditions?.find(({ type }) => type === 'Ready')
}

async function remove(name: string): Promise<void> {
  const { store } = network!
  await store.delete(
    network!.registry.find('networking.k8s.io', 'v1', 'servicecidrs')!,
    { namespace: '', name },
    {},
    {
      user: { username: 'admin', groups: ['system:masters'] },
      dryRun: false,
      fieldValidation: 'Ignore',
      warn: () => {},
    },
  )
}

test('the default range is there, ready and protected', async () => {
  network = await openTestNetwork(base.storage, { cidrs: ['10.0.0.0/28'] })
  expect(base.get(resource, 'kubernetes')).toMatchObject({
    metadata: { finalizers },
    spec: { cidrs: ['10.0.0.0/28'] },
    status: { conditions: [{ type: 'Ready', status: 'True', message: 'Kubernetes default Service CIDR is ready' }] },
  })
})

test('a server that is told a second family adds it; one that is told something else does not', async () => {
  for (const [cidrs, want] of [
    [['10.0.0.0/28'], ['10.0.0.0/28']],
    [
      ['10.0.0.0/28', 'fd00::/120'],
      ['10.0.0.0/28', 'fd00::/120'],
    ],
    [['10.7.0.0/28'], ['10.0.0.0/28', 'fd00::/120']],
  ] as const) {
    network = await openTestNetwork(base.storage, { cidrs })
    expect(base.get(resource, 'kubernetes')).toMatchObject({ spec: { cidrs: want } })
    await network[Symbol.asyncDispose]()
  }
})

test('a further range gives further addresses, and goes when nobody has one of it', async () => {
  network = await openTestNetwork(base.storage, { cidrs: ['10.0.0.0/29'] })
  const web = { ports: [{ port: 80 }] }
  await expect(network.create('web', { ...web, clusterIP: '10.9.0.1' })).rejects.toThrow('does not match')
  await base.create(resource, rangeOf('further', '10.9.0.0/29'))
  await vi.waitUntil(() => ready('further')?.status === 'True')
  await network.create('web', { ...web, clusterIP: '10.9.0.1' })
  await remove('further')
  await vi.waitUntil(() => ready('further')?.reason === 'Terminating')
  await expect(network.create('late', { ...web, clusterIP: '10.9.0.2' })).rejects.toThrow('does not match')
  await network.remove('web')
  await vi.waitUntil(() => base.get(resource, 'further') === undefined)
})

const addressOf = (name: string) => ({ metadata: { name } }) as IPAddress

test.each([
  ['nobody has an address', ['10.0.0.0/24'], ['10.1.0.0/24'], ['10.1.0.1'], false],
  ['somebody has one', ['10.0.0.0/24'], ['10.1.0.0/24'], ['10.0.0.1'], true],
  ['it is in another as well', ['10.0.0.0/24'], ['10.0.0.0/25'], ['10.0.0.1'], false],
  ['one is in no other', ['10.0.0.0/24'], ['10.0.0.0/25'], ['10.0.0.1', '10.0.0.200'], true],
  ['another has all of it', ['10.0.0.0/24'], ['10.0.0.0/16'], ['10.0.0.1'], false],
  ['another has the family in use', ['10.0.0.0/24', 'fd00::/120'], ['10.0.0.0/16'], ['10.0.0.1'], false],
  ['it is the only one of the other family', ['10.0.0.0/24', 'fd00::/120'], ['10.0.0.0/16'], ['fd00::7'], true],
])('a range goes or stays: %s', (_, mine, others, addresses, want) => {
  const cidr = rangeOf('mine', ...mine)
  expect(isInUse(cidr, [cidr, rangeOf('other', ...others)], addresses.map(addressOf))).toBe(want)
})
