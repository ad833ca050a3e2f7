import { each, inRange, positive, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { pathSegmentFaults } from '../../meta/v1/names.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type {
  FlowSchema,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from './zz_generated.types.ts'

const leastFirst = 10_000

export const flowSchemaRules: Rules<FlowSchema> = {
  nameFaults: pathSegmentFaults,
  validate({ metadata, spec }) {
    if (!spec) return []
    const { matchingPrecedence: precedence, priorityLevelConfiguration: level, rules } = spec
    return [
      ...inRange('spec.matchingPrecedence', precedence, 1, leastFirst),
      ...(precedence === 1 && metadata.name !== 'exempt'
        ? [
            invalid(
              'spec.matchingPrecedence',
              precedence,
              "only the schema named 'exempt' may have matchingPrecedence 1",
            ),
          ]
        : []),
      ...(level ? present('spec.priorityLevelConfiguration.name', level.name, 'must reference a priority level') : []),
      ...each('spec.rules', rules, ruleErrors),
    ]
  },
}

function ruleErrors(
  field: string,
  { subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects,
): FieldError[] {
  return [
    ...(subjects?.length === 0 ? [required(`${field}.subjects`, 'subjects must contain at least one value')] : []),
    ...(resourceRules?.length || nonResourceRules?.length
      ? []
      : [required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty')]),
    ...each(`${field}.subjects`, subjects, (at, { kind, user, group, serviceAccount }) => {
      const given = { User: user, Group: group, ServiceAccount: serviceAccount }[kind]
      const name = kind === 'ServiceAccount' ? 'serviceAccount' : kind?.toLowerCase()
      return given || !kind ? [] : [required(`${at}.${name}`, `${name} is required when subject kind is '${kind}'`)]
    }),
  ]
}

export const priorityLevelConfigurationRules: Rules<PriorityLevelConfiguration> = {
  nameFaults: pathSegmentFaults,
  validate({ spec }) {
    const { type, limited, exempt } = spec ?? {}
    const errors: FieldError[] = []
    if (type === 'Exempt' && limited) {
      errors.push(forbidden('spec.limited', 'must be nil if the type is not Limited'))
    }
    if (type === 'Limited' && exempt) errors.push(forbidden('spec.exempt', 'must be nil if the type is Limited'))
    if (type === 'Limited' && !limited) errors.push(required('spec.limited', 'must not be empty when type is Limited'))
    const { limitResponse } = limited ?? {}
    const at = 'spec.limited.limitResponse.queuing'
    if (limitResponse?.type === 'Reject' && limitResponse.queuing) {
      errors.push(forbidden(at, 'must be nil if limited.limitResponse.type is not Limited'))
    }
    return [...errors, ...(limitResponse?.queuing ? queuingErrors(at, limitResponse.queuing) : [])]
  },
}

function queuingErrors(field: string, { queues, handSize, queueLengthLimit }: QueuingConfiguration): FieldError[] {
  return [
    ...positive(`${field}.queueLengthLimit`, queueLengthLimit, 'must be positive'),
    ...positive(`${field}.queues`, queues, 'must be positive'),
    ...positive(`${field}.handSize`, handSize, 'must be positive'),
    ...(handSize !== undefined && queues !== undefined && handSize > queues
      ? [invalid(`${field}.handSize`, handSize, `should not be greater than queues (${queues})`)]
      : []),
  ]
}

export const flowControlRules = new Map<string, unknown>([
  ['flowcontrol.apiserver.k8s.io/flowschemas', flowSchemaRules],
  ['flowcontrol.apiserver.k8s.io/prioritylevelconfigurations', priorityLevelConfigurationRules],
]) as ReadonlyMap<string, Rules>
