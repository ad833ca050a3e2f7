import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '#apis/core/v1/zz_generated.types.ts'
import type { KubeObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { isAlreadyExists, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import { keyOf, type ResourceStore } from '#core/registry/resource-store.ts'
import { equalJson } from '#core/schema/json.ts'
import { asServer } from './as-server.ts'
import { apiService, endpointSliceOf, endpointsOf, type ServerAddress } from './kubernetes-endpoints.ts'
import { renewEveryMs, type ServerAddresses } from './server-addresses.ts'

const apiPort = 443
const farewellMs = 1_000

export interface KubernetesServiceOptions {
  registry: Registry
  store: ResourceStore
  /** Its address: the first of the range. */
  clusterIP: string
  /** The port that this server listens on. */
  port: number
  /** Absent: no other machine could reach this server. */
  address: string | undefined
  /** Present where several servers may share the store. */
  servers: ServerAddresses | undefined
  log: Logger
}

/** Keeps the Service by which pods know the API, and says where its servers are. */
export class KubernetesService implements AsyncDisposable {
  readonly #options: KubernetesServiceOptions
  #timer: NodeJS.Timeout | undefined
  #stop: (() => void) | undefined
  #underway: Promise<void> = Promise.resolve()

  constructor(options: KubernetesServiceOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { servers, log } = this.#options
    await this.#keep(true).catch((error) => log.error('the service default/kubernetes cannot be made', { error }))
    if (!servers) return
    this.#timer = setInterval(() => this.#next(() => this.#renew()), renewEveryMs).unref()
    this.#stop = servers.onChange(() => this.#next(() => this.#publish()))
    await this.#next(() => this.#renew())
  }

  /** Makes what is missing of the Service and its endpoints. */
  keep(): Promise<void> {
    return this.#keep(false)
  }

  /** @param isStart puts the Service's port right: later, who has changed it has had a reason */
  async #keep(isStart: boolean): Promise<void> {
    await this.#keepService(isStart)
    await this.#publish()
  }

  /** Of several servers, the others are to know at once that this one is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#stop?.()
    const { servers } = this.#options
    const own = this.#own()
    if (!servers || !own) return
    const said = this.#next(async () => {
      await servers.remove(own)
      await this.#publish()
    })
    // A store that is gone is no reason to stay.
    await Promise.race([said, sleep(farewellMs, undefined, { ref: false })])
  }

  /** One after another. */
  #next(act: () => Promise<void>): Promise<void> {
    const { log } = this.#options
    this.#underway = this.#underway.then(act).catch((error) => {
      log.warn('where the servers are is not up to date', { error })
    })
    return this.#underway
  }

  #own(): ServerAddress | undefined {
    const { address: ip, port } = this.#options
    return ip === undefined ? undefined : { ip, port }
  }

  async #renew(): Promise<void> {
    const own = this.#own()
    if (own) await this.#options.servers?.renew(own)
    await this.#publish()
  }

  async #keepService(isStart: boolean): Promise<void> {
    const { clusterIP, port } = this.#options
    const ports = [{ name: 'https', port: apiPort, protocol: 'TCP' as const, targetPort: port }]
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...apiService, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], ports, sessionAffinity: 'None' },
    }
    await this.#ensure('', 'v1', 'services', service, (standing: Service) =>
      !isStart || equalJson(standing.spec?.ports, ports)
        ? undefined
        : { ...standing, spec: { ...standing.spec, ports } },
    )
  }

  async #publish(): Promise<void> {
    const own = this.#own()
    const others = this.#options.servers?.list()
    const all = others ?? (own ? [own] : [])
    // With nobody to be reached there is nothing to say, unless something else has been said before.
    const mayCreate = all.length > 0
    const endpoints = endpointsOf(all)
    await this.#ensure(
      '',
      'v1',
      'endpoints',
      endpoints,
      (standing: typeof endpoints) =>
        equalJson(standing.subsets ?? [], endpoints.subsets ?? [])
          ? undefined
          : { ...standing, subsets: endpoints.subsets ?? [] },
      mayCreate,
    )
    const slice = endpointSliceOf(all)
    await this.#ensure(
      'discovery.k8s.io',
      'v1',
      'endpointslices',
      slice,
      (standing: typeof slice) => {
        const { endpoints, ports } = slice
        if (equalJson(standing.endpoints ?? [], endpoints) && equalJson(standing.ports ?? [], ports)) return undefined
        return { ...standing, endpoints, ports }
      },
      mayCreate,
    )
  }

  /** @param right gives the object as it should be, or undefined when it is */
  async #ensure<T extends KubeObject>(
    group: string,
    version: string,
    resource: string,
    wanted: object,
    right: (standing: T) => object | undefined,
    mayCreate = true,
  ): Promise<void> {
    const { registry, store } = this.#options
    const served: ServedVersion = registry.find(group, version, resource)!
    const entry = served.resource.cache.get(keyOf(apiService))
    try {
      if (!entry && !mayCreate) return
      if (!entry) await store.create(served, apiService.namespace, structuredClone(wanted), asServer)
      else if (right(reviveObject(entry.bytes) as KubeObject as T)) {
        const change = ({ bytes }: { bytes: Buffer }) => {
          const standing = reviveObject(bytes) as KubeObject as T
          return right(standing) ?? standing
        }
        await store.update(served, apiService, '', change, asServer)
      }
    } catch (error) {
      // Another server was faster; what it wrote is looked at the next time.
      if (!isAlreadyExists(error) && !isNotFound(error)) throw error
    }
  }
}
