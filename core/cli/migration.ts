import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { Condition } from '#apis/meta/v1/types.ts'
import type { StorageVersionMigration } from '#apis/storagemigration/v1beta1/zz_generated.types.ts'
import type { ProgressLine } from './progress.ts'

/** As much of a server as it takes to have objects migrated. What is not there reads as undefined. */
export interface MigrationApi {
  definition(name: string): Promise<CustomResourceDefinition | undefined>
  migration(name: string): Promise<StorageVersionMigration | undefined>
  create(migration: StorageVersionMigration): Promise<StorageVersionMigration>
  remove(name: string): Promise<void>
  /** The migration as it is now, and each time it changed; ends when it is deleted. */
  follow(name: string): AsyncIterable<StorageVersionMigration>
}

interface MigratorOptions {
  api: MigrationApi
  progress: Pick<ProgressLine, 'show' | 'say'>
  /** Whether a migration that is under way does not count. */
  restart?: boolean
}

/**
 * Has objects of custom resources written again in the version that is stored today: asks for it with a
 * StorageVersionMigration and shows how far the server's storage version migrator has come with it.
 */
export class Migrator {
  readonly #api: MigrationApi
  readonly #progress: MigratorOptions['progress']
  readonly #restart: boolean

  constructor({ api, progress, restart = false }: MigratorOptions) {
    this.#api = api
    this.#progress = progress
    this.#restart = restart
  }

  /** @throws Error when an object cannot be written, or the definition has changed meanwhile */
  async migrate(definition: CustomResourceDefinition): Promise<void> {
    const name = definition.metadata.name!
    const storage = storageVersionOf(definition)
    if (isStoredIn(storage, definition)) return this.#progress.say(`${name}: all is stored in ${storage}`)
    try {
      const said = await this.#end(await this.#open(definition, storage), name)
      const now = await this.#api.definition(name)
      if (!now || !isStoredIn(storage, now)) throw new Error('the definition has changed meanwhile: run it again')
      this.#progress.say(`${name}: ${said || `all is stored in ${storage}`}`)
    } catch (error) {
      throw new Error(`migrate ${name}`, { cause: error })
    }
  }

  /** The name of the migration that is under way to the same version, or of a new one. */
  async #open({ metadata, spec }: CustomResourceDefinition, storage: string): Promise<string> {
    const name = `keelson-migrate-to-${storage}.${metadata.name}`
    const known = await this.#api.migration(name)
    const isOver = known && (conditionOf(known, 'Succeeded') || conditionOf(known, 'Failed'))
    if (known && !isOver && !this.#restart) return name
    if (known) await this.#api.remove(name)
    await this.#api.create({
      apiVersion: 'storagemigration.k8s.io/v1beta1',
      kind: 'StorageVersionMigration',
      metadata: { name },
      spec: { resource: { group: spec.group, resource: spec.names.plural } },
    })
    return name
  }

  /** @returns what the migration says of its success */
  async #end(migration: string, name: string): Promise<string> {
    let told: string | undefined
    for await (const now of this.#api.follow(migration)) {
      const succeeded = conditionOf(now, 'Succeeded')
      if (succeeded) return succeeded.message
      const failed = conditionOf(now, 'Failed')
      if (failed) throw new Error(failed.message)
      const running = conditionOf(now, 'Running')?.message
      if (told !== undefined && running && running !== told) this.#progress.say(`${name}: ${running}`)
      told = running
      this.#show(now, name)
    }
    throw new Error('the migration was deleted')
  }

  #show({ metadata }: StorageVersionMigration, name: string): void {
    const [, done, total] = /^(\d{1,15})\/(\d{1,15})$/.exec(metadata.annotations?.['keelson.dev/progress'] ?? '') ?? []
    if (done) this.#progress.show(name, Number(done), Number(total))
  }
}

function storageVersionOf({ spec }: CustomResourceDefinition): string {
  return spec.versions.find(({ storage }) => storage)!.name
}

function isStoredIn(version: string, { status }: CustomResourceDefinition): boolean {
  const stored = status?.storedVersions ?? []
  return stored.length === 1 && stored[0] === version
}

function conditionOf({ status }: StorageVersionMigration, type: string): Condition | undefined {
  return status?.conditions?.find((one) => one.type === type && one.status === 'True')
}
