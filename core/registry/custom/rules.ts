import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '#apis/meta/v1/field-error.ts'
import { dns1035LabelFaults, dnsSubdomainFaults } from '#apis/meta/v1/names.ts'
import type { Rules } from '#apis/meta/v1/rules.ts'
import { validateStructural } from '#core/schema/structural.ts'
import type { JsonSchema } from '../resource.ts'

/** Holds a deleted CRD until its objects are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/**
 * What a CustomResourceDefinition must be.
 * @see https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
 */
export const customResourceDefinitionRules: Rules<CustomResourceDefinition> = {
  default(crd) {
    const { names } = crd.spec
    if (!names || typeof names !== 'object' || typeof names.kind !== 'string') return
    names.singular ||= names.kind.toLowerCase()
    names.listKind ||= `${names.kind}List`
    crd.spec.conversion ??= { strategy: 'None' }
  },
  prepareCreate(crd) {
    const { metadata, spec } = crd
    metadata.finalizers = [...(metadata.finalizers ?? []).filter((one) => one !== cleanupFinalizer), cleanupFinalizer]
    const stored = (spec.versions ?? []).filter((version) => version.storage).map((version) => version.name)
    crd.status = {
      conditions: [],
      acceptedNames: { plural: '', kind: '' },
      storedVersions: stored,
    }
  },
  prepareUpdate(crd, _old, subresource) {
    if (subresource !== '') return
    const storage = crd.spec.versions.find((version) => version.storage)?.name
    const stored = crd.status?.storedVersions ?? []
    if (storage && crd.status && !stored.includes(storage)) crd.status.storedVersions = [...stored, storage]
  },
  validate(crd) {
    return [...validateName(crd), ...validateNames(crd), ...validateVersions(crd), ...validateConversion(crd)]
  },
  validateUpdate(crd, old, subresource) {
    if (subresource !== '') return []
    const errors: FieldError[] = []
    if (crd.spec.group !== old.spec.group) errors.push(immutable('spec.group', crd.spec.group))
    if (crd.spec.scope !== old.spec.scope) errors.push(immutable('spec.scope', crd.spec.scope))
    if (crd.spec.names.plural !== old.spec.names.plural)
      errors.push(immutable('spec.names.plural', crd.spec.names.plural))
    if (crd.spec.names.kind !== old.spec.names.kind) errors.push(immutable('spec.names.kind', crd.spec.names.kind))
    return [...errors, ...validateStoredVersions(crd)]
  },
}

const immutable = (field: string, value: unknown) => invalid(field, value, 'field is immutable')

function validateName({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const want = `${spec.names?.plural}.${spec.group}`
  if (metadata.name === want) return []
  return [invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`)]
}

function validateNames({ spec }: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  const check = (field: string, value: string | undefined, rule: (value: string) => string[]) => {
    if (!value) errors.push(required(field))
    else for (const detail of rule(value)) errors.push(invalid(field, value, detail))
  }
  check('spec.group', spec.group, dnsSubdomainFaults)
  if (spec.group && !spec.group.includes('.')) {
    errors.push(invalid('spec.group', spec.group, 'should be a domain with at least one dot'))
  }
  const { names } = spec
  check('spec.names.plural', names?.plural, dns1035LabelFaults)
  check('spec.names.singular', names?.singular, dns1035LabelFaults)
  check('spec.names.kind', names?.kind, (kind) => dns1035LabelFaults(kind.toLowerCase()))
  check('spec.names.listKind', names?.listKind, (kind) => dns1035LabelFaults(kind.toLowerCase()))
  if (names?.kind && names.kind === names.listKind) {
    errors.push(invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  }
  names?.shortNames?.forEach((name, at) => {
    check(`spec.names.shortNames[${at}]`, name, dns1035LabelFaults)
  })
  names?.categories?.forEach((name, at) => {
    check(`spec.names.categories[${at}]`, name, dns1035LabelFaults)
  })
  return errors
}

function validateVersions({ spec }: CustomResourceDefinition): FieldError[] {
  const versions = spec.versions ?? []
  const errors: FieldError[] = []
  if (versions.length === 0) errors.push(required('spec.versions'))
  const storages = versions.filter((version) => version.storage).length
  if (storages !== 1) {
    errors.push(
      invalid(
        'spec.versions',
        versions.map((version) => version.name),
        'must have exactly one version marked as storage version',
      ),
    )
  }
  if (versions.length > 0 && !versions.some((version) => version.served)) {
    errors.push(
      invalid(
        'spec.versions',
        versions.map((version) => version.name),
        'must have at least one version marked as served version',
      ),
    )
  }
  if (new Set(versions.map((version) => version.name)).size !== versions.length) {
    errors.push(
      invalid(
        'spec.versions',
        versions.map((version) => version.name),
        'must contain unique version names',
      ),
    )
  }
  versions.forEach((version, at) => {
    errors.push(...validateVersion(version, `spec.versions[${at}]`))
  })
  return errors
}

type Version = CustomResourceDefinition['spec']['versions'][number]

function validateVersion(version: Version, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const detail of dns1035LabelFaults(version.name ?? ''))
    errors.push(invalid(`${path}.name`, version.name, detail))
  const schema = version.schema?.openAPIV3Schema as JsonSchema | undefined
  if (!schema) errors.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'))
  else {
    for (const error of validateStructural(schema)) {
      errors.push({ ...error, field: `${path}.schema.openAPIV3Schema${error.field ? `.${error.field}` : ''}` })
    }
  }
  if (version.deprecationWarning && !version.deprecated) {
    errors.push(forbidden(`${path}.deprecationWarning`, 'can only be set for deprecated versions'))
  }
  version.additionalPrinterColumns?.forEach((column, at) => {
    errors.push(...validateColumn(column, `${path}.additionalPrinterColumns[${at}]`))
  })
  errors.push(...validateScale(version, `${path}.subresources.scale`))
  return errors
}

const columnTypes = ['integer', 'number', 'string', 'boolean', 'date']

function validateColumn(column: { name: string; type: string; jsonPath: string }, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!column.name) errors.push(required(`${path}.name`))
  if (!column.type) errors.push(required(`${path}.type`, `must be one of ${columnTypes.join(',')}`))
  else if (!columnTypes.includes(column.type)) errors.push(notSupported(`${path}.type`, column.type, columnTypes))
  if (!column.jsonPath) errors.push(required(`${path}.jsonPath`))
  else if (!column.jsonPath.startsWith('.'))
    errors.push(invalid(`${path}.jsonPath`, column.jsonPath, 'must be a simple json path starting with .'))
  return errors
}

const simplePath = /^(\.[A-Za-z_][A-Za-z0-9_-]*)+$/

function validateScale({ subresources }: Version, path: string): FieldError[] {
  const scale = subresources?.scale
  if (!scale) return []
  const errors: FieldError[] = []
  const check = (field: string, value: string | undefined, root: string) => {
    if (!value) errors.push(required(`${path}.${field}`))
    else if (!simplePath.test(value))
      errors.push(invalid(`${path}.${field}`, value, 'must be a json path without arrays'))
    else if (!value.startsWith(root))
      errors.push(invalid(`${path}.${field}`, value, `should be a json path under ${root}`))
  }
  check('specReplicasPath', scale.specReplicasPath, '.spec.')
  check('statusReplicasPath', scale.statusReplicasPath, '.status.')
  if (scale.labelSelectorPath) {
    const { labelSelectorPath: selector } = scale
    if (!simplePath.test(selector) || !/^\.(spec|status)\./.test(selector)) {
      errors.push(invalid(`${path}.labelSelectorPath`, selector, 'should be a json path under either .spec or .status'))
    }
  }
  return errors
}

function validateConversion({ spec }: CustomResourceDefinition): FieldError[] {
  const strategy = spec.conversion?.strategy
  if (strategy === undefined || strategy === 'None') return []
  if (strategy !== 'Webhook') return [notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])]
  return [forbidden('spec.conversion.strategy', 'Webhook conversion is not served by this version: use None')]
}

function validateStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const known = new Set(spec.versions.map((version) => version.name))
  return (status?.storedVersions ?? []).flatMap((version, at) =>
    known.has(version)
      ? []
      : [
          invalid(
            `status.storedVersions[${at}]`,
            version,
            'missing from spec.versions; must remain in spec.versions until objects are migrated',
          ),
        ],
  )
}
