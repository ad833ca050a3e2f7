import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from '#apis/apiextensions/v1/zz_generated.types.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { ResourceDefinition } from '../resource.ts'
import { approvalOf } from './approval.ts'
import { isCertificates } from './conversion-rules.ts'

type Status = NonNullable<CustomResourceDefinition['status']>
type Condition = NonNullable<Status['conditions']>[number]
/** A condition as it should be, whenever it came to be so. */
type Verdict = Omit<Condition, 'lastTransitionTime'>

/** A name that another resource of the group already has. */
export interface NameConflict {
  reason: 'PluralConflict' | 'SingularConflict' | 'ShortNamesConflict' | 'KindConflict' | 'ListKindConflict'
  message: string
}

/**
 * @param definitions every resource of the group that is served, this one possibly among them
 * @returns one for each kind of name, in Kubernetes' order
 */
export function nameConflicts(
  crd: CustomResourceDefinition,
  definitions: readonly ResourceDefinition[],
): NameConflict[] {
  const { group, names } = crd.spec
  const others = definitions.filter((one) => one.group === group && !(one.resource === names.plural && !one.builtin))
  const resources = new Set(others.flatMap((one) => [one.resource, one.singular, ...one.shortNames]))
  const kinds = new Set(others.flatMap((one) => [one.kind, one.listKind]))
  const conflicts: NameConflict[] = []
  const check = (
    taken: ReadonlySet<string>,
    wanted: readonly (string | undefined)[],
    reason: NameConflict['reason'],
  ) => {
    const messages = wanted.filter((name) => name && taken.has(name)).map((name) => `"${name}" is already in use`)
    if (messages.length > 1) conflicts.push({ reason, message: `[${messages.join(', ')}]` })
    else if (messages.length === 1) conflicts.push({ reason, message: messages[0]! })
  }
  check(resources, [names.plural], 'PluralConflict')
  check(resources, [names.singular], 'SingularConflict')
  check(resources, names.shortNames ?? [], 'ShortNamesConflict')
  check(kinds, [names.kind], 'KindConflict')
  check(kinds, [names.listKind], 'ListKindConflict')
  return conflicts
}

/** The status a definition should have; times of conditions that did not change are kept. */
export function conditionsOf(crd: CustomResourceDefinition, conflicts: readonly NameConflict[], now: Date): Status {
  const verdicts = [namesAccepted(conflicts), established(crd, conflicts), ...approved(crd)]
  const conditions = verdicts.reduce((list, verdict) => withVerdict(list, verdict, now), crd.status?.conditions ?? [])
  return {
    ...crd.status,
    // Definitions that are served are structural: what said otherwise was written by another server, long ago.
    conditions: conditions.filter(({ type }) => type !== 'NonStructuralSchema'),
    acceptedNames: acceptedNames(crd, conflicts),
    storedVersions: crd.status?.storedVersions ?? [],
  }
}

/** A status with one condition changed, or added behind the others. */
export function withCondition(
  status: CustomResourceDefinition['status'],
  type: string,
  isTrue: boolean,
  reason: string,
  message: string,
  now: Date,
): Status {
  const verdict = { type, status: isTrue ? 'True' : 'False', reason, message }
  return { ...status, conditions: withVerdict(status?.conditions ?? [], verdict, now) }
}

export function isTrue(status: CustomResourceDefinition['status'], type: string): boolean {
  return status?.conditions?.some((one) => one.type === type && one.status === 'True') === true
}

function withVerdict(conditions: readonly Condition[], verdict: Verdict, now: Date): Condition[] {
  const at = conditions.findIndex(({ type }) => type === verdict.type)
  const old = conditions[at]
  const kept = old?.status === verdict.status ? old.lastTransitionTime : undefined
  const made = { ...verdict, lastTransitionTime: kept ?? rfc3339(now.getTime()) } as Condition
  return old ? conditions.with(at, made) : [...conditions, made]
}

function namesAccepted(conflicts: readonly NameConflict[]): Verdict {
  const last = conflicts.at(-1)
  if (!last) return { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  return { type: 'NamesAccepted', status: 'False', ...last }
}

/** What has been served stays served when a later edit asks for a name that is taken. */
function established({ spec, status }: CustomResourceDefinition, conflicts: readonly NameConflict[]): Verdict {
  const type = 'Established'
  const before = status?.conditions?.find((one) => one.type === type)
  if (before?.status === 'True') return before
  if (conflicts.length > 0) {
    return { type, status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
  }
  const bundle = spec.conversion?.webhook?.clientConfig?.caBundle
  if (bundle && !isCertificates(bundle)) {
    const message = 'The conversion webhook CABundle is invalid'
    return { type, status: 'False', reason: 'InvalidCABundle', message }
  }
  return { type, status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
}

const approvalReasons = {
  Approved: 'ApprovedAnnotation',
  Bypassed: 'UnapprovedAnnotation',
  Missing: 'MissingAnnotation',
  Invalid: 'InvalidAnnotation',
} as const

function approved({ metadata, spec }: CustomResourceDefinition): Verdict[] {
  const approval = approvalOf(spec.group, metadata.annotations)
  if (!approval) return []
  const { state, message } = approval
  const status = state === 'Approved' ? 'True' : 'False'
  return [{ type: 'KubernetesAPIApprovalPolicyConformant', status, reason: approvalReasons[state], message }]
}

/** Of the names that are asked for those that are free, and in place of others what was accepted before. */
function acceptedNames(
  crd: CustomResourceDefinition,
  conflicts: readonly NameConflict[],
): CustomResourceDefinitionNames {
  const { names } = crd.spec
  const before = crd.status?.acceptedNames ?? { plural: '', kind: '' }
  const isTaken = new Set(conflicts.map(({ reason }) => reason))
  const singular = isTaken.has('SingularConflict') ? before.singular : names.singular
  const listKind = isTaken.has('ListKindConflict') ? before.listKind : names.listKind
  const shortNames = isTaken.has('ShortNamesConflict') ? before.shortNames : names.shortNames
  return {
    plural: isTaken.has('PluralConflict') ? before.plural : names.plural,
    ...(singular !== undefined && { singular }),
    ...(shortNames !== undefined && { shortNames }),
    kind: isTaken.has('KindConflict') ? before.kind : names.kind,
    ...(listKind !== undefined && { listKind }),
    ...(names.categories !== undefined && { categories: names.categories }),
  }
}
