import { labelSelectorErrors, nonEmpty, optionalFaults, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { dnsLabelFaults, dnsSubdomainFaults } from '../../meta/v1/names.ts'
import { canonicalQuantity } from '../../meta/v1/quantity.ts'
import { validateAnnotations, validateLabels } from '../../meta/v1/validate-object-meta.ts'
import type { Quantity } from '../../meta/v1/zz_generated.types.ts'
import { amountOf } from './validate-resources.ts'
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from './zz_generated.types.ts'

/** Errors of what a claim asks for; also in the templates of StatefulSets and of ephemeral volumes. */
export function claimSpecErrors(field: string, spec: PersistentVolumeClaimSpec | undefined): FieldError[] {
  const { accessModes, selector, resources, storageClassName, volumeAttributesClassName, dataSource, dataSourceRef } =
    spec ?? {}
  return [
    ...labelSelectorErrors(`${field}.selector`, selector),
    ...accessModeErrors(`${field}.accessModes`, accessModes, 'at least 1 access mode is required'),
    ...storageErrors(`${field}.resources[storage]`, resources?.requests?.storage),
    ...optionalFaults(`${field}.storageClassName`, storageClassName, dnsSubdomainFaults),
    ...(dataSource ? dataSourceErrors(`${field}.dataSource`, dataSource) : []),
    ...(dataSourceRef ? dataSourceErrors(`${field}.dataSourceRef`, dataSourceRef) : []),
    ...(dataSource && dataSourceRef ? bothSourcesErrors(field, dataSource, dataSourceRef) : []),
    ...optionalFaults(`${field}.volumeAttributesClassName`, volumeAttributesClassName, dnsSubdomainFaults),
  ]
}

export function claimTemplateErrors(field: string, template: PersistentVolumeClaimTemplate): FieldError[] {
  const { labels, annotations, ...others } = template.metadata ?? {}
  return [
    ...validateAnnotations(annotations ?? {}, `${field}.metadata.annotations`),
    ...validateLabels(labels ?? {}, `${field}.metadata.labels`),
    ...Object.entries(others)
      .filter(([, value]) => value !== undefined && value !== null && value !== '')
      .map(([name]) => forbidden(`${field}.metadata.${name}`, 'cannot be set')),
    ...claimSpecErrors(`${field}.spec`, template.spec),
  ]
}

export function accessModeErrors(field: string, modes: readonly string[] | undefined, detail = ''): FieldError[] {
  const errors = present(field, modes, detail)
  if (modes?.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod')) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'))
  }
  return errors
}

function storageErrors(field: string, quantity: Quantity | undefined): FieldError[] {
  if (quantity === undefined) return [required(field)]
  const amount = amountOf(quantity)
  if (!amount || amount.nano > 0n) return []
  return [invalid(field, canonicalQuantity(quantity), 'must be greater than zero')]
}

function dataSourceErrors(field: string, { name, kind, apiGroup, namespace }: TypedObjectReference): FieldError[] {
  return [
    ...nonEmpty(`${field}.name`, name),
    ...nonEmpty(`${field}.kind`, kind),
    ...(!apiGroup && kind && kind !== 'PersistentVolumeClaim'
      ? [invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
      : []),
    ...optionalFaults(`${field}.apiGroup`, apiGroup, dnsSubdomainFaults),
    ...optionalFaults(`${field}.namespace`, namespace, dnsLabelFaults),
  ]
}

function bothSourcesErrors(field: string, source: TypedObjectReference, ref: TypedObjectReference): FieldError[] {
  const at = `${field}.dataSource`
  if (ref.namespace) return [invalid(field, at, 'may not be specified when dataSourceRef.namespace is specified')]
  const isSame = source.kind === ref.kind && source.name === ref.name && source.apiGroup === ref.apiGroup
  return isSame ? [] : [invalid(field, at, 'must match dataSourceRef')]
}
