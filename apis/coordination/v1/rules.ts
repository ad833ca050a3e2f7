import { nonNegative, positive } from '../../meta/v1/field-checks.ts'
import { invalid } from '../../meta/v1/field-error.ts'
import { ageColumn, column, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { Lease } from './zz_generated.types.ts'

export const leaseRules: Rules<Lease> = {
  // Thousands of nodes renew theirs, each every few seconds.
  patienceMs: 40,
  validate: ({ spec = {} }) => [
    ...positive('spec.leaseDurationSeconds', spec.leaseDurationSeconds),
    ...nonNegative('spec.leaseTransitions', spec.leaseTransitions),
    ...(spec.preferredHolder !== undefined && !spec.strategy
      ? [invalid('spec.preferredHolder', spec.preferredHolder, 'may only be specified if `strategy` is defined')]
      : []),
  ],
  print: printer<Lease>(
    nameColumn,
    column('Holder', ({ spec }) => spec?.holderIdentity ?? ''),
    ageColumn,
  ),
}

export const coordinationRules = new Map<string, unknown>([['coordination.k8s.io/leases', leaseRules]]) as ReadonlyMap<
  string,
  Rules
>
