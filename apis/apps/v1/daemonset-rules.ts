import { templateWarnings, workloadWarnings } from '../../core/v1/pod-warnings.ts'
import { defaultTemplate, replicatedTemplateErrors } from '../../core/v1/replicationcontroller-rules.ts'
import { templateColumns } from '../../core/v1/template-printing.ts'
import { immutable } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, required } from '../../meta/v1/field-error.ts'
import {
  ageColumn,
  column,
  integer,
  labelsText,
  nameColumn,
  printer,
  selectorText,
  wide,
} from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { isZero, partErrors, selectorErrors } from './workload-checks.ts'
import type { DaemonSet, DaemonSetUpdateStrategy } from './zz_generated.types.ts'

export const daemonSetRules: Rules<DaemonSet> = {
  default({ spec }) {
    if (!spec) return
    spec.updateStrategy = { type: 'RollingUpdate', ...spec.updateStrategy }
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...spec.updateStrategy.rollingUpdate }
    }
    defaultTemplate(spec.template)
  },
  prepareCreate(daemonSet) {
    daemonSet.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }
  },
  validate({ spec }) {
    if (!spec) return []
    return [
      ...selectorErrors(spec.selector, 'daemonset'),
      ...replicatedTemplateErrors('spec.template', spec.template, spec.selector, 'DaemonSet'),
      ...strategyErrors('spec.updateStrategy', spec.updateStrategy ?? {}),
    ]
  },
  validateUpdate: ({ spec }, old, subresource) =>
    subresource === 'status' ? [] : immutable('spec.selector', spec.selector, old.spec.selector),
  warnings: (daemonSet, old) =>
    workloadWarnings(daemonSet, old, () => [...templateWarnings('spec.template', daemonSet.spec?.template)]),
  print: printer<DaemonSet>(
    nameColumn,
    integer('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
    integer('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
    integer('Ready', ({ status }) => status?.numberReady ?? 0),
    integer('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
    integer('Available', ({ status }) => status?.numberAvailable ?? 0),
    column('Node Selector', ({ spec }) => labelsText(spec.template?.spec?.nodeSelector)),
    ageColumn,
    ...templateColumns<DaemonSet>(({ spec }) => spec.template),
    wide('Selector', ({ spec }) => selectorText(spec.selector)),
  ),
}

function strategyErrors(field: string, { type, rollingUpdate }: DaemonSetUpdateStrategy): FieldError[] {
  if (type === 'OnDelete') return []
  if (!rollingUpdate) return [required(`${field}.rollingUpdate`)]
  const { maxUnavailable, maxSurge } = rollingUpdate
  const at = `${field}.rollingUpdate`
  const errors = [...partErrors(`${at}.maxUnavailable`, maxUnavailable), ...partErrors(`${at}.maxSurge`, maxSurge)]
  const [replaces, adds] = [!isZero(maxUnavailable), !isZero(maxSurge)]
  if (replaces && adds)
    errors.push(invalid(`${at}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (!replaces && !adds) errors.push(required(`${at}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  return errors
}
