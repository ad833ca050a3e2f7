import { availableCondition } from '#apis/apiregistration/v1/rules.ts'
import type { APIService, APIServiceCondition } from '#apis/apiregistration/v1/zz_generated.types.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { isConflict, isNotFound } from '#core/errors/status-error.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { Registry } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import type { RemoteGroupVersion } from '#core/server/discovery/served.ts'
import type { RemoteOpenApi } from '#core/server/openapi/openapi.ts'
import type { RequestInfo } from '#core/server/request-info.ts'
import type { Change } from '#core/storage/cacher/entry.ts'
import type { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import { apiServices, changed, parse } from './local-services.ts'
import { RemoteApi, type RemoteParts, type Timing } from './remote-api.ts'
import { serviceOf, serviceResolver } from './service-resolver.ts'

export interface RemoteApisParts {
  registry: Registry
  store: ResourceStore
  client: RemoteParts['client']
  log: Logger
  timing?: Partial<Timing>
}

/** Every group version that another server answers for. Loaded when there is the first. */
export class RemoteApis implements RemoteOpenApi, Disposable {
  readonly #parts: RemoteApisParts
  readonly #byName = new Map<string, RemoteApi>()
  readonly #byGroup = new Map<string, Map<string, RemoteApi>>()
  readonly #services: ResourceCache
  readonly #slices: ResourceCache
  readonly #stopFollowing: (() => void)[]
  #generation = 0

  constructor(parts: RemoteApisParts) {
    this.#parts = parts
    this.#services = parts.registry.get('', 'services')!.cache
    this.#slices = parts.registry.get('discovery.k8s.io', 'endpointslices')!.cache
    this.#stopFollowing = [
      this.#services.onChange(({ entry }) => this.#lookAgain(entry.key)),
      this.#slices.onChange((change) => this.#slicesChanged(change)),
    ]
  }

  /** Grows with every change of what discovery and OpenAPI show. */
  get generation(): number {
    return this.#generation
  }

  /** Takes over an APIService as it is now; undefined when it is gone, or names no service any more. */
  set(name: string, service: APIService | undefined): void {
    const known = this.#byName.get(name)
    if (service && known) known.update(service)
    else if (service) this.#add(name, service)
    else if (known) this.#remove(name, known)
  }

  #add(name: string, service: APIService): void {
    const api = new RemoteApi(service, {
      client: this.#parts.client,
      resolve: serviceResolver(this.#parts.registry),
      report: (of, condition) => this.#report(of, condition),
      changed: () => this.#generation++,
      log: this.#parts.log,
      ...(this.#parts.timing && { timing: this.#parts.timing }),
    })
    this.#byName.set(name, api)
    const versions = this.#byGroup.get(api.group) ?? new Map<string, RemoteApi>()
    this.#byGroup.set(api.group, versions.set(api.version, api))
    this.#generation++
    void api.check()
  }

  #remove(name: string, api: RemoteApi): void {
    this.#byName.delete(name)
    this.#byGroup.get(api.group)?.delete(api.version)
    this.#generation++
    api[Symbol.dispose]()
  }

  /** Who answers a request, unless it is this server. The core group always is this server's. */
  find(info: RequestInfo): RemoteApi | undefined {
    if (info.isResource) return info.group === '' ? undefined : this.#byGroup.get(info.group)?.get(info.version)
    const [, group = '', version = ''] = /^(?:\/openapi\/v3)?\/apis\/([^/]+)\/([^/]+)\/?$/.exec(info.path) ?? []
    return group === '' ? undefined : this.#byGroup.get(group)?.get(version)
  }

  describe(): RemoteGroupVersion[] {
    return Array.from(this.#byName.values(), (api) => api.describe())
  }

  v3Urls(): Map<string, string> {
    const urls = new Map<string, string>()
    for (const { v3Name, v3Url } of this.#byName.values()) if (v3Url) urls.set(v3Name, v3Url)
    return urls
  }

  v2Parts() {
    return Array.from(this.#byName.values(), ({ v2Part }) => v2Part)
  }

  /** Never rejects. */
  async refresh(what: 'v2' | 'v3'): Promise<void> {
    await Promise.all(Array.from(this.#byName.values(), (api) => api.refresh(what)))
  }

  #slicesChanged({ entry, previous }: Change): void {
    const services = new Set([entry, ...(previous ? [previous] : [])].map((slice) => serviceOf(this.#slices, slice)))
    for (const service of services) this.#lookAgain(service)
  }

  /** @param service `namespace/name` */
  #lookAgain(service: string): void {
    for (const api of this.#byName.values()) {
      if (`${api.service.namespace}/${api.service.name}` === service) api.lookAgain()
    }
  }

  async #report(name: string, condition: Omit<APIServiceCondition, 'lastTransitionTime'>): Promise<void> {
    const { registry, store, log } = this.#parts
    const served = apiServices(registry)
    const entry = served.resource.cache.get(name)
    if (!entry || isShown(parse(entry), condition)) return
    const show = (object: APIService) => {
      const others = object.status?.conditions?.filter(({ type }) => type !== condition.type) ?? []
      const lastTransitionTime = transitionTime(object, condition.status)
      object.status = { conditions: [...others, { ...condition, lastTransitionTime }] }
    }
    try {
      await store.update(served, { namespace: '', name }, 'status', (now) => changed(now, show), asServer)
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) log.error('APIService condition not written', { name, error })
    }
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stopFollowing) stop()
    for (const api of this.#byName.values()) api[Symbol.dispose]()
  }
}

function isShown(
  service: APIService,
  { status, reason, message }: Omit<APIServiceCondition, 'lastTransitionTime'>,
): boolean {
  const shown = availableCondition(service)
  return shown?.status === status && shown.reason === reason && shown.message === message
}

/** When the status became what it is; a new reason for the same status is no transition. */
function transitionTime(service: APIService, status: string): string {
  const shown = availableCondition(service)
  if (shown?.status === status && shown.lastTransitionTime) return shown.lastTransitionTime
  return rfc3339(Date.now())
}
