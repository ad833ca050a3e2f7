import type { Service } from '#apis/core/v1/zz_generated.types.ts'
import { type FieldError, invalid } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { newInternalError, newInvalid, type StatusError } from '#core/errors/status-error.ts'
import type { Reservation, Reservations } from '#core/registry/reservations.ts'
import { choosePorts, portsOf } from './choose-ports.ts'
import { completeFamilies, isHeadless, type Spec } from './complete-families.ts'
import { type Holder, Unavailable } from './holder.ts'
import type { IpAddresses } from './ip-addresses.ts'
import type { IpFamily } from './ip-range.ts'
import type { NodePorts } from './node-ports.ts'

/** What a service has. */
export interface Holdings {
  ips: ReadonlySet<string>
  ports: ReadonlySet<number>
}

/** Gives Services their addresses and their ports on the nodes, and takes them back. */
export class ServiceAddresses implements Reservations {
  readonly #ips: IpAddresses
  readonly #ports: NodePorts
  readonly #families: readonly IpFamily[]
  readonly #log: Logger

  /** @param families of the cluster; the first is that of services which do not say */
  constructor(options: { ips: IpAddresses; ports: NodePorts; families: readonly IpFamily[]; log: Logger }) {
    this.#ips = options.ips
    this.#ports = options.ports
    this.#families = options.families
    this.#log = options.log
  }

  async reserve(
    object: UnstructuredObject,
    before: UnstructuredObject | undefined,
    dryRun: boolean,
  ): Promise<Reservation> {
    const service = object as Service
    const spec = (service.spec ??= {})
    const old = before && ((before as Service).spec ?? {})
    const errors = completeFamilies(spec, old, this.#families)
    if (errors.length > 0) throw newServiceInvalid(service, errors)
    const holder = holderOf(service)
    const taken = { ips: new Set<string>(), ports: new Set<number>() }
    const giveBack = async () => {
      if (!dryRun) await this.#letGo(holder, taken)
    }
    try {
      await this.#takeIps(service, spec, old, taken.ips, dryRun)
      await this.#takePorts(service, spec, old, taken.ports, dryRun)
    } catch (error) {
      await giveBack()
      throw error
    }
    const given = old && without(holdingsOf(old), holdingsOf(spec))
    return {
      commit: async () => {
        if (given && !dryRun) await this.#letGo(holder, given)
      },
      rollback: giveBack,
    }
  }

  async release(object: UnstructuredObject): Promise<void> {
    const service = object as Service
    await this.#letGo(holderOf(service), holdingsOf(service.spec ?? {}))
  }

  async #takeIps(service: Service, spec: Spec, old: Spec | undefined, taken: Set<string>, dryRun: boolean) {
    if (spec.type === 'ExternalName' || isHeadless(spec)) return
    const held = old ? holdingsOf(old).ips : new Set<string>()
    const ips: string[] = []
    for (const [at, family] of (spec.ipFamilies ?? []).entries()) {
      const wanted = spec.clusterIPs?.[at]
      if (wanted && held.has(wanted)) ips.push(wanted)
      else {
        const ip = await this.#takeIp(service, wanted, family as IpFamily, dryRun)
        taken.add(ip)
        ips.push(ip)
      }
    }
    if (ips.length === 0) return
    spec.clusterIPs = ips
    spec.clusterIP = ips[0]
  }

  async #takeIp(service: Service, wanted: string | undefined, family: IpFamily, dryRun: boolean): Promise<string> {
    const holder = holderOf(service)
    try {
      return await (wanted ? this.#ips.take(wanted, holder, dryRun) : this.#ips.takeAny(family, holder, dryRun))
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      if (!wanted) throw newInternalError(`failed to allocate a serviceIP: ${error.message}`, error)
      const detail = `failed to allocate IP ${wanted}: ${error.message}`
      throw newServiceInvalid(service, [invalid('spec.clusterIPs', service.spec?.clusterIPs, detail)])
    }
  }

  async #takePorts(service: Service, spec: Spec, old: Spec | undefined, taken: Set<number>, dryRun: boolean) {
    const holder = holderOf(service)
    await choosePorts(spec, old, async (wanted, field) => {
      try {
        if (wanted && taken.has(wanted)) throw new Unavailable('provided port is already allocated')
        const port = await (wanted
          ? this.#ports.take(wanted, holder, dryRun)
          : this.#ports.takeAny(holder, dryRun, taken))
        taken.add(port)
        return port
      } catch (error) {
        throw error instanceof Unavailable ? portError(service, wanted, field, error) : error
      }
    })
  }

  /** What cannot be let go of now is found by the repair. */
  async #letGo(holder: Holder, { ips, ports }: Holdings): Promise<void> {
    const results = await Promise.allSettled([
      ...Array.from(ips, (ip) => this.#ips.release(ip, holder)),
      ...Array.from(ports, (port) => this.#ports.release(port, holder)),
    ])
    for (const result of results) {
      if (result.status === 'rejected') {
        const { namespace, name } = holder
        this.#log.warn('address of a service not released', { namespace, name, error: result.reason })
      }
    }
  }
}

export function holderOf({ metadata: { namespace = '', name = '' } }: Service): Holder {
  return { namespace, name }
}

export function holdingsOf(spec: Spec): Holdings {
  const ips = spec.type === 'ExternalName' || isHeadless(spec) ? [] : (spec.clusterIPs ?? [])
  return { ips: new Set(ips), ports: portsOf(spec) }
}

function without(some: Holdings, others: Holdings): Holdings {
  return { ips: some.ips.difference(others.ips), ports: some.ports.difference(others.ports) }
}

function newServiceInvalid({ metadata }: Service, errors: readonly FieldError[]): StatusError {
  return newInvalid({ group: '', kind: 'Service' }, metadata.name ?? '', errors)
}

/** Only a port that the client has chosen is its mistake. */
function portError(service: Service, wanted: number, field: string, error: Unavailable): StatusError {
  const isForHealth = field === 'spec.healthCheckNodePort'
  if (wanted && isForHealth) {
    return newInternalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${error.message}`, error)
  }
  if (wanted) return newServiceInvalid(service, [invalid(field, wanted, error.message)])
  const what = isForHealth ? 'a HealthCheck NodePort 0' : 'a nodePort'
  return newInternalError(`failed to allocate ${what}: ${error.message}`, error)
}
