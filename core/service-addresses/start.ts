import type { Logger } from '#apis/plugin/v1/host.ts'
import type { Registry } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import type { Cacher } from '#core/storage/cacher/cacher.ts'
import { isShared, type Storage } from '#core/storage/storage.ts'
import { advertiseAddress } from './advertise-address.ts'
import { randomBelow } from './candidates.ts'
import { IpAddresses } from './ip-addresses.ts'
import { IpRange } from './ip-range.ts'
import { KubernetesService } from './kubernetes-service.ts'
import { NodePorts, type PortRange } from './node-ports.ts'
import { repair } from './repair.ts'
import { ServerAddresses } from './server-addresses.ts'
import { ServiceAddresses } from './service-addresses.ts'
import { ServiceCidrs } from './service-cidrs.ts'

export interface ServiceFlags {
  /** One range, or one of each family; the first is that of services which do not say. */
  serviceClusterIpRanges: readonly string[]
  serviceNodePortRange: PortRange
  /** Absent: found out. */
  advertiseAddress: string | undefined
}

export interface ServiceNetwork extends AsyncDisposable {
  /** Makes the ranges. */
  ready(): Promise<void>
  /** Makes the Service of the API, once it is known where this server listens, and begins to repair. */
  serve(listening: { address: string; port: number }): Promise<void>
}

const repairEveryMs = 300_000
/** As long as Kubernetes waits until every server knows that a range goes. */
const settleMs = 10_000

/** The addresses that this server is known by beside the one it is bound to. */
export function certifiedAddresses(flags: ServiceFlags & { bindAddress: string }): string[] {
  const ranges = flags.serviceClusterIpRanges.map((cidr) => IpRange.parse(cidr)!)
  const own = advertiseAddress({ told: flags.advertiseAddress, bound: flags.bindAddress }, ranges[0]!.family)
  return [...ranges.map(({ first }) => first), ...(own === undefined ? [] : [own])]
}

/** Makes Services be given their addresses, from the next write on. */
export function startServiceNetwork(
  flags: ServiceFlags,
  parts: { registry: Registry; store: ResourceStore; storage: Storage; cacher: Cacher; log: Logger },
): ServiceNetwork {
  const { registry, store, storage, cacher, log } = parts
  const cidrs = flags.serviceClusterIpRanges
  const ranges = cidrs.map((cidr) => IpRange.parse(cidr)!)
  const families = ranges.map(({ family }) => family)
  const random = randomBelow
  const now = Date.now
  const ips = new IpAddresses({ registry, store, random })
  const ports = new NodePorts({ storage, caches: cacher, range: flags.serviceNodePortRange, random, now })
  const shared = isShared(storage)
  const ranging = new ServiceCidrs({ registry, store, ips, cidrs, settleMs: shared ? settleMs : 0, now, log })
  registry.get('', 'services')!.reservations = new ServiceAddresses({ ips, ports, families, log })
  let api: KubernetesService | undefined
  let timer: NodeJS.Timeout | undefined
  const repairAll = () =>
    repair({ registry, ips, ports, now, log }).catch((error) => log.warn('service addresses not repaired', { error }))
  return {
    ready: () => ranging.start(),
    serve: async ({ address, port }) => {
      const reached = advertiseAddress({ told: flags.advertiseAddress, bound: address }, families[0]!)
      const servers = shared ? new ServerAddresses({ storage, caches: cacher }) : undefined
      const clusterIP = ranges[0]!.first
      const service = new KubernetesService({ registry, store, clusterIP, port, address: reached, servers, log })
      api = service
      await Promise.all([service.start(), repairAll()])
      timer = setInterval(() => {
        repairAll()
          .then(() => service.keep())
          .catch((error) => log.warn('service default/kubernetes not kept', { error }))
      }, repairEveryMs).unref()
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      ranging[Symbol.dispose]()
      await api?.[Symbol.asyncDispose]()
    },
  }
}
