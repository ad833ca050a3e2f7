import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { rfc3339 } from '#apis/meta/v1/time.ts'
import type { ResourceDefinition } from '../resource.ts'

type Status = NonNullable<CustomResourceDefinition['status']>
type Condition = NonNullable<Status['conditions']>[number]

/** A name that another resource of the group already has. */
export interface NameConflict {
  reason: 'PluralConflict' | 'SingularConflict' | 'ShortNamesConflict' | 'KindConflict' | 'ListKindConflict'
  message: string
}

/** @param definitions every resource that is served, this one possibly among them */
export function nameConflicts(
  crd: CustomResourceDefinition,
  definitions: readonly ResourceDefinition[],
): NameConflict[] {
  const { group, names } = crd.spec
  const others = definitions.filter((one) => one.group === group && !(one.resource === names.plural && !one.builtin))
  const resources = new Set(others.flatMap((one) => [one.resource, one.singular, ...one.shortNames]))
  const kinds = new Set(others.flatMap((one) => [one.kind, one.listKind]))
  const conflicts: NameConflict[] = []
  const check = (taken: ReadonlySet<string>, name: string | undefined, reason: NameConflict['reason']) => {
    if (name && taken.has(name)) conflicts.push({ reason, message: `"${name}" is already in use` })
  }
  check(resources, names.plural, 'PluralConflict')
  check(resources, names.singular, 'SingularConflict')
  for (const name of names.shortNames ?? []) check(resources, name, 'ShortNamesConflict')
  check(kinds, names.kind, 'KindConflict')
  check(kinds, names.listKind, 'ListKindConflict')
  return conflicts
}

/** The status a definition should have; times of conditions that did not change are kept. */
export function conditionsOf(crd: CustomResourceDefinition, conflicts: readonly NameConflict[], now: Date): Status {
  const accepted: Omit<Condition, 'lastTransitionTime'> =
    conflicts.length === 0
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : {
          type: 'NamesAccepted',
          status: 'False',
          reason: conflicts[0]!.reason,
          message: conflicts.map((conflict) => conflict.message).join(', '),
        }
  const before = crd.status?.conditions ?? []
  // What has been served stays served when a later edit asks for a name that is taken.
  const wasEstablished = before.some((one) => one.type === 'Established' && one.status === 'True')
  const established: Omit<Condition, 'lastTransitionTime'> =
    conflicts.length === 0 || wasEstablished
      ? {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
      : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
  const others = before.filter((one) => one.type !== 'NamesAccepted' && one.type !== 'Established')
  const { names } = crd.spec
  return {
    ...crd.status,
    conditions: [...others, stamped(accepted, before, now), stamped(established, before, now)],
    acceptedNames: conflicts.length === 0 ? names : (crd.status?.acceptedNames ?? { plural: '', kind: '' }),
    storedVersions: crd.status?.storedVersions ?? [],
  }
}

function stamped(condition: Omit<Condition, 'lastTransitionTime'>, before: readonly Condition[], now: Date): Condition {
  const old = before.find((one) => one.type === condition.type)
  const kept = old?.status === condition.status ? old.lastTransitionTime : undefined
  return { ...condition, lastTransitionTime: kept ?? rfc3339(now.getTime()) } as Condition
}
