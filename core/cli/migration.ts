import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { ObjectMeta } from '#apis/meta/v1/types.ts'
import type { StorageVersionMigration } from '#apis/storagemigration/v1beta1/zz_generated.types.ts'
import type { ProgressLine } from './progress.ts'

/** As much of a client as a migration needs. Rejects with what has the server's Status as `status`. */
export interface MigrationApi {
  request<R = unknown>(request: {
    method: string
    path: string
    body?: unknown
    contentType?: string
    accept?: string
  }): Promise<R>
}

/** Where the next run goes on: the continue token behind the last page that was done. */
const continueAnnotation = 'keelson.dev/continue'
/** So many objects are done before it is remembered. */
const defaultPageSize = 500
/** How many objects are rewritten at the same time: enough to fill the store's group commits. */
const concurrency = 16
const mergePatch = 'application/merge-patch+json'
const metadataOnly =
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const migrations = '/apis/storagemigration.k8s.io/v1beta1/storageversionmigrations'

interface Page {
  metadata: { continue?: string; remainingItemCount?: number; resourceVersion?: string }
  items: { metadata: ObjectMeta }[]
}

interface MigratorOptions {
  api: MigrationApi
  progress: Pick<ProgressLine, 'show' | 'say'>
  /** Whether earlier runs do not count. */
  restart?: boolean
  pageSize?: number
}

/**
 * Rewrites objects of custom resources in the version that is stored today: an update that changes nothing is written when
 * the object is stored in another version. What has been rewritten already is left as it is.
 */
export class Migrator {
  readonly #api: MigrationApi
  readonly #progress: MigratorOptions['progress']
  readonly #restart: boolean
  readonly #pageSize: number

  constructor({ api, progress, restart = false, pageSize = defaultPageSize }: MigratorOptions) {
    this.#pageSize = pageSize
    this.#api = api
    this.#progress = progress
    this.#restart = restart
  }

  /** @throws Error when an object cannot be rewritten, or the definition has changed meanwhile; another run goes on */
  async migrate(definition: CustomResourceDefinition): Promise<void> {
    const name = definition.metadata.name!
    const storage = storageVersionOf(definition)
    const stored = definition.status?.storedVersions ?? []
    if (stored.length === 1 && stored[0] === storage) {
      this.#progress.say(`${name}: all is stored in ${storage}`)
      return
    }
    const record = await this.#open(definition, storage)
    try {
      const count = await this.#rewriteAll(definition, record)
      await this.#forgetVersions(definition, storage)
      await this.#close(record, 'Succeeded', `${count} objects are stored in ${storage}`)
      this.#progress.say(`${name}: ${count} objects are stored in ${storage}`)
    } catch (error) {
      await this.#close(record, 'Failed', (error as Error).message).catch(() => {})
      throw new Error(`migrate ${name}`, { cause: error })
    }
  }

  async #rewriteAll(definition: CustomResourceDefinition, record: StorageVersionMigration): Promise<number> {
    const name = definition.metadata.name!
    const base = pathOf(definition)
    let token = this.#restart ? '' : (record.metadata.annotations?.[continueAnnotation] ?? '')
    if (token) this.#progress.say(`${name}: goes on where an earlier run stopped`)
    let done = 0
    for (;;) {
      const page = await this.#page(base, token)
      const total = done + page.items.length + (page.metadata.remainingItemCount ?? 0)
      await inParallel(page.items, async ({ metadata }) => {
        await this.#rewrite(objectPath(definition, metadata))
        this.#progress.show(name, ++done, total)
      })
      token = page.metadata.continue ?? ''
      if (token === '') return done
      await this.#remember(record, token)
    }
  }

  /** A list that has become too old goes on with what is there now: what came meanwhile is stored in today's version. */
  async #page(base: string, token: string): Promise<Page> {
    const at = (continued: string) =>
      `${base}?limit=${this.#pageSize}${continued && `&continue=${encodeURIComponent(continued)}`}`
    try {
      return await this.#api.request<Page>({ method: 'GET', path: at(token), accept: metadataOnly })
    } catch (error) {
      const { code, metadata } = statusOf(error)
      const fresh = code === 410 ? metadata?.continue : undefined
      if (!fresh) throw error
      return this.#api.request<Page>({ method: 'GET', path: at(fresh), accept: metadataOnly })
    }
  }

  async #rewrite(path: string): Promise<void> {
    try {
      await this.#api.request({ method: 'PATCH', path, body: {}, contentType: mergePatch, accept: metadataOnly })
    } catch (error) {
      // Deleted meanwhile.
      if (statusOf(error).code !== 404) throw error
    }
  }

  /** Says in the definition's status that nothing is stored in another version any more. */
  async #forgetVersions({ metadata }: CustomResourceDefinition, storage: string): Promise<void> {
    const path = `${definitions}/${metadata.name}`
    const now = await this.#api.request<CustomResourceDefinition>({ method: 'GET', path })
    if (storageVersionOf(now) !== storage) throw new Error('the storage version has changed meanwhile: run it again')
    const { resourceVersion } = now.metadata
    const body = { metadata: { resourceVersion }, status: { storedVersions: [storage] } }
    await this.#api.request({ method: 'PATCH', path: `${path}/status`, body, contentType: mergePatch })
  }

  /** The record of this migration: that of an earlier run to the same version, or a new one. */
  async #open(definition: CustomResourceDefinition, storage: string): Promise<StorageVersionMigration> {
    const { group, names } = definition.spec
    const name = `keelson-migrate-to-${storage}.${definition.metadata.name}`
    const path = `${migrations}/${name}`
    const known = await this.#api.request<StorageVersionMigration>({ method: 'GET', path }).catch((error) => {
      if (statusOf(error).code !== 404) throw error
    })
    const hasEnded = known?.status?.conditions?.some(({ type, status }) => type === 'Succeeded' && status === 'True')
    if (known && !hasEnded) return known
    if (known) await this.#api.request({ method: 'DELETE', path })
    const body = {
      apiVersion: 'storagemigration.k8s.io/v1beta1',
      kind: 'StorageVersionMigration',
      metadata: { name },
      spec: { resource: { group, resource: names.plural } },
    }
    return this.#api.request<StorageVersionMigration>({ method: 'POST', path: migrations, body })
  }

  async #remember({ metadata }: StorageVersionMigration, token: string): Promise<void> {
    const body = { metadata: { annotations: { [continueAnnotation]: token } } }
    await this.#api.request({ method: 'PATCH', path: `${migrations}/${metadata.name}`, body, contentType: mergePatch })
  }

  async #close({ metadata }: StorageVersionMigration, type: 'Succeeded' | 'Failed', message: string): Promise<void> {
    const lastTransitionTime = rfc3339(Date.now())
    const condition = { type, status: 'True', reason: 'KeelsonMigrate', message, lastTransitionTime }
    const path = `${migrations}/${metadata.name}/status`
    await this.#api.request({
      method: 'PATCH',
      path,
      body: { status: { conditions: [condition] } },
      contentType: mergePatch,
    })
  }
}

function storageVersionOf({ spec }: CustomResourceDefinition): string {
  return spec.versions.find(({ storage }) => storage)!.name
}

/** In the storage version, for then nothing is converted twice; in another one when that is not served. */
function pathOf({ spec }: CustomResourceDefinition, namespace?: string): string {
  const served = spec.versions.filter((version) => version.served)
  const { name } = served.find(({ storage }) => storage) ?? served[0]!
  const within = namespace ? `namespaces/${encodeURIComponent(namespace)}/` : ''
  return `/apis/${spec.group}/${name}/${within}${spec.names.plural}`
}

function objectPath(definition: CustomResourceDefinition, { name = '', namespace }: ObjectMeta): string {
  return `${pathOf(definition, namespace)}/${encodeURIComponent(name)}`
}

/** What a server said of a request that failed. */
function statusOf(error: unknown): { code?: number; metadata?: { continue?: string } } {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('status' in at && typeof at.status === 'object') return at.status as { code?: number }
  }
  return {}
}

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const worker = async () => {
    for (const item of waiting) await act(item)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}
