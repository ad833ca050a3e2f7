import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Client,
  connect,
  ignoreAbsence,
  isConnectionError,
  isExpired,
  loadKubeconfig,
  type ResourceClient,
} from '@keelson/client'
import { type CustomResourceDefinition, customresourcedefinitions } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { plugins } from '#apis/keelson/v1/zz_generated.types.ts'
import {
  type StorageVersionMigration,
  storageversionmigrations,
} from '#apis/storagemigration/v1beta1/zz_generated.types.ts'
import { type MigrationApi, Migrator } from './migration.ts'
import { ProgressLine } from './progress.ts'
import type { Command } from './run.ts'
import { describeError } from './run-until-signal.ts'
import { UsageError } from './usage-error.ts'

const help = `usage: keelson migrate [RESOURCE.GROUP ...] [flags]

Has the objects of custom resources written again in the version that their definitions store today, so that versions that
are no longer needed can be removed from the definitions: afterwards status.storedVersions names that version only.

Without arguments it does so for every custom resource that may be stored in several versions. The server does the work, as
StorageVersionMigration objects ask it to ("kubectl get storageversionmigrations"): this command creates them and shows how
far they have come. It can be ended at any time, and started again to look.

  --kubeconfig FILE      of an administrator (default $KUBECONFIG, else ~/.keelson/admin.kubeconfig)
  --context NAME         of the kubeconfig
  --restart              begins at the first object, even when a migration is under way
`

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'has stored custom resources written again in the version of today',
  help,
  run: async (args) => {
    try {
      return await migrate(parse(args))
    } catch (error) {
      const isMistake = error instanceof UsageError
      process.stderr.write(`keelson: ${isMistake ? error.message : describeError(error)}\n`)
      return isMistake ? 2 : 1
    }
  },
}

interface MigrateArguments {
  names: readonly string[]
  kubeconfig: string
  context: string | undefined
  restart: boolean
}

const options = {
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  restart: { type: 'boolean' },
} as const

function parse(args: readonly string[]): MigrateArguments {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const kubeconfig = values.kubeconfig ?? process.env.KUBECONFIG ?? join(homedir(), '.keelson', 'admin.kubeconfig')
    return { names: positionals, kubeconfig, context: values.context, restart: values.restart === true }
  } catch (cause) {
    throw new UsageError(`${(cause as Error).message} ("--help" explains the flags)`, { cause })
  }
}

async function migrate({ names, kubeconfig, context, restart }: MigrateArguments): Promise<number> {
  await using client = connect(loadKubeconfig(kubeconfig, context))
  const { items } = await client.resource(customresourcedefinitions).list()
  const wanted = chosen(items, names)
  const progress = new ProgressLine()
  if (wanted.length === 0) progress.say('every custom resource is stored in one version')
  else await assertMigratorRuns(client)
  const migrator = new Migrator({ api: apiOf(client), progress, restart })
  for (const definition of wanted) await migrator.migrate(definition)
  return 0
}

/** @throws Error when nobody would carry a migration out. A server that is not ours may have another migrator. */
async function assertMigratorRuns(client: Client): Promise<void> {
  const plugin = await client.resource(plugins).get('controller-storage-version-migrator').catch(ignoreAbsence)
  const ready = plugin?.status?.conditions?.find(({ type }) => type === 'Ready')
  if (ready?.reason === 'Disabled') throw new Error(`plugin ${plugin?.metadata.name} does not run: ${ready.message}`)
}

function apiOf(client: Client): MigrationApi {
  const definitions = client.resource(customresourcedefinitions)
  const migrations = client.resource(storageversionmigrations)
  return {
    definition: (name) => definitions.get(name).catch(ignoreAbsence),
    migration: (name) => migrations.get(name).catch(ignoreAbsence),
    create: (migration) => migrations.create(migration),
    remove: (name) => migrations.delete(name).catch(ignoreAbsence),
    follow: (name) => follow(migrations, name),
  }
}

/** A watch that ends or breaks is taken up again with what is there by then. */
async function* follow(migrations: ResourceClient<StorageVersionMigration>, name: string) {
  for (;;) {
    const now = await migrations.get(name).catch(ignoreAbsence)
    if (!now) return
    yield now
    const { resourceVersion } = now.metadata
    try {
      for await (const { type, object } of migrations.watch({
        fieldSelector: `metadata.name=${name}`,
        resourceVersion,
      })) {
        if (type === 'DELETED') return
        yield object
      }
    } catch (error) {
      if (!isExpired(error) && !isConnectionError(error)) throw error
    }
  }
}

/** @throws UsageError for a name that no definition has */
function chosen(all: readonly CustomResourceDefinition[], names: readonly string[]): CustomResourceDefinition[] {
  if (names.length === 0) return all.filter(({ status }) => (status?.storedVersions ?? []).length > 1)
  return names.map((name) => {
    const found = all.find(({ metadata }) => metadata.name === name)
    if (!found)
      throw new UsageError(
        `there is no CustomResourceDefinition ${JSON.stringify(name)}: built-in kinds are stored in one version`,
      )
    return found
  })
}
