import { isSame } from '../../meta/v1/equality.ts'
import { each, inRange, positive, present } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { pathSegmentFaults } from '../../meta/v1/names.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { mandatoryLevelSpecs, mandatorySchemaSpecs } from './mandatory.ts'
import type {
  FlowSchema,
  LimitedPriorityLevelConfiguration,
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
      ...fixedErrors(metadata.name, spec, mandatorySchemaSpecs.get(metadata.name ?? '')),
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
  validate({ metadata, spec }) {
    const { type, limited, exempt } = spec ?? {}
    const errors: FieldError[] = []
    if (type && (type === 'Exempt') !== (metadata.name === 'exempt')) {
      errors.push(invalid('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"))
    }
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
    if (limitResponse?.type === 'Queue' && !limitResponse.queuing) {
      errors.push(required(at, 'must not be empty if limited.limitResponse.type is Limited'))
    }
    return [
      ...errors,
      ...(exempt ? shareErrors('spec.exempt', exempt) : []),
      ...(limited ? shareErrors('spec.limited', limited) : []),
      ...(limitResponse?.queuing ? queuingErrors(at, limitResponse.queuing) : []),
      ...fixedLevelErrors(metadata.name, spec),
    ]
  },
}

/** What the exempt level lends is for administrators to say. */
function fixedLevelErrors(
  name: string | undefined,
  spec: PriorityLevelConfiguration['spec'] | undefined,
): FieldError[] {
  const fixed = mandatoryLevelSpecs.get(name ?? '')
  return fixed && spec ? fixedErrors(name, spec, fixed.exempt ? { ...fixed, exempt: spec.exempt } : fixed) : []
}

function fixedErrors(name: string | undefined, spec: unknown, fixed: unknown): FieldError[] {
  if (fixed === undefined || isSame(spec, fixed)) return []
  return [invalid('spec', spec, `spec of '${name}' must equal the fixed value`)]
}

function shareErrors(
  field: string,
  { nominalConcurrencyShares: shares, lendablePercent, borrowingLimitPercent }: LimitedPriorityLevelConfiguration,
): FieldError[] {
  return [
    ...(shares !== undefined && shares < 0
      ? [invalid(`${field}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')]
      : []),
    ...inRange(`${field}.lendablePercent`, lendablePercent, 0, 100),
    ...(borrowingLimitPercent !== undefined && borrowingLimitPercent < 0
      ? [
          invalid(
            `${field}.borrowingLimitPercent`,
            borrowingLimitPercent,
            'if specified, must be a non-negative integer',
          ),
        ]
      : []),
  ]
}

const mostQueues = 10_000_000
/** A hand is dealt from a hash of so many bits. */
const hashBits = 60

function queuingErrors(field: string, { queues, handSize, queueLengthLimit }: QueuingConfiguration): FieldError[] {
  return [
    ...positive(`${field}.queueLengthLimit`, queueLengthLimit, 'must be positive'),
    ...positive(`${field}.queues`, queues, 'must be positive'),
    ...positive(`${field}.handSize`, handSize, 'must be positive'),
    ...(queues !== undefined && queues > mostQueues
      ? [invalid(`${field}.queues`, queues, `must not be greater than ${mostQueues}`)]
      : []),
    ...(handSize !== undefined && queues !== undefined ? handErrors(`${field}.handSize`, handSize, queues) : []),
  ]
}

function handErrors(field: string, handSize: number, queues: number): FieldError[] {
  if (handSize > queues) return [invalid(field, handSize, `should not be greater than queues (${queues})`)]
  // The number of hands: queues * (queues - 1) * ..., one factor for each card.
  let bits = 0
  for (let dealt = 0; dealt < handSize && bits <= hashBits; dealt++) bits += Math.log2(queues - dealt)
  if (Math.ceil(bits) <= hashBits) return []
  const needed = `required entropy bits of deckSize ${queues} and handSize ${handSize}`
  return [invalid(field, handSize, `${needed} should not be greater than ${hashBits}`)]
}

export const flowControlRules = new Map<string, unknown>([
  ['flowcontrol.apiserver.k8s.io/flowschemas', flowSchemaRules],
  ['flowcontrol.apiserver.k8s.io/prioritylevelconfigurations', priorityLevelConfigurationRules],
]) as ReadonlyMap<string, Rules>
