import { formatIp, parseIp } from '#apis/meta/v1/ip.ts'
import type { IPAddress, ServiceCIDR } from '#apis/networking/v1/zz_generated.types.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#core/errors/status-error.ts'
import { CacheReader } from '#core/registry/object-reader.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import { asServer } from './as-server.ts'
import type { Random } from './candidates.ts'
import { type Holder, isSameHolder, Unavailable } from './holder.ts'
import { type IpFamily, IpRange } from './ip-range.ts'

export const networking = 'networking.k8s.io'
const familyLabel = 'ipaddress.kubernetes.io/ip-family'
const managerLabel = 'ipaddress.kubernetes.io/managed-by'
const manager = 'ipallocator.k8s.io'

/**
 * The addresses of services. Each that is taken is an IPAddress, and creating it is what takes it: of several servers
 * over one store, one succeeds. What may be taken are the addresses in ServiceCIDRs that are ready.
 */
export class IpAddresses {
  readonly #registry: Registry
  readonly #served: ServedVersion
  readonly #store: ResourceStore
  readonly #reader: CacheReader
  readonly #random: Random

  constructor(options: { registry: Registry; store: ResourceStore; random: Random }) {
    this.#registry = options.registry
    this.#served = options.registry.find(networking, 'v1', 'ipaddresses')!
    this.#store = options.store
    this.#reader = new CacheReader(() => options.registry)
    this.#random = options.random
  }

  /** Takes one address. @throws Unavailable when somebody has it, or it is in no range */
  async take(ip: string, holder: Holder, dryRun: boolean): Promise<string> {
    const address = parseIp(ip)
    if (!address || !this.#ranges(address.family).some((range) => range.has(address))) {
      throw new Unavailable('the provided network does not match the current range')
    }
    const isFree = dryRun ? !this.#isTaken(canonical(ip)) : await this.record(ip, holder)
    if (!isFree) throw new Unavailable('provided IP is already allocated')
    return ip
  }

  /** Takes any address. @throws Unavailable when none is left */
  async takeAny(family: IpFamily, holder: Holder, dryRun: boolean): Promise<string> {
    for (const range of this.#ranges(family)) {
      for (const ip of range.candidates(this.#random)) {
        if (this.#isTaken(ip)) continue
        if (dryRun || (await this.record(ip, holder))) return ip
      }
    }
    throw new Unavailable('range is full')
  }

  #isTaken(canonicalIp: string): boolean {
    return this.#served.resource.cache.get(canonicalIp) !== undefined
  }

  /** @returns false when somebody has it already */
  async record(ip: string, { namespace, name }: Holder): Promise<boolean> {
    const labels = { [familyLabel]: parseIp(ip)!.family, [managerLabel]: manager }
    const object: IPAddress = {
      apiVersion: `${networking}/v1`,
      kind: 'IPAddress',
      metadata: { name: canonical(ip), labels },
      spec: { parentRef: { group: '', resource: 'services', namespace, name } },
    }
    try {
      await this.#store.create(this.#served, '', object, asServer)
      return true
    } catch (error) {
      if (isAlreadyExists(error)) return false
      throw error
    }
  }

  /** Lets go of an address that this holder has. */
  async release(ip: string, holder: Holder): Promise<void> {
    const taken = this.#reader.get<IPAddress>(networking, 'ipaddresses', '', canonical(ip))
    if (taken && isSameHolder(holderOfRecord(taken), holder)) await this.remove(taken)
  }

  /** Removes this record, and none that has come in its place. */
  async remove({ metadata: { name = '', uid = '' } }: IPAddress): Promise<void> {
    const options = { preconditions: { uid } }
    await this.#store.delete(this.#served, { namespace: '', name }, options, asServer).catch((error) => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  }

  /** Every record of an address that was taken here. What others have made for themselves is not told. */
  records(): IPAddress[] {
    // Read once and forgotten: there may be many.
    const reader = new CacheReader(() => this.#registry)
    const all = reader.list<IPAddress>(networking, 'ipaddresses')
    return all.filter(({ metadata }) => metadata.labels?.[managerLabel] === manager)
  }

  #ranges(family: IpFamily): IpRange[] {
    const cidrs = this.#reader.list<ServiceCIDR>(networking, 'servicecidrs').filter(isReady)
    const ranges = cidrs.flatMap(({ spec }) => (spec?.cidrs ?? []).map(IpRange.parse))
    return ranges.filter((range) => range?.family === family) as IpRange[]
  }
}

/** One that nobody has said anything of yet counts as ready. */
function isReady({ metadata, status }: ServiceCIDR): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return !metadata.deletionTimestamp && (ready?.status ?? 'True') === 'True'
}

/** @returns undefined for what no service has */
export function holderOfRecord({ spec: { parentRef } }: IPAddress): Holder | undefined {
  const { group = '', resource, namespace = '', name } = parentRef
  return group === '' && resource === 'services' ? { namespace, name } : undefined
}

/** The one form of an address that its record is named by. */
export function canonical(ip: string): string {
  const address = parseIp(ip)
  return address ? formatIp(address) : ip
}
