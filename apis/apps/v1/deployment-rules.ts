import { nameWarnings, templateWarnings, workloadWarnings } from '../../core/v1/pod-warnings.ts'
import { defaultTemplate, replicatedTemplateErrors } from '../../core/v1/replicationcontroller-rules.ts'
import { templateColumns } from '../../core/v1/template-printing.ts'
import { immutable } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid } from '../../meta/v1/field-error.ts'
import { ageColumn, column, integer, nameColumn, printer, selectorText, wide } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { countErrors, isZero, partErrors, selectorErrors, shareErrors } from './workload-checks.ts'
import type { Deployment, DeploymentSpec, DeploymentStrategy } from './zz_generated.types.ts'

export const deploymentRules: Rules<Deployment> = {
  default({ spec }) {
    if (!spec) return
    spec.strategy = { type: 'RollingUpdate', ...spec.strategy }
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...spec.strategy.rollingUpdate }
    }
    defaultTemplate(spec.template)
  },
  prepareCreate(deployment) {
    deployment.status = {}
  },
  validate({ spec }) {
    if (!spec) return []
    return [
      ...selectorErrors(spec.selector, 'deployment'),
      ...replicatedTemplateErrors('spec.template', spec.template, spec.selector, 'ReplicaSet'),
      ...strategyErrors('spec.strategy', spec.strategy ?? {}),
      ...deadlineErrors(spec),
    ]
  },
  validateUpdate(deployment, old, subresource) {
    if (subresource === 'status') return statusErrors(deployment)
    return immutable('spec.selector', deployment.spec.selector, old.spec.selector)
  },
  warnings: (deployment, old) =>
    workloadWarnings(deployment, old, () => [
      ...(old ? [] : nameWarnings(deployment.metadata.name)),
      ...templateWarnings('spec.template', deployment.spec.template),
    ]),
  print: printer<Deployment>(
    nameColumn,
    column('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
    integer('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    integer('Available', ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    ...templateColumns<Deployment>(({ spec }) => spec.template),
    wide('Selector', ({ spec }) => selectorText(spec.selector)),
  ),
}

function strategyErrors(field: string, { type, rollingUpdate }: DeploymentStrategy): FieldError[] {
  if (type === 'Recreate') {
    if (!rollingUpdate) return []
    return [forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")]
  }
  if (!rollingUpdate) return []
  const { maxUnavailable, maxSurge } = rollingUpdate
  const at = `${field}.rollingUpdate`
  return [
    ...partErrors(`${at}.maxUnavailable`, maxUnavailable),
    ...shareErrors(`${at}.maxSurge`, maxSurge),
    ...(isZero(maxUnavailable) && isZero(maxSurge)
      ? [invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
  ]
}

function deadlineErrors({ progressDeadlineSeconds, minReadySeconds = 0 }: DeploymentSpec): FieldError[] {
  if (progressDeadlineSeconds === undefined || progressDeadlineSeconds > minReadySeconds) return []
  return [invalid('spec.progressDeadlineSeconds', progressDeadlineSeconds, 'must be greater than minReadySeconds')]
}

function statusErrors({ status = {} }: Deployment): FieldError[] {
  const { replicas, updatedReplicas, readyReplicas, availableReplicas } = status
  return [
    ...countErrors({ updatedReplicas, readyReplicas, availableReplicas }, replicas, 'status.replicas'),
    ...countErrors({ availableReplicas }, readyReplicas, 'readyReplicas'),
  ]
}
