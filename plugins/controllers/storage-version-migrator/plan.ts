import type {
  CustomResourceDefinition,
  CustomResourceDefinitionStatus,
} from '@keelson/apis/apiextensions/v1/zz_generated.types.ts'
import type { Condition, StatusReason } from '@keelson/apis/meta/v1/types.ts'
import type {
  StorageVersionMigration,
  StorageVersionMigrationStatus,
} from '@keelson/apis/storagemigration/v1beta1/zz_generated.types.ts'
import { type DeepReadonly, type Discovery, findApiError, reasonOf, type ServedResource } from '@keelson/client'
import { findCondition, isConditionTrue, removeCondition, setCondition } from '@keelson/kit'

/** Decides what becomes of migrations. Reads nothing, writes nothing. */

export type Migration = DeepReadonly<StorageVersionMigration>
export type Definition = DeepReadonly<CustomResourceDefinition>

const longestMessage = 32_768

/** What migrations of the same resource have in common: of these one at a time is carried out. For a custom resource, the name of its definition. */
export const resourceKey = ({ spec }: Migration) => `${spec.resource.resource}.${spec.resource.group ?? ''}`

export const isRunning = ({ status }: Migration) => isConditionTrue(status?.conditions, 'Running')

export const isOver = ({ status }: Migration) =>
  isConditionTrue(status?.conditions, 'Succeeded') || isConditionTrue(status?.conditions, 'Failed')

/** The one of a resource's migrations to be carried out: the one under way, else the oldest that waits. */
export function nextOf(migrations: readonly Migration[]): Migration | undefined {
  const open = migrations.filter((one) => !isOver(one))
  return open.find(isRunning) ?? open.sort(byAge)[0]
}

function byAge(a: Migration, b: Migration): number {
  const order = ({ metadata }: Migration) => `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`
  return order(a) < order(b) ? -1 : 1
}

const neededVerbs = ['update', 'patch', 'list']

export type Target = { resource: ServedResource } | { failure: string }

/**
 * Where the objects of a migration are read and written: in the version they are stored in, for then nothing is converted
 * twice, or in the preferred one where that is not served or not known.
 * @throws Error when it cannot be told, because the group does not answer
 */
export function targetOf({ spec }: Migration, { resources, failed }: Discovery, definition?: Definition): Target {
  const { group = '', resource } = spec.resource
  const storage = definition && storageVersionOf(definition)
  const served = resources.filter((one) => one.group === group && one.resource === resource)
  const chosen = served.find(({ version }) => version === storage) ?? served.find(({ isPreferred }) => isPreferred)
  if (!chosen) {
    const silent = failed.find((groupVersion) => groupVersion.startsWith(`${group}/`))
    if (silent) throw new Error(`unable to retrieve the resources of ${silent}`)
    return { failure: 'resource does not exist in discovery' }
  }
  if (neededVerbs.every((verb) => chosen.verbs.includes(verb))) return { resource: chosen }
  const name = `${group}/${chosen.version}, Resource=${resource}`
  return { failure: `resource "${name}" does not support discovery operations: [${neededVerbs.join(' ')}]` }
}

export const storageVersionOf = ({ spec }: Definition) => spec.versions.find(({ storage }) => storage)?.name

/** The status of a migration that begins. @param resourceVersion of the resource's list then */
export function startedStatus(
  { status }: Migration,
  resourceVersion: string | undefined,
  now: string,
): StorageVersionMigrationStatus {
  const running = withRunning(status, 'The migration is running', now)
  return { ...running, resourceVersion: status?.resourceVersion || resourceVersion }
}

/** The status of a migration that is tried again because of `why`. */
export const delayedStatus = ({ status }: Migration, why: string, now: string): StorageVersionMigrationStatus =>
  withRunning(status, `The migration is running; it is tried again after: ${why}`, now)

function withRunning(status: Migration['status'], message: string, now: string): StorageVersionMigrationStatus {
  return {
    ...status,
    conditions: setCondition(status?.conditions, condition('Running', message, now), now) as Condition[],
  }
}

export function endedStatus(
  { status }: Migration,
  type: 'Succeeded' | 'Failed',
  message: string,
  now: string,
): StorageVersionMigrationStatus {
  const others = removeCondition(status?.conditions, 'Running') as Condition[]
  return { ...status, conditions: setCondition(others, condition(type, message, now), now) }
}

const reasons = {
  Running: 'MigrationRunning',
  Succeeded: 'StorageVersionMigrationSucceeded',
  Failed: 'StorageVersionMigrationFailed',
} as const

function condition(type: keyof typeof reasons, message: string, now: string): Condition {
  const text = message.slice(0, longestMessage)
  return { type, status: 'True', reason: reasons[type], message: text, lastTransitionTime: now }
}

/** What a Succeeded migration says. */
export function successOf(count: number, definition: Definition | undefined): string {
  const objects = count === 1 ? '1 object is' : `${count} objects are`
  return `${objects} stored in ${definition ? storageVersionOf(definition) : 'the storage version'}`
}

/**
 * The status of a definition whose objects begin to be migrated. It remembers the generation: what is written while a
 * later one was in force may be stored in another version.
 */
export function migratingDefinition(
  { metadata, status }: Definition,
  migration: string,
  now: string,
): Definition['status'] {
  return withMigrating(
    status,
    metadata.generation,
    'True',
    'MigrationRunning',
    `Migration ${migration} is running`,
    now,
  )
}

/**
 * The status of a definition whose objects have been migrated, or could not be. Only success lets other versions be
 * forgotten, and only when the definition is still the one of the beginning.
 * @returns undefined when no migration is under way, as when this has been done already
 */
export function migratedDefinition(definition: Definition, hasSucceeded: boolean, now: string): Definition['status'] {
  const { metadata, status } = definition
  const migrating = findCondition(status?.conditions, 'StorageMigrating')
  if (!status || migrating?.status !== 'True') return undefined
  const end = (reason: string, message: string, from = status) =>
    withMigrating(from, metadata.generation, 'False', reason, message, now)
  if (!hasSucceeded) return end('MigrationFailed', 'The migration has failed')
  const success = 'The migration has succeeded'
  if (migrating.observedGeneration !== metadata.generation)
    return end(
      'MigrationSucceeded',
      `${success} but the stored versions have not been updated due to a generation mismatch`,
    )
  return end('MigrationSucceeded', `${success} and the stored versions have been updated`, {
    ...status,
    storedVersions: [storageVersionOf(definition)!],
  })
}

function withMigrating(
  from: Definition['status'],
  observedGeneration: number | undefined,
  status: 'True' | 'False',
  reason: string,
  message: string,
  now: string,
): Definition['status'] {
  const made = { type: 'StorageMigrating', status, observedGeneration, reason, message }
  const conditions = setCondition((from as CustomResourceDefinitionStatus | undefined)?.conditions, made, now)
  return { ...(from as CustomResourceDefinitionStatus), conditions }
}

/** `Conflict`: the definition was edited at the same time. `NotFound`: the resource goes, and discovery soon says so. */
const passing: ReadonlySet<StatusReason | undefined> = new Set([
  'Conflict',
  'InternalError',
  'NotFound',
  'ServerTimeout',
  'ServiceUnavailable',
  'Timeout',
  'TooManyRequests',
] as const)

/** True of a failure that time may heal, as a broken connection is: the migration goes on later. Others end it. */
export const isPassing = (error: unknown): boolean => !findApiError(error) || passing.has(reasonOf(error))
