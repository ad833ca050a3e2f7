import { claimSpecWarnings, templateWarnings, workloadWarnings } from '../../core/v1/pod-warnings.ts'
import { defaultTemplate, replicatedTemplateErrors } from '../../core/v1/replicationcontroller-rules.ts'
import { templateColumns } from '../../core/v1/template-printing.ts'
import type { PodTemplateSpec, Volume } from '../../core/v1/zz_generated.types.ts'
import { isSame } from '../../meta/v1/equality.ts'
import { faults, nonNegative } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid } from '../../meta/v1/field-error.ts'
import { dnsLabelFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { countErrors, isZero, partErrors, selectorErrors } from './workload-checks.ts'
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from './zz_generated.types.ts'

export const statefulSetRules: Rules<StatefulSet> = {
  default({ spec }) {
    if (!spec) return
    spec.updateStrategy = { type: 'RollingUpdate', ...spec.updateStrategy }
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate = { partition: 0, ...spec.updateStrategy.rollingUpdate }
    }
    defaultTemplate(spec.template)
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ??= 'v1'
      claim.kind ??= 'PersistentVolumeClaim'
      claim.spec = { volumeMode: 'Filesystem', ...claim.spec }
      claim.status = { phase: 'Pending', ...claim.status }
    }
  },
  prepareCreate(statefulSet) {
    statefulSet.status = { replicas: 0 }
  },
  validate({ spec }) {
    if (!spec) return []
    return [
      ...selectorErrors(spec.selector, 'statefulset'),
      ...replicatedTemplateErrors('spec.template', withClaims(spec), spec.selector, 'StatefulSet'),
      ...strategyErrors('spec.updateStrategy', spec.updateStrategy ?? {}),
      ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
      ...(spec.serviceName ? faults('spec.serviceName', spec.serviceName, dnsLabelFaults) : []),
    ]
  },
  validateUpdate(statefulSet, old, subresource) {
    if (subresource === 'status') return statusErrors(statefulSet)
    return isSame(fixedPart(statefulSet.spec), fixedPart(old.spec)) ? [] : [forbidden('spec', fixed)]
  },
  warnings: (statefulSet, old) =>
    workloadWarnings(statefulSet, old, () => [
      ...templateWarnings('spec.template', statefulSet.spec?.template),
      ...(statefulSet.spec?.volumeClaimTemplates ?? []).flatMap(({ spec }, at) =>
        claimSpecWarnings(`spec.volumeClaimTemplates[${at}].spec`, spec),
      ),
      ...((statefulSet.spec?.revisionHistoryLimit ?? 0) < 0
        ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
        : []),
    ]),
  print: printer<StatefulSet>(
    nameColumn,
    column('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`),
    ageColumn,
    ...templateColumns<StatefulSet>(({ spec }) => spec.template),
  ),
}

const fixed =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

function fixedPart({ podManagementPolicy, selector, serviceName, volumeClaimTemplates }: StatefulSetSpec): object {
  const claims = volumeClaimTemplates?.map(({ metadata, spec }) => ({ metadata, spec }))
  return { podManagementPolicy, selector, serviceName, volumeClaimTemplates: claims }
}

/** The template as its pods will be: with a volume for each claim, which containers may mount. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec | undefined {
  if (!template?.spec || volumeClaimTemplates.length === 0) return template
  const claims: Volume[] = volumeClaimTemplates.map(({ metadata }) => {
    const name = metadata?.name ?? ''
    return { name, persistentVolumeClaim: { claimName: name } }
  })
  const names = new Set(claims.map(({ name }) => name))
  const others = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name))
  return { ...template, spec: { ...template.spec, volumes: [...others, ...claims] } }
}

function strategyErrors(field: string, { type, rollingUpdate }: StatefulSetUpdateStrategy): FieldError[] {
  if (!rollingUpdate) return []
  const at = `${field}.rollingUpdate`
  if (type === 'OnDelete') {
    return [invalid(at, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
  }
  const { maxUnavailable } = rollingUpdate
  return [
    ...partErrors(`${at}.maxUnavailable`, maxUnavailable),
    ...(isZero(maxUnavailable) ? [invalid(`${at}.maxUnavailable`, maxUnavailable, 'cannot be 0')] : []),
  ]
}

function statusErrors({ status }: StatefulSet): FieldError[] {
  const { replicas, readyReplicas, currentReplicas, updatedReplicas, availableReplicas } = status ?? { replicas: 0 }
  return [
    ...countErrors({ readyReplicas, currentReplicas, updatedReplicas, availableReplicas }, replicas, 'status.replicas'),
    ...countErrors({ availableReplicas }, readyReplicas, 'status.readyReplicas'),
  ]
}
