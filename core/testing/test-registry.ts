import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Admission } from '#apis/plugin/v1/admission.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { serviceResolver } from '#core/aggregation/service-resolver.ts'
import { Constraints } from '#core/constraints/constraints.ts'
import { convertersWith } from '#core/conversion/converters.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { builtinRulesWith, loadBuiltinDefinitions } from '#core/registry/builtin.ts'
import { CustomResources } from '#core/registry/custom/custom-resources.ts'
import { Registry, type ServedVersion } from '#core/registry/registry.ts'
import { ResourceStore, type WriteContext } from '#core/registry/resource-store.ts'
import { Cacher } from '#core/storage/cacher/cacher.ts'
import { openEmbeddedStorage } from '#core/storage/embedded/embedded-storage.ts'
import type { Storage } from '#core/storage/storage.ts'
import { WebhookClient } from '#core/webhooks/client.ts'

/** The registry and everything below it, in this process: what a server is without its listener, admission and plugins. */
export interface TestRegistry extends AsyncDisposable {
  storage: Storage
  cacher: Cacher
  registry: Registry
  store: ResourceStore
  /** What was logged as an error. */
  errors: string[]
  /** @throws Error when there is no such resource @param of `v1/pods`, `apps/v1/deployments` */
  served(of: string): ServedVersion
  create(of: string, object: object, context?: Partial<WriteContext>): Promise<UnstructuredObject>
  /** The object as the cache has it. @param key `namespace/name` or `name` */
  get(of: string, key: string): UnstructuredObject | undefined
  /** Closes everything and opens it again on the same data. */
  reopen(): Promise<TestRegistry>
}

export interface TestRegistryOptions {
  admission?: Admission
  /** The time by the server's clock, in milliseconds. */
  now?: () => number
}

/** Somebody who may do everything. */
export const admin: WriteContext = {
  user: { username: 'admin', groups: ['system:masters'] },
  dryRun: false,
  fieldValidation: 'Warn',
  warn: () => {},
}

const admitAll: Admission = { mutate: async () => {}, validate: async () => {} }

export async function openTestRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  return open(await mkdtemp(join(tmpdir(), 'keelson-registry-')), options)
}

async function open(directory: string, options: TestRegistryOptions): Promise<TestRegistry> {
  const { types, resources } = await loadBuiltinDefinitions()
  const errors: string[] = []
  const storage = await openEmbeddedStorage({ directory: join(directory, 'store') })
  const cacher = await Cacher.start(storage)
  const webhooks = new WebhookClient({ resolve: (service) => serviceResolver(registry)(service) })
  const registry: Registry = new Registry({
    cacher,
    types,
    rules: builtinRulesWith({ ttlSeconds: 3600, declarativeConversion: true }),
    converterOf: convertersWith(webhooks, { declarative: true }),
  })
  for (const resource of resources) registry.install(resource)
  const now = options.now ?? Date.now
  const store = new ResourceStore({ storage, admission: options.admission ?? admitAll, now })
  new Constraints({ registry, storage, cacher, log: errorLog(errors) }).start()
  new CustomResources({ registry, store, log: errorLog(errors), now: () => new Date(now()) }).start()
  const close = async () => {
    webhooks[Symbol.dispose]()
    await cacher[Symbol.asyncDispose]()
    await storage[Symbol.asyncDispose]()
  }
  const served = (of: string) => servedOf(registry, of)
  return {
    ...{ storage, cacher, registry, store, errors, served },
    create: async (of, object, context) => {
      const copy = structuredClone(object) as UnstructuredObject
      return reviveObject(await store.create(served(of), copy.metadata.namespace ?? '', copy, { ...admin, ...context }))
    },
    get: (of, key) => {
      const entry = served(of).resource.cache.get(key)
      return entry && reviveObject(entry.bytes)
    },
    reopen: async () => {
      await close()
      return open(directory, options)
    },
    [Symbol.asyncDispose]: async () => {
      await close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function servedOf(registry: Registry, of: string): ServedVersion {
  const parts = of.split('/')
  const [group, version, resource] = parts.length === 2 ? ['', ...parts] : parts
  const found = registry.find(group!, version!, resource!)
  if (!found) throw new Error(`no resource ${of} is served`)
  return found
}

function errorLog(errors: string[]): Logger {
  const ignore = () => {}
  return {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message, keys) => errors.push(`${message} ${String(keys?.error)}`),
  }
}
