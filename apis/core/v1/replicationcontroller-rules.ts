import { isEmptySelector, selects } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../../meta/v1/field-error.ts'
import { ageColumn, column, integer, labelsText, nameColumn, printer, wide } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { LabelSelector } from '../../meta/v1/types.ts'
import { defaultPodSpec } from './pod-defaults.ts'
import { nameWarnings, templateWarnings, workloadWarnings } from './pod-warnings.ts'
import { templateColumns } from './template-printing.ts'
import { validatePodTemplate } from './validate-pod-spec.ts'
import type { PodTemplate, PodTemplateSpec, ReplicationController } from './zz_generated.types.ts'

export const replicationControllerRules: Rules<ReplicationController> = {
  default({ metadata, spec }) {
    const { template } = spec ?? {}
    if (!spec || !template) return
    defaultTemplate(template)
    const { labels } = template.metadata ?? {}
    if (!labels) return
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
  },
  prepareCreate(controller) {
    controller.status = { replicas: 0 }
  },
  validate({ spec = {} }) {
    const selector = { matchLabels: spec.selector ?? {} }
    return [
      ...(isEmptySelector(selector) ? [required('spec.selector')] : []),
      ...(spec.template
        ? replicatedTemplateErrors('spec.template', spec.template, selector, 'ReplicationController')
        : [required('spec.template')]),
    ]
  },
  fields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  orphansByDefault: true,
  warnings: (controller, old) =>
    workloadWarnings(controller, old, () => [
      ...(old ? [] : nameWarnings(controller.metadata.name)),
      ...templateWarnings('spec.template', controller.spec?.template),
    ]),
  print: printer<ReplicationController>(
    nameColumn,
    integer('Desired', ({ spec }) => spec?.replicas ?? 0),
    integer('Current', ({ status }) => status?.replicas ?? 0),
    integer('Ready', ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...templateColumns<ReplicationController>(({ spec }) => spec?.template),
    wide('Selector', ({ spec }) => labelsText(spec?.selector)),
  ),
}

export const podTemplateRules: Rules<PodTemplate> = {
  default: ({ template }) => defaultTemplate(template),
  validate: ({ template }) => validatePodTemplate('template', template),
  returnsDeleted: true,
  warnings: (podTemplate, old) =>
    workloadWarnings(podTemplate, old, () => templateWarnings('template', podTemplate.template)),
  print: printer<PodTemplate>(
    nameColumn,
    ...templateColumns<PodTemplate>(({ template }) => template).map((one) => ({ ...one, priority: 0 })),
    column('Pod Labels', ({ template }) => labelsText(template?.metadata?.labels)),
  ),
}

/** Fills what depends on other fields in the template of a workload. */
export function defaultTemplate(template: PodTemplateSpec | undefined): void {
  if (template?.spec) defaultPodSpec(template.spec)
}

/**
 * Errors of the template of a workload that keeps pods running.
 * @param selector what the workload finds its pods by, which must find those it makes
 */
export function replicatedTemplateErrors(
  field: string,
  template: PodTemplateSpec | undefined,
  selector: LabelSelector | undefined,
  kind: string,
): FieldError[] {
  if (!template) return []
  const { labels = {} } = template.metadata ?? {}
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {}
  const errors: FieldError[] = []
  if (selector && !isEmptySelector(selector) && !selects(selector, labels)) {
    const detail = '`selector` does not match template `labels`'
    errors.push(invalid(`${field}.metadata.labels`, labels, detail))
  }
  errors.push(...validatePodTemplate(field, template))
  if (restartPolicy && restartPolicy !== 'Always') {
    errors.push(notSupported(`${field}.spec.restartPolicy`, restartPolicy, ['Always']))
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`
    errors.push(forbidden(`${field}.spec.activeDeadlineSeconds`, detail))
  }
  return errors
}
