import { isSame } from '../../meta/v1/equality.ts'
import { each, labelSelectorErrors, named, nonEmpty, present } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, required, tooMany } from '../../meta/v1/field-error.ts'
import { dns1035LabelFaults, dnsSubdomainFaults, labelKeyFaults, pathSegmentFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { KubeObject } from '../../meta/v1/types.ts'
import { operationRuleErrors, unsupported } from './operation-rules.ts'
import type {
  AuditAnnotation,
  MatchCondition,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
  Variable,
} from './zz_generated.types.ts'

/** The rules of policies and their bindings, except what only who knows CEL can say of their expressions. */

const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const mutatingOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE']
const maxMatchConditions = 64
const maxAuditAnnotations = 20
const maxValueExpressionBytes = 5 * 1024

/** Kinds without a status count their generations, too. */
const generations = {
  prepareCreate({ metadata }) {
    metadata.generation = 1
  },
  changesGeneration: ({ spec }, old) => !isSame(spec, old.spec),
} satisfies Rules<KubeObject & { spec?: unknown }>

export const validatingAdmissionPolicyRules: Rules<ValidatingAdmissionPolicy> = {
  validate({ metadata, spec = {} }) {
    const { validations, auditAnnotations } = spec
    return [
      ...paramKindErrors('spec.paramKind', spec.paramKind),
      ...matchConstraintsErrors(spec.matchConstraints),
      ...matchConditionsErrors(spec.matchConditions),
      ...each('spec.variables', spec.variables, variableErrors),
      ...(validations?.length || auditAnnotations?.length ? [] : nothingToSay()),
      ...each('spec.validations', validations, validationErrors),
      ...auditAnnotationsErrors(auditAnnotations, metadata.name ?? ''),
    ]
  },
  print: printer<ValidatingAdmissionPolicy>(
    nameColumn,
    integer('Validations', ({ spec }) => spec?.validations?.length ?? 0),
    column('ParamKind', ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ),
}

export const mutatingAdmissionPolicyRules: Rules<MutatingAdmissionPolicy> = {
  ...generations,
  validate: ({ spec = {} }) => [
    ...paramKindErrors('spec.paramKind', spec.paramKind),
    ...matchConstraintsErrors(spec.matchConstraints),
    ...mutatingOperationErrors('spec.matchConstraints', spec.matchConstraints),
    ...matchConditionsErrors(spec.matchConditions),
    ...each('spec.variables', spec.variables, variableErrors),
    ...present('spec.mutations', spec.mutations, 'mutations must contain at least one item'),
    ...each('spec.mutations', spec.mutations, mutationErrors),
    ...present('spec.reinvocationPolicy', spec.reinvocationPolicy),
  ],
  print: printer<MutatingAdmissionPolicy>(
    nameColumn,
    integer('Mutations', ({ spec }) => spec?.mutations?.length ?? 0),
    column('ParamKind', ({ spec }) => paramKindText(spec?.paramKind)),
    ageColumn,
  ),
}

export const validatingAdmissionPolicyBindingRules: Rules<ValidatingAdmissionPolicyBinding> = {
  ...generations,
  validate({ spec }) {
    if (!spec) return []
    const { validationActions: actions } = spec
    return [
      ...bindingErrors(spec),
      ...(actions?.includes('Deny') && actions.includes('Warn')
        ? [
            invalid(
              'spec.validationActions',
              actions,
              'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
            ),
          ]
        : []),
      ...(actions?.length === 0
        ? [required('spec.validationActions', 'at least one validation action is required')]
        : []),
    ]
  },
  print: printer<ValidatingAdmissionPolicyBinding>(
    nameColumn,
    column('PolicyName', ({ spec }) => spec.policyName),
    column('ParamRef', ({ spec }) => paramRefText(spec.paramRef)),
    ageColumn,
  ),
}

export const mutatingAdmissionPolicyBindingRules: Rules<MutatingAdmissionPolicyBinding> = {
  ...generations,
  validate: ({ spec = {} }) => [
    ...present('spec.policyName', spec.policyName),
    ...bindingErrors(spec),
    ...mutatingOperationErrors('spec.matchResources', spec.matchResources),
  ],
  print: printer<MutatingAdmissionPolicyBinding>(
    nameColumn,
    column('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    column('ParamRef', ({ spec }) => paramRefText(spec?.paramRef)),
    ageColumn,
  ),
}

function bindingErrors(spec: {
  policyName?: string
  paramRef?: ParamRef
  matchResources?: MatchResources
}): FieldError[] {
  const { policyName, paramRef, matchResources } = spec
  return [
    ...(policyName
      ? named('spec.policyName', policyName, dnsSubdomainFaults)
      : nonEmpty('spec.policyName', policyName)),
    ...(paramRef ? paramRefErrors('spec.paramRef', paramRef) : []),
    ...(matchResources ? matchResourcesErrors('spec.matchResources', matchResources) : []),
  ]
}

function paramKindErrors(field: string, kind: ParamKind | undefined): FieldError[] {
  if (!kind) return []
  return [
    ...(kind.apiVersion ? apiVersionErrors(`${field}.apiVersion`, kind.apiVersion) : [required(`${field}.apiVersion`)]),
    ...(kind.kind ? kindErrors(`${field}.kind`, kind.kind) : [required(`${field}.kind`)]),
  ]
}

function apiVersionErrors(field: string, apiVersion: string): FieldError[] {
  const parts = apiVersion.split('/')
  if (parts.length > 2) return [invalid(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const version = parts.pop()!
  const group = parts.pop() ?? ''
  const groupFaults = group === '' ? [] : dnsSubdomainFaults(group)
  const versionFaults = version === '' ? [] : dns1035LabelFaults(version)
  return [
    ...(groupFaults.length > 0 ? [invalid(field, group, groupFaults.join(','))] : []),
    ...(version === '' ? [invalid(field, apiVersion, 'version must be specified')] : []),
    ...(versionFaults.length > 0 ? [invalid(field, version, versionFaults.join(','))] : []),
  ]
}

function kindErrors(field: string, kind: string): FieldError[] {
  const faults = dns1035LabelFaults(kind.toLowerCase())
  if (faults.length === 0) return []
  return [invalid(field, kind, `may have mixed case, but should otherwise match: ${faults.join(',')}`)]
}

function matchConstraintsErrors(match: MatchResources | undefined): FieldError[] {
  const field = 'spec.matchConstraints'
  if (!match) return [required(field)]
  return [...matchResourcesErrors(field, match), ...present(`${field}.resourceRules`, match.resourceRules)]
}

function matchResourcesErrors(field: string, match: MatchResources): FieldError[] {
  return [
    ...labelSelectorErrors(`${field}.namespaceSelector`, match.namespaceSelector),
    ...labelSelectorErrors(`${field}.objectSelector`, match.objectSelector),
    ...each(`${field}.resourceRules`, match.resourceRules, namedRuleErrors),
    ...each(`${field}.excludeResourceRules`, match.excludeResourceRules, namedRuleErrors),
  ]
}

function namedRuleErrors(field: string, rule: NamedRuleWithOperations): FieldError[] {
  const { resourceNames = [] } = rule
  return [
    ...each(`${field}.resourceNames`, resourceNames, (at, name, index) => [
      ...pathSegmentFaults(name).map((fault) => invalid(at, name, fault)),
      ...(resourceNames.indexOf(name) < index ? [duplicate(at, name)] : []),
    ]),
    ...operationRuleErrors(field, rule),
    ...each(`${field}.operations`, rule.operations, (at, one) => unsupported(at, one, operations)),
  ]
}

/** What is deleted cannot be changed. */
function mutatingOperationErrors(field: string, match: MatchResources | undefined): FieldError[] {
  const operations = match?.resourceRules?.flatMap((rule) => rule.operations ?? []) ?? []
  return operations.flatMap((one) => unsupported(`${field}.resourceRules.operations`, one, mutatingOperations))
}

function matchConditionsErrors(conditions: readonly MatchCondition[] = []): FieldError[] {
  const field = 'spec.matchConditions'
  return [
    ...(conditions.length > maxMatchConditions ? [tooMany(field, conditions.length, maxMatchConditions)] : []),
    ...each(field, conditions, (at, { name, expression }, index) => [
      ...nonEmpty(`${at}.expression`, expression?.trim()),
      ...(name
        ? labelKeyFaults(name).map((fault) => invalid(`${at}.name`, name, fault))
        : nonEmpty(`${at}.name`, name)),
      ...(name && conditions.findIndex((one) => one.name === name) < index ? [duplicate(`${at}.name`, name)] : []),
    ]),
  ]
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

function variableErrors(field: string, { name, expression }: Variable): FieldError[] {
  return [
    ...nonEmpty(`${field}.name`, name?.trim(), 'name is not specified'),
    ...(name?.trim() && (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || reserved.has(name))
      ? [invalid(`${field}.name`, name, 'name is not a valid CEL identifier')]
      : []),
    ...nonEmpty(`${field}.expression`, expression?.trim(), 'expression is not specified'),
  ]
}

function nothingToSay(): FieldError[] {
  const why = 'validations or auditAnnotations must contain at least one item'
  return [required('spec.validations', why), required('spec.auditAnnotations', why)]
}

function validationErrors(field: string, validation: Validation): FieldError[] {
  const { expression, message, messageExpression, reason } = validation
  return [
    ...nonEmpty(`${field}.expression`, expression?.trim(), 'expression is not specified'),
    ...(messageExpression && messageExpression.trim() === ''
      ? [invalid(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified')]
      : []),
    ...(message ? messageErrors(`${field}.message`, message) : []),
    ...unsupported(`${field}.reason`, reason, reasons),
  ]
}

function messageErrors(field: string, message: string): FieldError[] {
  if (message.trim() === '') return [invalid(field, message, 'message must be non-empty if specified')]
  return /[\n\r]/.test(message.trim()) ? [invalid(field, message, 'message must not contain line breaks')] : []
}

function auditAnnotationsErrors(annotations: readonly AuditAnnotation[] = [], policyName: string): FieldError[] {
  const field = 'spec.auditAnnotations'
  const isCrowded = annotations.length > maxAuditAnnotations
  return [
    ...(isCrowded
      ? [invalid(field, annotations, `must not have more than ${maxAuditAnnotations} auditAnnotations`)]
      : []),
    ...each(field, annotations, (at, { key, valueExpression }, index) => [
      ...annotationKeyErrors(`${at}.key`, key, policyName),
      ...valueExpressionErrors(`${at}.valueExpression`, valueExpression?.trim()),
      ...(annotations.findIndex((one) => one.key === key) < index ? [duplicate(`${at}.key`, key)] : []),
    ]),
  ]
}

function annotationKeyErrors(field: string, key: string, policyName: string): FieldError[] {
  if (policyName === '') return [invalid(field, key, 'requires metadata.name be non-empty')]
  const whole = `${policyName}/${key}`
  return labelKeyFaults(whole).map((fault) => invalid(field, whole, fault))
}

function valueExpressionErrors(field: string, expression: string | undefined): FieldError[] {
  if (expression === '') return [required(field, 'valueExpression is not specified')]
  if (Buffer.byteLength(expression ?? '') <= maxValueExpressionBytes) return []
  return [required(field, `must not exceed ${maxValueExpressionBytes} bytes in length`)]
}

/** A mutation says what its type asks for and nothing else. */
function mutationErrors(field: string, mutation: Mutation): FieldError[] {
  if (mutation.patchType === 'JSONPatch') return unionErrors(field, mutation, 'jsonPatch', 'applyConfiguration')
  if (mutation.patchType !== 'ApplyConfiguration') return []
  return unionErrors(field, mutation, 'applyConfiguration', 'jsonPatch')
}

type Patch = 'jsonPatch' | 'applyConfiguration'

function unionErrors(field: string, mutation: Mutation, wanted: Patch, other: Patch): FieldError[] {
  const when = `when patchType is ${mutation.patchType}`
  const patch = mutation[wanted]
  return [
    ...(patch
      ? present(`${field}.${wanted}.expression`, patch.expression?.trim())
      : [required(`${field}.${wanted}`, `must be specified ${when}`)]),
    ...(mutation[other] ? [invalid(`${field}.${other}`, `{${other}}`, `must not be specified ${when}`)] : []),
  ]
}

function paramRefErrors(field: string, { name, selector, parameterNotFoundAction }: ParamRef): FieldError[] {
  const errors = name ? pathSegmentFaults(name).map((fault) => invalid(`${field}.name`, name, fault)) : []
  const why = 'name and selector are mutually exclusive'
  if (name && selector) errors.push(forbidden(`${field}.name`, why))
  errors.push(...labelSelectorErrors(`${field}.selector`, selector))
  if (name && selector) errors.push(forbidden(`${field}.selector`, why))
  if (!name && !selector) errors.push(required(field, 'one of name or selector must be specified'))
  if (!parameterNotFoundAction) errors.push(required(`${field}.parameterNotFoundAction`))
  return errors
}

const paramKindText = (kind: ParamKind | undefined) => (kind ? `${kind.apiVersion}/${kind.kind}` : '<unset>')

function paramRefText(ref: ParamRef | undefined): string {
  if (!ref) return '<unset>'
  if (ref.selector) return '*'
  return ref.namespace ? `${ref.namespace}/${ref.name}` : (ref.name ?? '')
}
