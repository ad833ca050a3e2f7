import { immutable } from '../../meta/v1/field-checks.ts'
import { required } from '../../meta/v1/field-error.ts'
import { ageColumn, column, integer, nameColumn, orNone, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { ControllerRevision } from './zz_generated.types.ts'

export const controllerRevisionRules: Rules<ControllerRevision> = {
  validate: ({ data }) => (data ? [] : [required('data', 'data is mandatory')]),
  validateUpdate: ({ data }, old) => immutable('data', data, old.data),
  print: printer<ControllerRevision>(
    nameColumn,
    column('Controller', ({ metadata }) => orNone(controllerText(metadata.ownerReferences))),
    integer('Revision', ({ revision }) => revision),
    ageColumn,
  ),
}

function controllerText(owners: ControllerRevision['metadata']['ownerReferences']): string | undefined {
  const owner = owners?.find(({ controller }) => controller)
  if (!owner) return undefined
  const [group] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
  const kind = owner.kind.toLowerCase()
  return group ? `${kind}.${group}/${owner.name}` : `${kind}/${owner.name}`
}
