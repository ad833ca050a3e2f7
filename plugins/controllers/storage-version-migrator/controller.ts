import { customresourcedefinitions } from '@keelson/apis/apiextensions/v1/zz_generated.types.ts'
import type { PluginHost } from '@keelson/apis/plugin/v1/host.ts'
import {
  type StorageVersionMigrationStatus,
  storageversionmigrations,
} from '@keelson/apis/storagemigration/v1beta1/zz_generated.types.ts'
import { type Client, discover, ignoreAbsence, type ServedResource } from '@keelson/client'
import { type Clock, controller, createInformers, formatTime, runReconciler, systemClock } from '@keelson/kit'
import {
  type Definition,
  delayedStatus,
  endedStatus,
  isOver,
  isPassing,
  isRunning,
  type Migration,
  migratedDefinition,
  migratingDefinition,
  nextOf,
  resourceKey,
  startedStatus,
  successOf,
  targetOf,
} from './plan.ts'
import { progressIn, progressPatch } from './progress.ts'
import { createRewriter } from './rewriter.ts'

interface Options {
  clock?: Clock
  /** Objects done before it is noted how far a migration has come. */
  pageSize?: number
}

const byResource = 'resource'

/**
 * Carries out StorageVersionMigrations: writes every object of their resource again, and takes the versions that nothing is
 * stored in any more out of the status of its definition. One at a time for each resource, oldest first; behind a restart it
 * goes on where it was.
 * @see https://kep.k8s.io/4192
 */
export async function runStorageVersionMigrator(
  client: Client,
  host: PluginHost,
  { clock = systemClock, pageSize }: Options = {},
): Promise<void> {
  const { log, signal } = host
  const informers = createInformers(client, { log, signal, clock })
  const cached = informers.for(storageversionmigrations)
  const migrations = client.resource(storageversionmigrations)
  const definitions = client.resource(customresourcedefinitions)
  const rewriter = createRewriter(client, pageSize)
  const now = () => formatTime(clock.now())
  cached.addIndex(byResource, (migration) => [resourceKey(migration)])

  async function reconcile(key: string): Promise<undefined> {
    const next = nextOf(cached.byIndex(byResource, key))
    if (!next) return
    // What has ended a moment ago must not begin again because the cache has not heard of it.
    const migration = await migrations.get(next.metadata.name ?? '', { signal }).catch(ignoreAbsence)
    if (migration && !isOver(migration)) await migrate(migration)
  }

  async function migrate(migration: Migration): Promise<void> {
    const definition = await definitionOf(migration)
    const target = targetOf(migration, await discover(client, signal), definition)
    if ('failure' in target) return fail(migration, target.failure)
    let started = isRunning(migration) ? migration : undefined
    try {
      started ??= await start(migration, target.resource, definition)
      if (started) await carryOut(started, target.resource, definition)
      else await finish(migration, false)
    } catch (error) {
      if (signal.aborted) throw error
      if (!isPassing(error)) return fail(migration, `migration encountered unhandled error: ${messageOf(error)}`)
      if (started) await setStatus(started, delayedStatus(started, messageOf(error), now())).catch(() => {})
      throw error
    }
  }

  async function carryOut(migration: Migration, resource: ServedResource, definition?: Definition): Promise<void> {
    const { name = '', uid = '' } = migration.metadata
    const count = await rewriter.rewrite(
      resource,
      progressIn(migration),
      async (progress) => {
        const body = progressPatch(uid, progress)
        await migrations.patch(name, { type: 'merge', body }, { signal }).catch(ignoreAbsence)
        return cached.get('', name)?.metadata.uid === uid
      },
      signal,
    )
    // Deleted, for it is not wanted any more.
    if (count === undefined) return finish(migration, false)
    await finish(migration, true)
    await setStatus(migration, endedStatus(migration, 'Succeeded', successOf(count, definition), now()))
    log.info('migration succeeded', { migration: name, resource: resourceKey(migration), objects: count })
  }

  /** @returns undefined when the migration was deleted meanwhile */
  async function start(
    migration: Migration,
    resource: ServedResource,
    definition: Definition | undefined,
  ): Promise<Migration | undefined> {
    const { name = '' } = migration.metadata
    if (definition) {
      await definitions.updateStatus(
        { ...definition, status: migratingDefinition(definition, name, now()) },
        { signal },
      )
    }
    const { metadata } = await client.metadata(resource).list({ limit: 1, signal })
    return setStatus(migration, startedStatus(migration, metadata.resourceVersion, now()))
  }

  async function fail(migration: Migration, message: string): Promise<void> {
    await finish(migration, false)
    await setStatus(migration, endedStatus(migration, 'Failed', message, now()))
    log.warn('migration failed', { migration: migration.metadata.name, resource: resourceKey(migration), message })
  }

  /** Says in the definition what came of it. Done ahead of the migration's own status: who sees that sees this. */
  async function finish(migration: Migration, hasSucceeded: boolean): Promise<void> {
    const definition = await definitionOf(migration)
    const status = definition && migratedDefinition(definition, hasSucceeded, now())
    if (status) await definitions.updateStatus({ ...definition, status }, { signal })
  }

  async function definitionOf(migration: Migration): Promise<Definition | undefined> {
    if (!migration.spec.resource.group) return undefined
    return definitions.get(resourceKey(migration), { signal }).catch(ignoreAbsence)
  }

  async function setStatus(
    { metadata }: Migration,
    status: StorageVersionMigrationStatus,
  ): Promise<Migration | undefined> {
    const body = { metadata: { uid: metadata.uid }, status }
    const options = { subresource: 'status', signal }
    return migrations.patch(metadata.name ?? '', { type: 'merge', body }, options).catch(ignoreAbsence)
  }

  const queue = runReconciler({ name: 'storage-version-migrator', log, reconcile, signal, clock })
  await informers.synced()
  const enqueue = (migration: Migration) => queue.add(resourceKey(migration))
  cached.on({ added: enqueue, updated: enqueue, deleted: enqueue })
  host.ready()
  await queue.stopped
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

export default controller((client, host) => runStorageVersionMigrator(client, host))
