import type { Logger } from '#apis/plugin/v1/host.ts'
import type { Registry } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import type { DefinitionSource } from '#core/server/discovery/document.ts'
import type { RequestInfo } from '#core/server/request-info.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import { apiServices, LocalServices, parse } from './local-services.ts'
import type { RemoteApi } from './remote-api.ts'
import type { RemoteApis, RemoteApisParts } from './remote-apis.ts'

export interface AggregationParts {
  registry: Registry
  store: ResourceStore
  /** What this server shows aggregated ones now, in PEM. */
  client: RemoteApisParts['client']
  log: Logger
}

/**
 * APIService objects: keeps those of the group versions served here, and sends the others to the servers that they name.
 * Whatever the latter needs is loaded when there is the first of them; until then it costs a comparison a request.
 * @see https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
 */
export class Aggregation implements Disposable {
  readonly #parts: AggregationParts
  readonly #local: LocalServices
  #loading: Promise<RemoteApis> | undefined
  #remotes: RemoteApis | undefined
  #stopFollowing: (() => void) | undefined
  #isDisposed = false

  constructor(parts: AggregationParts) {
    this.#parts = parts
    this.#local = new LocalServices(parts)
  }

  /** Resolves when every group version served here has its object, and all others are known. */
  async start(): Promise<void> {
    const { cache } = apiServices(this.#parts.registry).resource
    this.#stopFollowing = cache.onChange((change) => this.#follow(change.entry, change.type === 'DELETED'))
    for (const entry of cache.list('').entries) this.#follow(entry, false)
    await Promise.all([this.#local.start(), this.#loading])
  }

  #follow(entry: CacheEntry, isGone: boolean): void {
    const isRemote = !isGone && entry.bytes.includes('"service":') && parse(entry).spec.service !== undefined
    if (!isRemote && !this.#loading) return
    const set = (remotes: RemoteApis) => remotes.set(entry.key, isRemote ? parse(entry) : undefined)
    if (this.#remotes) set(this.#remotes)
    else this.#load().then(set, (error) => this.#parts.log.error('API aggregation not loaded', { error }))
  }

  #load(): Promise<RemoteApis> {
    this.#loading ??= import('./remote-apis.ts').then(({ RemoteApis }) => {
      const remotes = new RemoteApis(this.#parts)
      this.#remotes = remotes
      if (this.#isDisposed) remotes[Symbol.dispose]()
      return remotes
    })
    return this.#loading
  }

  /** Who answers a request; undefined when this server does. */
  find(info: RequestInfo): RemoteApi | undefined {
    return this.#remotes?.find(info)
  }

  /** What discovery and OpenAPI show: what is served here, and what others answer for. */
  get source(): DefinitionSource {
    const { registry } = this.#parts
    const remotes = () => this.#remotes
    return {
      get generation() {
        return registry.generation + (remotes()?.generation ?? 0)
      },
      get groups() {
        return registry.groups
      },
      remotes: () => remotes()?.describe() ?? [],
    }
  }

  /** What others add to OpenAPI. */
  get openApi() {
    const remotes = () => this.#remotes
    return {
      v3Urls: () => remotes()?.v3Urls() ?? new Map<string, string>(),
      v2Parts: () => remotes()?.v2Parts() ?? [],
      refresh: async (what: 'v2' | 'v3') => remotes()?.refresh(what),
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#stopFollowing?.()
    this.#local[Symbol.dispose]()
    this.#remotes?.[Symbol.dispose]()
  }
}
