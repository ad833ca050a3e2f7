import { containsBlock, parseCidr, parseIp } from '#apis/meta/v1/ip.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { Condition } from '#apis/meta/v1/types.ts'
import type { IPAddress, ServiceCIDR } from '#apis/networking/v1/zz_generated.types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { isAlreadyExists, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { CacheReader } from '#core/registry/object-reader.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import { asServer } from './as-server.ts'
import { type IpAddresses, networking } from './ip-addresses.ts'
import { IpRange } from './ip-range.ts'

export const defaultName = 'kubernetes'
const finalizer = 'networking.k8s.io/service-cidr-finalizer'

export interface ServiceCidrsOptions {
  registry: Registry
  store: ResourceStore
  ips: IpAddresses
  /** What services get their addresses from when nobody says more. */
  cidrs: readonly string[]
  /** How long other servers may still give out addresses of a range that is being deleted; 0 without others. */
  settleMs: number
  now: () => number
  log: Logger
}

/**
 * Keeps the ranges that addresses of services come from: there is a default one, each says that it is ready, and one that
 * is deleted stays as long as services have addresses that are in no other.
 */
export class ServiceCidrs implements Disposable {
  readonly #options: ServiceCidrsOptions
  readonly #served: ServedVersion
  readonly #reader: CacheReader
  readonly #stops: (() => void)[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  #running: Promise<void> | undefined
  #isDue = false
  /** Whether it matters when an address becomes free. */
  #isWaiting = false

  constructor(options: ServiceCidrsOptions) {
    this.#options = options
    this.#served = options.registry.find(networking, 'v1', 'servicecidrs')!
    this.#reader = new CacheReader(() => options.registry)
  }

  /** Resolves once the default range is there and ready. */
  async start(): Promise<void> {
    await this.#ensureDefault()
    const { cache } = this.#served.resource
    const addresses = this.#options.registry.get(networking, 'ipaddresses')!.cache
    this.#stops.push(
      cache.onChange(() => void this.#run()),
      addresses.onChange(({ type }) => {
        if (type === 'DELETED' && this.#isWaiting) void this.#run()
      }),
    )
    await this.#run()
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop()
    for (const timer of this.#timers) clearTimeout(timer)
  }

  async #ensureDefault(): Promise<void> {
    const { cidrs, store, log } = this.#options
    const standing = this.#all().find(({ metadata }) => metadata.name === defaultName)
    const given = standing?.spec?.cidrs ?? []
    if (!standing) {
      const object = { apiVersion: `${networking}/v1`, kind: 'ServiceCIDR', metadata: { name: defaultName } }
      await store.create(this.#served, '', { ...object, spec: { cidrs: [...cidrs] } }, asServer).catch((error) => {
        if (!isAlreadyExists(error)) throw error
      })
    } else if (given.length === 1 && cidrs.length === 2 && given[0] === cidrs[0]) {
      await this.#change(standing, '', (cidr) => ({ ...cidr, spec: { cidrs: [...cidrs] } }))
    } else if (given.join() !== cidrs.join()) {
      const wanted = cidrs.join()
      log.warn('the ServiceCIDR kubernetes is not what the server was told; it stays as it is', {
        cidrs: given.join(),
        wanted,
      })
    }
  }

  #all(): ServiceCIDR[] {
    return this.#reader.list<ServiceCIDR>(networking, 'servicecidrs')
  }

  /** Looks at all ranges; once more when something happens meanwhile. */
  #run(): Promise<void> {
    this.#isDue = true
    this.#running ??= this.#loop().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #loop(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false
      const all = this.#all()
      this.#isWaiting = all.some(({ metadata }) => metadata.deletionTimestamp)
      for (const cidr of all) {
        await this.#reconcile(cidr, all).catch((error) => {
          this.#options.log.warn('ServiceCIDR not looked after', { name: cidr.metadata.name, error })
        })
      }
    }
  }

  async #reconcile(cidr: ServiceCIDR, all: readonly ServiceCIDR[]): Promise<void> {
    if (cidr.metadata.deletionTimestamp) return this.#letGo(cidr, all)
    if (!cidr.metadata.finalizers?.includes(finalizer)) {
      await this.#change(cidr, '', ({ metadata, ...rest }) => ({
        ...rest,
        metadata: { ...metadata, finalizers: [...new Set(metadata.finalizers ?? []).add(finalizer)] },
      }))
    }
    const which = cidr.metadata.name === defaultName ? 'default Service CIDR' : 'Service CIDR'
    await this.#setReady(cidr, { status: 'True', reason: '', message: `Kubernetes ${which} is ready` })
  }

  async #letGo(cidr: ServiceCIDR, all: readonly ServiceCIDR[]): Promise<void> {
    if (!cidr.metadata.finalizers?.includes(finalizer)) return
    if (isInUse(cidr, all, this.#options.ips.records())) {
      const message =
        'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'
      await this.#setReady(cidr, { status: 'False', reason: 'Terminating', message })
      return
    }
    const { settleMs, now } = this.#options
    const leftMs = Date.parse(cidr.metadata.deletionTimestamp!) + settleMs - now()
    if (leftMs > 0 && settleMs > 0) return this.#runIn(leftMs)
    await this.#change(cidr, '', ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, finalizers: metadata.finalizers?.filter((one) => one !== finalizer) },
    }))
  }

  #runIn(ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void this.#run()
    }, ms)
    this.#timers.add(timer.unref())
  }

  async #setReady(cidr: ServiceCIDR, wanted: Pick<Condition, 'status' | 'reason' | 'message'>): Promise<void> {
    const before = cidr.status?.conditions?.find(({ type }) => type === 'Ready')
    if (before?.status === wanted.status) return
    const lastTransitionTime = rfc3339(this.#options.now())
    await this.#change(cidr, 'status', ({ status, ...rest }) => {
      const others = (status?.conditions ?? []).filter(({ type }) => type !== 'Ready')
      return {
        ...rest,
        status: { ...status, conditions: [...others, { type: 'Ready', ...wanted, lastTransitionTime }] },
      }
    })
  }

  async #change(
    { metadata: { name = '' } }: ServiceCIDR,
    subresource: '' | 'status',
    change: (cidr: ServiceCIDR) => ServiceCIDR,
  ): Promise<void> {
    const at = { namespace: '', name }
    await this.#options.store
      .update(this.#served, at, subresource, ({ bytes }) => change(reviveObject(bytes) as ServiceCIDR), asServer)
      .catch((error) => {
        if (!isNotFound(error)) throw error
      })
  }
}

/** True when a service has an address of this range that is in no other. */
export function isInUse(cidr: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const others = all.filter(({ metadata }) => metadata.name !== cidr.metadata.name).flatMap(cidrsOf)
  const mine = cidrsOf(cidr)
  const isCovered = mine.every((text) => {
    const block = parseCidr(text)
    return block && others.some((other) => containsBlock(parseCidr(other)!, block))
  })
  if (isCovered) return false
  const has = (ranges: readonly string[], ip: string) => {
    const address = parseIp(ip)
    return address !== undefined && ranges.some((range) => IpRange.parse(range)?.has(address))
  }
  return addresses.some(({ metadata: { name = '' } }) => has(mine, name) && !has(others, name))
}

const cidrsOf = ({ spec }: ServiceCIDR) => spec?.cidrs ?? []
