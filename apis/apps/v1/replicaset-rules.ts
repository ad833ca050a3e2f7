import { nameWarnings, templateWarnings, workloadWarnings } from '../../core/v1/pod-warnings.ts'
import { defaultTemplate, replicatedTemplateErrors } from '../../core/v1/replicationcontroller-rules.ts'
import { templateColumns } from '../../core/v1/template-printing.ts'
import { immutable } from '../../meta/v1/field-checks.ts'
import { ageColumn, integer, nameColumn, printer, selectorText, wide } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { countErrors, missingTemplate, selectorErrors } from './workload-checks.ts'
import type { ReplicaSet } from './zz_generated.types.ts'

export const replicaSetRules: Rules<ReplicaSet> = {
  default: ({ spec }) => defaultTemplate(spec?.template),
  prepareCreate(replicaSet) {
    replicaSet.status = { replicas: 0 }
  },
  validate({ spec }) {
    if (!spec) return []
    return [
      ...selectorErrors(spec.selector, 'deployment'),
      ...(spec.template ? [] : missingTemplate()),
      ...replicatedTemplateErrors('spec.template', spec.template, spec.selector, 'ReplicaSet'),
    ]
  },
  validateUpdate({ spec, status }, old, subresource) {
    if (subresource !== 'status') return immutable('spec.selector', spec.selector, old.spec.selector)
    const { replicas, fullyLabeledReplicas, readyReplicas, availableReplicas } = status ?? { replicas: 0 }
    return [
      ...countErrors({ fullyLabeledReplicas, readyReplicas, availableReplicas }, replicas, 'status.replicas'),
      ...countErrors({ availableReplicas }, readyReplicas, 'readyReplicas'),
    ]
  },
  fields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  warnings: (replicaSet, old) =>
    workloadWarnings(replicaSet, old, () => [
      ...(old ? [] : nameWarnings(replicaSet.metadata.name)),
      ...templateWarnings('spec.template', replicaSet.spec?.template),
    ]),
  print: printer<ReplicaSet>(
    nameColumn,
    integer('Desired', ({ spec }) => spec.replicas ?? 1),
    integer('Current', ({ status }) => status?.replicas ?? 0),
    integer('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...templateColumns<ReplicaSet>(({ spec }) => spec.template),
    wide('Selector', ({ spec }) => selectorText(spec.selector)),
  ),
}
