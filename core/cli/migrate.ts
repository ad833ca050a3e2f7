import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connect, loadKubeconfig } from '@keelson/client'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { type MigrationApi, Migrator } from './migration.ts'
import { ProgressLine } from './progress.ts'
import type { Command } from './run.ts'
import { describeError } from './run-until-signal.ts'
import { UsageError } from './usage-error.ts'

const help = `usage: keelson migrate [RESOURCE.GROUP ...] [flags]

Rewrites the objects of custom resources in the version that their definitions store today, so that versions that are no
longer needed can be removed from the definitions: afterwards status.storedVersions names that version only.

Without arguments it migrates every custom resource that may be stored in several versions. It can be ended at any time:
the next run goes on where it stopped. How far it has come is kept in StorageVersionMigration objects
("kubectl get storageversionmigrations").

  --kubeconfig FILE      of an administrator (default $KUBECONFIG, else ~/.keelson/admin.kubeconfig)
  --context NAME         of the kubeconfig
  --restart              begins at the first object, whatever an earlier run did
`

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'rewrites stored custom resources in the version of today',
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

const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

async function migrate({ names, kubeconfig, context, restart }: MigrateArguments): Promise<number> {
  await using client = connect(loadKubeconfig(kubeconfig, context))
  const { items } = await client.request<{ items: CustomResourceDefinition[] }>({ method: 'GET', path })
  const wanted = chosen(items, names)
  const progress = new ProgressLine()
  const migrator = new Migrator({ api: client as MigrationApi, progress, restart })
  if (wanted.length === 0) progress.say('every custom resource is stored in one version')
  for (const definition of wanted) await migrator.migrate(definition)
  return 0
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
