import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from '#apis/apiextensions/v1/zz_generated.types.ts'
import { type FieldError, invalid, required } from '#apis/meta/v1/field-error.ts'
import { dns1035LabelFaults, dnsSubdomainFaults } from '#apis/meta/v1/names.ts'
import { extensionErrors } from '#core/constraints/extensions.ts'
import { equalJson } from '#core/schema/json.ts'
import { checkRules } from '#core/schema/rules/check.ts'
import type { Ratchet, SchemaFault } from '#core/schema/schema-places.ts'
import { judgeSchema } from '#core/schema/structural.ts'
import type { JsonSchema } from '../resource.ts'
import { conversionErrors } from './conversion-rules.ts'
import {
  columnErrors,
  deprecationFaults,
  maxSelectableFields,
  selectableErrors,
  subresourceErrors,
} from './version-errors.ts'

/**
 * What the spec of a CustomResourceDefinition must be. What all versions have in common, Kubernetes tells once and at the
 * place it had in an older form of definitions: `spec.validation.openAPIV3Schema`, `spec.additionalPrinterColumns`.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
 */

type Spec = CustomResourceDefinition['spec']
type Version = CustomResourceDefinitionVersion

/** @param old before an update: of what later releases came to refuse, it may keep what it had */
export function specErrors(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const { spec } = crd
  const places = new Places(spec.versions ?? [])
  return [
    ...groupErrors(spec.group),
    ...missingSchemas(spec, old?.spec),
    ...versionErrors(spec, old?.spec, places),
    ...listErrors(spec.versions ?? []),
    ...namesErrors(spec.names, 'spec.names', true),
    ...sharedErrors(spec, old?.spec, places),
    ...conversionErrors(crd, old),
  ]
}

const joined = (field: string, value: string | undefined, faults: string[], before = ''): FieldError[] =>
  value && faults.length > 0 ? [invalid(field, value, before + faults.join(','))] : []

function groupErrors(group: string): FieldError[] {
  if (group === '') return [required('spec.group')]
  const errors = group === undefined ? [] : joined('spec.group', group, dnsSubdomainFaults(group))
  if (errors.length > 0 || group?.includes('.') !== false) return errors
  return [invalid('spec.group', group, 'should be a domain with at least one dot')]
}

/** @param areRequired in a spec, unlike in the status that tells which names were accepted */
export function namesErrors(
  names: CustomResourceDefinitionNames | undefined,
  path: string,
  areRequired: boolean,
): FieldError[] {
  if (!names) return []
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names
  const named = { plural, singular, kind, listKind }
  const missing = Object.entries(named).filter(([, value]) => value === '' && areRequired)
  const mixed = 'may have mixed case, but should otherwise match: '
  const labels = (field: string, values: readonly string[]) =>
    values.flatMap((value, at) => {
      const faults = dns1035LabelFaults(value)
      return faults.length > 0 ? [invalid(`${path}.${field}[${at}]`, value, faults.join(','))] : []
    })
  return [
    ...missing.map(([name]) => required(`${path}.${name}`)),
    ...joined(`${path}.plural`, plural, dns1035LabelFaults(plural ?? '')),
    ...joined(`${path}.singular`, singular, dns1035LabelFaults(singular ?? '')),
    ...joined(`${path}.kind`, kind, dns1035LabelFaults((kind ?? '').toLowerCase()), mixed),
    ...joined(`${path}.listKind`, listKind, dns1035LabelFaults((listKind ?? '').toLowerCase()), mixed),
    ...labels('shortNames', shortNames),
    ...(kind && kind === listKind
      ? [invalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same')]
      : []),
    ...labels('categories', categories),
  ]
}

const schemaOf = (version: Version | undefined) => version?.schema?.openAPIV3Schema as JsonSchema | undefined

function missingSchemas({ versions = [] }: Spec, old: Spec | undefined): FieldError[] {
  const wereMissing = old?.versions.some((version) => !schemaOf(version)) === true
  return versions.flatMap((version, at) => {
    if (schemaOf(version) || (wereMissing && !version.served)) return []
    const field = `spec.versions[${at}].schema.openAPIV3Schema`
    return [required(field, wereMissing ? 'because otherwise all fields are pruned' : '')]
  })
}

/** Where Kubernetes tells the faults of what versions say: of what they all say alike, once and for all. */
class Places {
  readonly schema: boolean
  readonly subresources: boolean
  readonly columns: boolean
  readonly selectable: boolean

  constructor(versions: readonly Version[]) {
    const [first, ...others] = versions
    const isShared = (what: (version: Version) => unknown) =>
      others.every((version) => equalJson(what(version) ?? null, what(first!) ?? null))
    this.schema = isShared((version) => version.schema)
    this.subresources = isShared((version) => version.subresources)
    this.columns = isShared((version) => version.additionalPrinterColumns)
    this.selectable = this.schema && isShared((version) => version.selectableFields)
  }
}

function versionErrors({ versions = [], scope }: Spec, old: Spec | undefined, places: Places): FieldError[] {
  return versions.flatMap((version, at) => {
    const path = `spec.versions[${at}]`
    const { name, deprecated, deprecationWarning: warning } = version
    const faults = name === undefined ? [] : dns1035LabelFaults(name)
    return [
      ...(faults.length > 0 ? [invalid(`${path}.name`, name, faults.join(','))] : []),
      ...deprecationFaults(deprecated, warning).map((fault) => invalid(`${path}.deprecationWarning`, warning, fault)),
      ...(places.schema ? [] : schemaErrors(version, old, `${path}.schema.openAPIV3Schema`, scope)),
      ...(places.subresources ? [] : subresourceErrors(version.subresources, `${path}.subresources`)),
      ...(places.columns ? [] : allColumnErrors(version, path)),
      ...(places.selectable ? [] : selectedErrors(version, old, path)),
    ]
  })
}

/** The faults of what all versions say alike. */
function sharedErrors(spec: Spec, old: Spec | undefined, places: Places): FieldError[] {
  const [version] = spec.versions ?? []
  if (!version) return []
  const hasStatus = spec.versions.some(({ subresources }) => subresources?.status)
  const withStatus = hasStatus ? { ...version, subresources: { ...version.subresources, status: {} } } : version
  return [
    ...(places.schema ? schemaErrors(withStatus, old, 'spec.validation.openAPIV3Schema', spec.scope) : []),
    ...(places.subresources ? subresourceErrors(version.subresources, 'spec.subresources') : []),
    ...(places.columns ? allColumnErrors(version, 'spec') : []),
    ...(places.selectable ? selectedErrors(version, old, 'spec') : []),
  ]
}

function listErrors(versions: readonly Version[]): FieldError[] {
  const field = 'spec.versions'
  const names = versions.map(({ name }) => name)
  const errors: FieldError[] = []
  if (new Set(names).size < names.length) errors.push(invalid(field, names, 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalid(field, names, 'must have exactly one version marked as storage version'))
  }
  const [first] = names
  return [...errors, ...joined('spec.version', first, dns1035LabelFaults(first ?? ''))]
}

const allColumnErrors = ({ additionalPrinterColumns: columns = [] }: Version, path: string) =>
  columns.flatMap((column, at) => columnErrors(column, `${path}.additionalPrinterColumns[${at}]`))

function selectedErrors(version: Version, old: Spec | undefined, path: string): FieldError[] {
  const { name, selectableFields: fields = [] } = version
  if (fields.length === 0) return []
  const before = old?.versions.find((one) => one.name === name)?.selectableFields ?? []
  const mayBeMany = before.length > maxSelectableFields && equalJson(before, fields)
  return selectableErrors(fields, schemaOf(version), `${path}.selectableFields`, mayBeMany)
}

function schemaErrors(version: Version, old: Spec | undefined, path: string, scope: Spec['scope']): FieldError[] {
  const schema = schemaOf(version)
  if (!schema) return []
  const hasStatus = version.subresources?.status !== undefined
  const { errors, isStructural } = judgeSchema(schema, path, hasStatus)
  const kept = ratcheted(errors, old)
  if (!isStructural || kept.length > 0) return kept
  const before = schemaOf(old?.versions.find((one) => one.name === version.name))
  const extensions = extensionErrors(schema, { namespaced: scope === 'Namespaced' })
  return [
    ...checkRules(schema, path, before),
    ...extensions.map((error) => ({ ...error, field: error.field ? `${path}.${error.field}` : path })),
  ]
}

/** The faults without those of a kind that the definition had before. */
function ratcheted(errors: readonly SchemaFault[], old: Spec | undefined): SchemaFault[] {
  if (!old || !errors.some(({ ratchet }) => ratchet)) return [...errors]
  const had = new Set<Ratchet | undefined>(
    old.versions.flatMap((version) => {
      const schema = schemaOf(version)
      return schema ? judgeSchema(schema, '', false).errors.map(({ ratchet }) => ratchet) : []
    }),
  )
  return errors.filter(({ ratchet }) => !ratchet || !had.has(ratchet))
}
