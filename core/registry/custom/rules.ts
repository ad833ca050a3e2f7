import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { type FieldError, invalid, required } from '#apis/meta/v1/field-error.ts'
import { createdColumn, nameColumn, printer } from '#apis/meta/v1/printing.ts'
import type { Rules } from '#apis/meta/v1/rules.ts'
import { approvalField, approvalOf } from './approval.ts'
import { isTrue, withCondition } from './conditions.ts'
import { namesErrors } from './definition-errors.ts'
import { judgedFormats, judgedSpecErrors } from './judged-specs.ts'

/** Holds a deleted CRD until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/**
 * What a CustomResourceDefinition must be, and what becomes of it on the way to the store.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
 */
export const customResourceDefinitionRules: Rules<CustomResourceDefinition> = {
  default(crd) {
    const { names } = crd.spec
    if (!names || typeof names !== 'object' || typeof names.kind !== 'string') return
    names.singular ||= names.kind.toLowerCase()
    if (names.kind) names.listKind ||= `${names.kind}List`
    crd.spec.conversion ??= { strategy: 'None' }
  },
  prepareCreate(crd) {
    crd.status = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] }
    storeVersion(crd)
  },
  prepareUpdate(crd, _old, subresource) {
    if (subresource === '') storeVersion(crd)
  },
  blocksRemoval: ({ metadata }) => metadata.deletionTimestamp === undefined,
  prepareDelete(crd) {
    const { metadata } = crd
    metadata.finalizers = [...(metadata.finalizers ?? []).filter((one) => one !== cleanupFinalizer), cleanupFinalizer]
    crd.status = withCondition(
      crd.status,
      'Terminating',
      true,
      'InstanceDeletionPending',
      'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      new Date(Date.parse(metadata.deletionTimestamp!)),
    )
  },
  validateCreate(crd) {
    return [
      ...nameErrors(crd),
      ...judgedSpecErrors(crd),
      ...statusErrors(crd),
      ...approvalErrors(crd),
      ...openErrors(crd),
    ]
  },
  validateUpdate(crd, old, subresource) {
    if (subresource !== '') return namesErrors(crd.status?.acceptedNames, 'status.acceptedNames', false)
    return [
      ...judgedSpecErrors(crd, old),
      ...immutableErrors(crd, old),
      ...statusErrors(crd),
      ...approvalErrors(crd, old),
      ...openErrors(crd, old),
    ]
  },
  print: printer<CustomResourceDefinition>(nameColumn, createdColumn),
  warnings({ spec }, old) {
    const known = new Set(old ? judgedFormats(old) : [])
    return judgedFormats({ spec })
      .filter((format) => !known.has(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`)
  },
}

/** What is stored from now on stays among the versions that may be found in the store. */
function storeVersion({ spec, status }: CustomResourceDefinition): void {
  const storage = spec.versions?.find((version) => version.storage)?.name
  const stored = status?.storedVersions ?? []
  if (storage && status && !stored.includes(storage)) status.storedVersions = [...stored, storage]
}

function nameErrors({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  if (metadata.name === `${spec.names?.plural}.${spec.group}`) return []
  return [invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')]
}

function immutableErrors({ spec }: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  const check = (field: string, value: unknown, before: unknown) => {
    if (value !== before) errors.push(invalid(field, value, 'field is immutable'))
  }
  if (isTrue(old.status, 'Established')) {
    check('spec.scope', spec.scope, old.spec.scope)
    check('spec.names.kind', spec.names?.kind, old.spec.names.kind)
  }
  check('spec.group', spec.group, old.spec.group)
  check('spec.names.plural', spec.names?.plural, old.spec.names.plural)
  return errors
}

function statusErrors({ spec, status }: CustomResourceDefinition): FieldError[] {
  const stored = status?.storedVersions ?? []
  const field = 'status.storedVersions'
  const errors = namesErrors(status?.acceptedNames, 'status.acceptedNames', false)
  if (stored.length === 0) return [...errors, invalid(field, stored, 'must have at least one stored version')]
  const versions = spec.versions ?? []
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name)) {
      errors.push(invalid(field, stored, `must have the storage version ${name}`))
    }
  }
  stored.forEach((version, at) => {
    if (versions.some(({ name }) => name === version)) return
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`
    errors.push(invalid(`${field}[${at}]`, version, detail))
  })
  return errors
}

function approvalErrors(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const approval = approvalOf(crd.spec.group, crd.metadata.annotations)
  if (!approval || (old && approvalOf(old.spec.group, old.metadata.annotations)?.state === approval.state)) return []
  const { state, value, message } = approval
  if (state === 'Missing') return [required(approvalField, message)]
  return state === 'Invalid' ? [invalid(approvalField, value, message)] : []
}

function openErrors({ spec }: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  if (!spec.preserveUnknownFields || old?.spec.preserveUnknownFields) return []
  const detail =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [invalid('spec.preserveUnknownFields', true, detail)]
}
