import type { FlowSchema, PriorityLevelConfiguration } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { Logger } from '#apis/plugin/v1/host.ts'
import { isAlreadyExists, isNotFound } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { asServer } from '#core/registry/as-server.ts'
import type { CacheReader } from '#core/registry/object-reader.ts'
import type { Registry, ServedVersion } from '#core/registry/registry.ts'
import type { ResourceStore } from '#core/registry/resource-store.ts'
import { planConditions } from './conditions.ts'
import { isAbandoned, planUpkeep, type Upkeep } from './default-upkeep.ts'
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from './defaults.ts'
import type { FlowControl } from './flow-control.ts'

const group = 'flowcontrol.apiserver.k8s.io'

const upkeepOf = (wanted: object, isMandatory: boolean): Upkeep => ({
  wanted: wanted as UnstructuredObject,
  isMandatory,
})

const defaultsByResource = new Map<string, readonly Upkeep[]>([
  [
    'prioritylevelconfigurations',
    [
      ...mandatoryLevels.map((level) => upkeepOf(level, true)),
      ...suggestedLevels.map((level) => upkeepOf(level, false)),
    ],
  ],
  [
    'flowschemas',
    [
      ...mandatorySchemas.map((schema) => upkeepOf(schema, true)),
      ...suggestedSchemas.map((schema) => upkeepOf(schema, false)),
    ],
  ],
])

/** Servers that disagree write no status more often than this in a minute. */
const maxStatusWrites = 6

/** Keeps flow control at what is stored, and what is stored as it should be: the default objects and the status of schemas. */
export class FlowControlFeed {
  readonly #control: FlowControl
  readonly #registry: Registry
  readonly #store: ResourceStore
  readonly #reader: CacheReader
  readonly #log: Logger
  readonly #statusWrites = new Map<string, number>()
  #isDue = false

  constructor(parts: {
    control: FlowControl
    registry: Registry
    store: ResourceStore
    reader: CacheReader
    log: Logger
  }) {
    this.#control = parts.control
    this.#registry = parts.registry
    this.#store = parts.store
    this.#reader = parts.reader
    this.#log = parts.log
  }

  /** Follows the objects from now on. */
  start(): void {
    // Changes come in crowds; one look at all of them serves a crowd, and is over before the next request comes in.
    const schedule = () => {
      if (this.#isDue) return
      this.#isDue = true
      setImmediate(() => this.#digest())
    }
    for (const resource of defaultsByResource.keys()) this.#registry.get(group, resource)!.cache.onChange(schedule)
    this.#digest()
  }

  /** Makes default objects that are missing and corrects those that are kept. For the start, and every minute. */
  async keepDefaults(): Promise<void> {
    this.#statusWrites.clear()
    const kept = Array.from(defaultsByResource, ([resource, defaults]) => this.#keep(resource, defaults))
    await Promise.all(kept)
    this.#digest()
  }

  #digest(): void {
    this.#isDue = false
    const schemas = this.#reader.list<FlowSchema>(group, 'flowschemas')
    const levels = this.#reader.list<PriorityLevelConfiguration>(group, 'prioritylevelconfigurations')
    const dangling = this.#control.configure(schemas, levels)
    for (const schema of schemas) this.#writeStatus(schema, dangling.has(schema.metadata.name ?? ''))
  }

  #writeStatus(schema: FlowSchema, isDangling: boolean): void {
    const { name = '' } = schema.metadata
    if (!conditionsOf(schema, isDangling)) return
    const written = this.#statusWrites.get(name) ?? 0
    if (written >= maxStatusWrites) return
    this.#statusWrites.set(name, written + 1)
    const change = ({ bytes }: { bytes: Buffer }) => {
      const current = reviveObject(bytes) as unknown as FlowSchema
      const conditions = conditionsOf(current, isDangling)
      return conditions ? { ...current, status: { ...current.status, conditions } } : current
    }
    this.#attempt('flow schema status not written', name, () =>
      this.#store.update(this.#served('flowschemas'), { namespace: '', name }, 'status', change, asServer),
    )
  }

  async #keep(resource: string, defaults: readonly Upkeep[]): Promise<void> {
    const wanted = new Set(defaults.map((one) => one.wanted.metadata.name ?? ''))
    const abandoned = this.#reader
      .list<UnstructuredObject>(group, resource)
      .filter((object) => isAbandoned(object, wanted))
    await Promise.all([
      ...defaults.map((one) => this.#keepOne(resource, one)),
      ...abandoned.map(({ metadata: { name = '', uid } }) =>
        this.#attempt('former default not removed', name, () => {
          const options = uid === undefined ? {} : { preconditions: { uid } }
          return this.#store.delete(this.#served(resource), { namespace: '', name }, options, asServer)
        }),
      ),
    ])
  }

  async #keepOne(resource: string, upkeep: Upkeep): Promise<void> {
    const served = this.#served(resource)
    const { name = '' } = upkeep.wanted.metadata
    const standing = this.#reader.get<UnstructuredObject>(group, resource, '', name)
    if (standing && !planUpkeep(upkeep, standing)) return
    await this.#attempt('flow control default not kept', name, () => {
      if (!standing) return this.#store.create(served, '', structuredClone(upkeep.wanted), asServer)
      const change = ({ bytes }: { bytes: Buffer }) => {
        const current = reviveObject(bytes)
        return structuredClone(planUpkeep(upkeep, current) ?? current)
      }
      return this.#store.update(served, { namespace: '', name }, '', change, asServer)
    })
  }

  /** Somebody else may have been here first; anything else that goes wrong is tried again in a minute. */
  async #attempt(message: string, name: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isNotFound(error) && !isAlreadyExists(error)) this.#log.error(message, { name, error })
    }
  }

  #served(resource: string): ServedVersion {
    return this.#registry.find(group, 'v1', resource)!
  }
}

function conditionsOf(schema: FlowSchema, isDangling: boolean) {
  return planConditions(schema, isDangling, rfc3339(Date.now()))
}
