import { immutable, nonEmpty } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid } from '../../meta/v1/field-error.ts'
import { dns1035LabelFaults, dnsSubdomainFaults } from '../../meta/v1/names.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { StorageVersionMigration } from './zz_generated.types.ts'

/** A migration is of one resource for ever, and what has ended stays so. */
export const storageVersionMigrationRules: Rules<StorageVersionMigration> = {
  validate({ spec }) {
    // Absent where the schema has told of it.
    const { group = '', resource } = spec.resource ?? {}
    const field = 'spec.resource.resource'
    return [
      ...nonEmpty(field, resource, 'resource is required to be set'),
      ...joined(field, resource, dns1035LabelFaults),
      ...joined('spec.resource.group', group, dnsSubdomainFaults),
    ]
  },
  validateUpdate: (migration, old, subresource) =>
    subresource === 'status' ? statusErrors(migration, old) : immutable('spec', migration.spec, old.spec),
}

/** All faults of a value in one error; neither absence nor the empty text is one. */
function joined(field: string, value: string | undefined, faultsOf: (value: string) => string[]): FieldError[] {
  const faults = value ? faultsOf(value) : []
  return faults.length > 0 ? [invalid(field, value, faults.join(','))] : []
}

function statusErrors(migration: StorageVersionMigration, old: StorageVersionMigration): FieldError[] {
  const { conditions, resourceVersion = '' } = migration.status ?? {}
  const before = old.status?.resourceVersion
  const isSuccessful = isTrue(migration, 'Succeeded')
  const isFailed = isTrue(migration, 'Failed')
  const isRunning = isTrue(migration, 'Running')
  const mistakes = [
    isSuccessful && isFailed && 'Both success and failed conditions cannot be true at the same time',
    isSuccessful && isRunning && 'Running condition cannot be true when success condition is true',
    isFailed && isRunning && 'Running condition cannot be true when failed condition is true',
    !isSuccessful && isTrue(old, 'Succeeded') && 'Success condition cannot be set to false once it is true',
    !isFailed && isTrue(old, 'Failed') && 'Failed condition cannot be set to false once it is true',
  ]
  return [
    ...versionErrors('status.resourceVersion', resourceVersion),
    ...(before ? immutable('status.resourceVersion', resourceVersion, before) : []),
    ...mistakes.filter((one) => one !== false).map((one) => invalid('status.conditions', conditions ?? [], one)),
  ]
}

function versionErrors(field: string, version: string): FieldError[] {
  if (version === '' || /^[1-9][0-9]*$/.test(version)) return []
  return [invalid(field, version, `resource version is not well formed: ${version}`)]
}

const isTrue = ({ status }: StorageVersionMigration, type: string): boolean =>
  status?.conditions?.some((one) => one.type === type && one.status === 'True') === true

export const storageMigrationRules = new Map<string, unknown>([
  ['storagemigration.k8s.io/storageversionmigrations', storageVersionMigrationRules],
]) as ReadonlyMap<string, Rules>
