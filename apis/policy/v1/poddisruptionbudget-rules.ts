import { partErrors } from '../../apps/v1/workload-checks.ts'
import { labelSelectorErrors } from '../../meta/v1/field-checks.ts'
import { invalid } from '../../meta/v1/field-error.ts'
import { ageColumn, column, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { PodDisruptionBudget } from './zz_generated.types.ts'

export const podDisruptionBudgetRules: Rules<PodDisruptionBudget> = {
  prepareCreate(budget) {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
  },
  validate({ spec = {} }) {
    const { minAvailable, maxUnavailable, selector } = spec
    return [
      ...(minAvailable !== undefined && maxUnavailable !== undefined
        ? [invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
        : []),
      ...partErrors('spec.minAvailable', minAvailable),
      ...partErrors('spec.maxUnavailable', maxUnavailable),
      ...labelSelectorErrors('spec.selector', selector),
    ]
  },
  print: printer<PodDisruptionBudget>(
    nameColumn,
    column('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
    column('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
    integer('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ),
}
