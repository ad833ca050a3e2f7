import { apiServiceName, localCondition } from '#apis/apiregistration/v1/rules.ts'
import type { APIService } from '#apis/apiregistration/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import type { CacheEntry } from '#core/storage/cacher/entry.ts'
import { type LocalPlan, type LocalVersion, planLocal } from './local-plan.ts'

/** Definitions come in crowds; one look at all of them serves a crowd. */
const crowdMs = 50
/** How many objects are written at the same time: enough to fill the store's group commits. */
const concurrency = 64
/** The group of APIServices itself is always this server's and has no object. */
const ownGroup = 'apiregistration.k8s.io'

export function apiServices(registry: Registry): ServedVersion {
  return registry.find(ownGroup, 'v1', 'apiservices')!
}

/** Keeps an APIService for every group version that this server answers itself. A change of definitions costs one pass over their names. */
export class LocalServices implements Disposable {
  readonly #registry: Registry
  readonly #store: ResourceStore
  readonly #log: Logger
  #wanted: ReadonlyMap<string, LocalVersion> = new Map()
  /** Objects of group versions that are not known to be served here: definitions may be behind them. */
  readonly #doubtful = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #stopFollowing: (() => void) | undefined

  constructor(parts: { registry: Registry; store: ResourceStore; log: Logger }) {
    this.#registry = parts.registry
    this.#store = parts.store
    this.#log = parts.log
  }

  /** Resolves when every object is there. */
  async start(): Promise<void> {
    const { cache } = apiServices(this.#registry).resource
    this.#wanted = localVersions(this.#registry)
    this.#registry.onChange(() => this.#lookSoon())
    this.#stopFollowing = cache.onChange(({ entry }) => {
      if (this.#wanted.has(entry.key)) return void this.#settle(entry.key, false)
      this.#doubtful.add(entry.key)
      this.#lookSoon()
    })
    const known = cache.list('').entries.map(({ key }) => key)
    await this.#settleAll(new Set([...this.#wanted.keys(), ...known]), true)
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#look()
    }, crowdMs).unref()
  }

  #look(): void {
    const before = this.#wanted
    this.#wanted = localVersions(this.#registry)
    const changed = new Set(this.#doubtful)
    this.#doubtful.clear()
    for (const name of this.#wanted.keys()) if (!before.has(name)) changed.add(name)
    for (const name of before.keys()) if (!this.#wanted.has(name)) changed.add(name)
    void this.#settleAll(changed, false)
  }

  async #settleAll(names: Iterable<string>, isStart: boolean): Promise<void> {
    const waiting = names[Symbol.iterator]()
    const worker = async () => {
      for (let next = waiting.next(); !next.done; next = waiting.next()) await this.#settle(next.value, isStart)
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
  }

  /** Never rejects: who was faster is followed by another change. */
  async #settle(name: string, isStart: boolean): Promise<void> {
    const served = apiServices(this.#registry)
    const entry = served.resource.cache.get(name)
    const plan = planLocal(this.#wanted.get(name), entry && parse(entry), isStart)
    if (plan.action === 'none') return
    try {
      await this.#carryOut(plan, served, name)
    } catch (error) {
      if (!isAlreadyExists(error) && !isConflict(error) && !isNotFound(error))
        this.#log.error('APIService not kept', { name, error })
    }
  }

  async #carryOut(plan: LocalPlan, served: ServedVersion, name: string): Promise<void> {
    const at = { namespace: '', name }
    const write = (subresource: string, change: (object: APIService) => void) =>
      this.#store.update(served, at, subresource, (current) => changed(current, change), asServer)
    switch (plan.action) {
      case 'create':
        await this.#store.create(served, '', structuredClone(plan.object), asServer)
        break
      case 'update':
        await write('', (object) => {
          object.spec = plan.spec
        })
        break
      case 'showAvailable':
        await write('status', (object) => {
          object.status = { conditions: [localCondition()] }
        })
        break
      case 'delete':
        await this.#store.delete(served, at, {}, asServer)
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#stopFollowing?.()
  }
}

/** By the name of their APIService. */
function localVersions(registry: Registry): Map<string, LocalVersion> {
  const found = new Map<string, LocalVersion>()
  for (const { definition } of registry.all()) {
    const { builtin, group, versions } = definition
    if (group === ownGroup) continue
    for (const { name: version, served } of versions) {
      if (served) found.set(apiServiceName({ group, version }), { group, version, builtin })
    }
  }
  return found
}

export const parse = (entry: CacheEntry) => reviveObject(entry.bytes) as unknown as APIService

export function changed(current: CacheEntry, change: (object: APIService) => void): UnstructuredObject {
  const object = parse(current)
  change(object)
  return object as unknown as UnstructuredObject
}
