import type { Service } from '#apis/core/v1/zz_generated.types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { CacheReader } from '#core/registry/object-reader.ts'
import type { Registry } from '#core/registry/registry.ts'
import { graceMs, type Holder, isSameHolder } from './holder.ts'
import { canonical, holderOfRecord, type IpAddresses } from './ip-addresses.ts'
import type { NodePorts } from './node-ports.ts'
import { holderOf, holdingsOf } from './service-addresses.ts'

export interface RepairOptions {
  registry: Registry
  ips: IpAddresses
  ports: NodePorts
  now: () => number
  log: Logger
}

/** Something that is taken, as its record has it. */
interface Taken<K> {
  key: K
  holder: Holder | undefined
  /** When it was taken, in milliseconds. */
  since: number
  remove(): Promise<void>
}

interface Pool<K> {
  what: string
  taken: Taken<K>[]
  /** @returns false when somebody has it */
  record(key: K, holder: Holder): Promise<boolean>
}

/**
 * Brings the records of addresses and ports in line with the Services: frees what no Service has, such as after a crash
 * between two writes, and records what one has, such as after somebody deleted its IPAddress.
 */
export async function repair(options: RepairOptions): Promise<void> {
  const { ips, ports } = options
  const holders = { ips: new Map<string, Holder>(), ports: new Map<number, Holder>() }
  for (const service of new CacheReader(() => options.registry).list<Service>('', 'services')) {
    const holder = holderOf(service)
    const held = holdingsOf(service.spec ?? {})
    for (const ip of held.ips) holders.ips.set(canonical(ip), holder)
    for (const port of held.ports) holders.ports.set(port, holder)
  }
  const takenIps = ips.records().map((record) => ({
    key: record.metadata.name ?? '',
    holder: holderOfRecord(record),
    since: Date.parse(record.metadata.creationTimestamp ?? ''),
    remove: () => ips.remove(record),
  }))
  const takenPorts = ports.records().map(({ entry, record }) => ({
    key: Number(entry.key),
    holder: record.holder,
    since: Date.parse(record.metadata.creationTimestamp ?? ''),
    remove: () => ports.remove(entry),
  }))
  await repairPool(
    { what: 'IP', taken: takenIps, record: (ip, holder) => ips.record(ip, holder) },
    holders.ips,
    options,
  )
  await repairPool(
    { what: 'port', taken: takenPorts, record: (port, holder) => ports.record(port, holder) },
    holders.ports,
    options,
  )
}

async function repairPool<K>(pool: Pool<K>, holders: ReadonlyMap<K, Holder>, { now, log }: RepairOptions) {
  const right = new Set<K>()
  for (const { key, holder, since, remove } of pool.taken) {
    const rightful = holders.get(key)
    if (rightful && isSameHolder(holder, rightful)) right.add(key)
    // Its Service may be on its way to the store.
    else if (!(now() - since < graceMs)) {
      log.warn(`${pool.what} of no service freed`, { [pool.what]: key, ...holder })
      await remove()
    }
  }
  for (const [key, holder] of holders) {
    if (right.has(key) || !(await pool.record(key, holder))) continue
    log.warn(`${pool.what} of a service recorded again`, { [pool.what]: key, ...holder })
  }
}
