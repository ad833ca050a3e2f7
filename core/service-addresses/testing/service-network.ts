import type { Service, ServiceSpec } from '#apis/core/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { builtinRules, loadBuiltinDefinitions } from '#core/registry/builtin.ts'
import { Registry } from '#core/registry/registry.ts'
import { ResourceStore, type WriteContext } from '#core/registry/resource-store.ts'
import { Cacher } from '#core/storage/cacher/cacher.ts'
import type { Storage } from '#core/storage/storage.ts'
import { admin } from '#core/testing/test-registry.ts'
import { randomBelow } from '../candidates.ts'
import { canonical, IpAddresses } from '../ip-addresses.ts'
import { IpRange } from '../ip-range.ts'
import { NodePorts, type PortRange } from '../node-ports.ts'
import { type RepairOptions, repair } from '../repair.ts'
import { holdingsOf, ServiceAddresses } from '../service-addresses.ts'
import { ServiceCidrs } from '../service-cidrs.ts'

/** One server's part in giving Services their addresses, over a store that others may use as well. */
export interface TestNetwork extends AsyncDisposable {
  registry: Registry
  store: ResourceStore
  ips: IpAddresses
  ports: NodePorts
  cidrs: ServiceCidrs
  /** Of the server's clock, in milliseconds; to be changed. */
  time: { now: number }
  create(name: string, spec: ServiceSpec, context?: Partial<WriteContext>): Promise<Service>
  update(name: string, change: (service: Service) => void, context?: Partial<WriteContext>): Promise<Service>
  remove(name: string): Promise<void>
  repair(): Promise<void>
  services(): Service[]
  /** What the records say is taken, as `address or port of service`, in order. */
  records(): string[]
  /** What the Services say they have, in the same form. */
  holdings(): string[]
}

export interface TestNetworkOptions {
  cidrs?: readonly string[]
  range?: PortRange
  settleMs?: number
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

export async function openTestNetwork(storage: Storage, options: TestNetworkOptions = {}): Promise<TestNetwork> {
  const { cidrs = ['10.0.0.0/28'], range = { first: 30_000, last: 30_009 }, settleMs = 0 } = options
  const { types, resources } = await loadBuiltinDefinitions()
  const cacher = await Cacher.start(storage)
  const registry = new Registry({ cacher, types, rules: builtinRules })
  for (const resource of resources) registry.install(resource)
  const time = { now: Date.now() }
  const now = () => time.now
  const store = new ResourceStore({ storage, admission: { mutate: () => {}, validate: () => {} }, now })
  const ips = new IpAddresses({ registry, store, random: randomBelow })
  const ports = new NodePorts({ storage, caches: cacher, range, random: randomBelow, now })
  const ranging = new ServiceCidrs({ registry, store, ips, cidrs, settleMs, now, log: silent })
  await ranging.start()
  const families = cidrs.map((cidr) => IpRange.parse(cidr)!.family)
  const served = registry.find('', 'v1', 'services')!
  served.resource.reservations = new ServiceAddresses({ ips, ports, families, log: silent })
  const at = (name: string) => ({ namespace: 'default', name })
  const services = () => served.resource.cache.list('').entries.map(({ bytes }) => reviveObject(bytes) as Service)
  const repairOptions: RepairOptions = { registry, ips, ports, now, log: silent }
  return {
    ...{ registry, store, ips, ports, cidrs: ranging, time, services },
    create: async (name, spec, context) => {
      const object: UnstructuredObject = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: structuredClone(spec),
      }
      return reviveObject(await store.create(served, 'default', object, { ...admin, ...context })) as Service
    },
    update: async (name, change, context) => {
      const changed = ({ bytes }: { bytes: Buffer }) => {
        const service = reviveObject(bytes) as Service
        change(service)
        return service
      }
      return reviveObject(await store.update(served, at(name), '', changed, { ...admin, ...context })) as Service
    },
    remove: async (name) => void (await store.delete(served, at(name), {}, admin)),
    repair: () => repair(repairOptions),
    records: () =>
      [
        ...ips.records().map(({ metadata, spec }) => `${metadata.name} of ${spec.parentRef.name}`),
        ...ports.records().map(({ entry, record }) => `${entry.key} of ${record.holder.name}`),
      ].toSorted(),
    holdings: () =>
      services()
        .flatMap(({ metadata, spec = {} }) => {
          const { ips, ports } = holdingsOf(spec)
          return [...Array.from(ips, canonical), ...ports].map((one) => `${one} of ${metadata.name}`)
        })
        .toSorted(),
    [Symbol.asyncDispose]: async () => {
      ranging[Symbol.dispose]()
      await cacher[Symbol.asyncDispose]()
    },
  }
}
