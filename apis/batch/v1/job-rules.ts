import { nameWarnings, templateWarnings, workloadWarnings } from '../../core/v1/pod-warnings.ts'
import { defaultTemplate } from '../../core/v1/replicationcontroller-rules.ts'
import { templateColumns } from '../../core/v1/template-printing.ts'
import { validatePodTemplate } from '../../core/v1/validate-pod-spec.ts'
import type { PodTemplateSpec } from '../../core/v1/zz_generated.types.ts'
import { humanDuration } from '../../meta/v1/duration.ts'
import { isSame } from '../../meta/v1/equality.ts'
import { each, immutable, keyOf, labelSelectorErrors, selects } from '../../meta/v1/field-checks.ts'
import { type FieldError, invalid, required } from '../../meta/v1/field-error.ts'
import { ageColumn, column, nameColumn, printer, selectorText, wide } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { Job, JobSpec, PodFailurePolicy } from './zz_generated.types.ts'

const uidLabel = 'batch.kubernetes.io/controller-uid'
const nameLabel = 'batch.kubernetes.io/job-name'
const legacyUidLabel = 'controller-uid'
const legacyNameLabel = 'job-name'

const maxIndexedParallelism = 100_000

/** Jobs: run pods until enough of them succeed, and know them by labels made for each job. */
export const jobRules: Rules<Job> = {
  default({ metadata, spec }) {
    if (!spec) return
    if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
    spec.parallelism ??= 1
    spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1
    spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
    for (const rule of spec.podFailurePolicy?.rules ?? []) {
      for (const pattern of rule.onPodConditions ?? []) pattern.status ??= 'True'
    }
    const { labels } = spec.template?.metadata ?? {}
    if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels }
    defaultTemplate(spec.template)
  },
  prepareCreate(job) {
    job.status = {}
    if (job.spec?.template && !job.spec.manualSelector) generateSelector(job)
  },
  validate: (job) => (job.spec ? [...jobSpecErrors('spec', job.spec), ...selectorErrors(job)] : []),
  validateUpdate: (job, old, subresource) => (subresource === 'status' ? [] : specUpdateErrors(job.spec, old)),
  fields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  orphansByDefault: true,
  warnings: (job, old) =>
    workloadWarnings(job, old, () => [
      ...(old ? [] : nameWarnings(job.metadata.name)),
      ...jobSpecWarnings('spec', job.spec),
    ]),
  print: printer<Job>(
    nameColumn,
    column('Status', statusText),
    column('Completions', completionsText),
    column('Duration', durationText),
    ageColumn,
    ...templateColumns<Job>(({ spec }) => spec.template),
    wide('Selector', ({ spec }) => selectorText(spec.selector)),
  ),
}

function generateSelector({ metadata, spec }: Job): void {
  const { uid = '', name = '' } = metadata
  spec.template.metadata = {
    ...spec.template.metadata,
    labels: {
      [legacyUidLabel]: uid,
      [legacyNameLabel]: name,
      [uidLabel]: uid,
      [nameLabel]: name,
      ...spec.template.metadata?.labels,
    },
  }
  spec.selector = { ...spec.selector, matchLabels: { [uidLabel]: uid, ...spec.selector?.matchLabels } }
}

/** Errors of what a job asks for; also in the template of a CronJob, which has no selector yet. */
export function jobSpecErrors(field: string, spec: JobSpec): FieldError[] {
  const restartPolicy = spec.template?.spec?.restartPolicy
  return [
    ...indexErrors(field, spec),
    ...(spec.podFailurePolicy ? failurePolicyErrors(field, spec, spec.podFailurePolicy) : []),
    ...(spec.successPolicy && spec.completionMode !== 'Indexed'
      ? [invalid(`${field}.successPolicy`, spec.successPolicy, 'requires indexed completion mode')]
      : []),
    ...validatePodTemplate(`${field}.template`, spec.template),
    ...(restartPolicy === 'Always'
      ? [required(`${field}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"')]
      : []),
  ]
}

/** Also of the template of a CronJob. */
export function jobSpecWarnings(field: string, spec: JobSpec | undefined): string[] {
  const { completionMode, completions = 0, parallelism = 0, template } = spec ?? {}
  const isLarge = completionMode === 'Indexed' && completions > 100_000 && parallelism > 10_000
  return [
    ...(isLarge
      ? [
          'In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
        ]
      : []),
    ...templateWarnings(`${field}.template`, template),
  ]
}

function indexErrors(field: string, spec: JobSpec): FieldError[] {
  const { completionMode, completions, parallelism = 1, backoffLimitPerIndex, maxFailedIndexes } = spec
  const isIndexed = completionMode === 'Indexed'
  const errors: FieldError[] = []
  if (isIndexed && completions === undefined) {
    errors.push(required(`${field}.completions`, 'when completion mode is Indexed'))
  }
  if (isIndexed && parallelism > maxIndexedParallelism) {
    const detail = `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`
    errors.push(invalid(`${field}.parallelism`, parallelism, detail))
  }
  if (!isIndexed && backoffLimitPerIndex !== undefined) {
    errors.push(invalid(`${field}.backoffLimitPerIndex`, backoffLimitPerIndex, 'requires indexed completion mode'))
  }
  if (maxFailedIndexes === undefined) return errors
  if (backoffLimitPerIndex === undefined) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  if (completions !== undefined && maxFailedIndexes > completions) {
    const detail = 'must be less than or equal to completions'
    errors.push(invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, detail))
  }
  return errors
}

function failurePolicyErrors(field: string, spec: JobSpec, { rules }: PodFailurePolicy): FieldError[] {
  const restartPolicy = spec.template?.spec?.restartPolicy
  const at = `${field}.podFailurePolicy.rules`
  const names = [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])].map(
    (one) => one.name,
  )
  return [
    ...(restartPolicy === 'Never'
      ? []
      : [
          invalid(
            `${field}.template.spec.restartPolicy`,
            restartPolicy,
            'only "Never" is supported when podFailurePolicy is specified',
          ),
        ]),
    ...each(at, rules, (rule, { onExitCodes, onPodConditions, action }) => {
      const errors: FieldError[] = []
      if (onExitCodes && onPodConditions?.length) {
        errors.push(invalid(rule, rules, 'specifying both OnExitCodes and OnPodConditions is not supported'))
      }
      if (!onExitCodes && !onPodConditions?.length) {
        errors.push(invalid(rule, rules, 'specifying one of OnExitCodes and OnPodConditions is required'))
      }
      if (action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
        errors.push(invalid(`${rule}.action`, action, 'requires the backoffLimitPerIndex to be set'))
      }
      const { containerName } = onExitCodes ?? {}
      if (containerName && !names.includes(containerName)) {
        const detail = 'must be one of the container or initContainer names in the pod template'
        errors.push(invalid(`${rule}.onExitCodes.containerName`, containerName, detail))
      }
      return errors
    }),
  ]
}

function selectorErrors({ metadata, spec }: Job): FieldError[] {
  const { selector, template, manualSelector } = spec
  if (!selector) return [required('spec.selector')]
  const labels = template?.metadata?.labels ?? {}
  const errors = labelSelectorErrors('spec.selector', selector)
  if (!selects(selector, labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'))
  }
  if (manualSelector) return errors
  const { uid = '', name = '' } = metadata
  const expected = { [uidLabel]: uid, [legacyUidLabel]: uid, [nameLabel]: name, [legacyNameLabel]: name }
  errors.push(...labelErrors(template, expected))
  if (!selects(selector, expected)) errors.push(invalid('spec.selector', selector, '`selector` not auto-generated'))
  return errors
}

function labelErrors(template: PodTemplateSpec | undefined, expected: Readonly<Record<string, string>>): FieldError[] {
  const labels = template?.metadata?.labels ?? {}
  return Object.entries(expected).flatMap(([key, value]) => {
    const at = keyOf('spec.template.metadata.labels', key)
    if (!Object.hasOwn(labels, key)) return [required(at, `must be '${value}'`)]
    return labels[key] === value ? [] : [invalid(at, labels, `must be '${value}'`)]
  })
}

function specUpdateErrors(spec: JobSpec, { spec: old, status }: Job): FieldError[] {
  const mayMove = old.suspend === true && status?.startTime === undefined && spec.template?.spec !== undefined
  const template = mayMove ? withPlacement(spec.template, old.template) : spec.template
  return [
    ...completionsErrors(spec, old),
    ...immutable('spec.selector', spec.selector, old.selector),
    ...(isSame(template, old.template) ? [] : [invalid('spec.template', spec.template, 'field is immutable')]),
    ...immutable('spec.completionMode', spec.completionMode, old.completionMode),
    ...immutable('spec.podFailurePolicy', spec.podFailurePolicy, old.podFailurePolicy),
    ...immutable('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, old.backoffLimitPerIndex),
    ...immutable('spec.managedBy', spec.managedBy, old.managedBy),
    ...immutable('spec.successPolicy', spec.successPolicy, old.successPolicy),
  ]
}

/** Indexed jobs may grow and shrink, as long as all their pods run at once. */
function completionsErrors(spec: JobSpec, old: JobSpec): FieldError[] {
  if (spec.completions === old.completions) return []
  if (spec.completionMode !== 'Indexed') return immutable('spec.completions', spec.completions, old.completions)
  if (spec.completions === spec.parallelism && old.completions === old.parallelism) return []
  const detail = `can only be modified in tandem with spec.parallelism`
  return [invalid('spec.completions', spec.completions, detail)]
}

/** A job that has not begun may still be told where its pods go: `template` as if it had not been. */
function withPlacement(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity } = old.spec
  return {
    ...template,
    metadata: { ...template.metadata, labels: old.metadata?.labels, annotations: old.metadata?.annotations },
    spec: {
      ...template.spec,
      nodeSelector,
      tolerations,
      schedulingGates,
      affinity: { ...template.spec.affinity, nodeAffinity: affinity?.nodeAffinity },
      containers: template.spec.containers.map((container, at) => ({
        ...container,
        resources: old.spec.containers[at]?.resources,
      })),
    },
  }
}

function statusText({ metadata, status }: Job): string {
  const has = (wanted: string) => status?.conditions?.some(({ type, status }) => type === wanted && status === 'True')
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationText({ status }: Job, now: number): string {
  if (!status?.startTime) return ''
  const end = status.completionTime ? Date.parse(status.completionTime) : now
  return humanDuration(end - Date.parse(status.startTime))
}
