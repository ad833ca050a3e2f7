import { apiServiceName, localCondition } from '#apis/apiregistration/v1/rules.ts'
import type { APIService } from '#apis/apiregistration/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ResourceDefinition } from '#core/registry/resource.ts'
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

/** Keeps an APIService for every group version that this server answers itself. A change of definitions costs a look at their group. */
export class LocalServices implements Disposable {
  readonly #registry: Registry
  readonly #store: ResourceStore
  readonly #log: Logger
  readonly #wanted = new Map<string, LocalVersion>()
  /** The definitions of each group as they were when it was looked at. */
  readonly #seen = new Map<string, readonly ResourceDefinition[]>()
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
    this.#lookAtGroups()
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
    const changed = this.#lookAtGroups().union(this.#doubtful)
    this.#doubtful.clear()
    void this.#settleAll(changed, false)
  }

  /** @returns the names of the APIServices that are wanted since, and of those that are no more */
  #lookAtGroups(): Set<string> {
    const { groups } = this.#registry
    const changed = new Set<string>()
    for (const group of new Set([...groups.keys(), ...this.#seen.keys()])) {
      const [before, after] = [this.#seen.get(group), groups.get(group)]
      if (before === after || group === ownGroup) continue
      const wanted = localVersions(after ?? [])
      for (const name of localVersions(before ?? []).keys())
        if (!wanted.has(name) && this.#wanted.delete(name)) changed.add(name)
      for (const [name, version] of wanted) {
        if (!this.#wanted.has(name)) changed.add(name)
        this.#wanted.set(name, version)
      }
      if (after) this.#seen.set(group, after)
      else this.#seen.delete(group)
    }
    return changed
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

/** What the definitions of a group serve, by the name of its APIService. */
function localVersions(members: readonly ResourceDefinition[]): Map<string, LocalVersion> {
  const served = members.flatMap(({ builtin, group, versions }) =>
    versions.filter((one) => one.served).map(({ name: version }) => ({ group, version, builtin })),
  )
  return new Map(served.map((one) => [apiServiceName(one), one]))
}

export const parse = (entry: CacheEntry) => reviveObject(entry.bytes) as unknown as APIService

export function changed(current: CacheEntry, change: (object: APIService) => void): UnstructuredObject {
  const object = parse(current)
  change(object)
  return object as unknown as UnstructuredObject
}
