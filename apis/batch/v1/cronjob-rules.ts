import { nameWarnings, workloadWarnings } from '../../core/v1/pod-warnings.ts'
import { defaultTemplate } from '../../core/v1/replicationcontroller-rules.ts'
import { templateColumns } from '../../core/v1/template-printing.ts'
import { age } from '../../meta/v1/duration.ts'
import { type FieldError, invalid, notSupported, required } from '../../meta/v1/field-error.ts'
import { ageColumn, column, integer, nameColumn, orNone, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import { jobSpecErrors, jobSpecWarnings } from './job-rules.ts'
import { scheduleFault } from './schedule.ts'
import type { CronJob, JobTemplateSpec } from './zz_generated.types.ts'

/** Jobs are named after their CronJob and the minute, in 11 more characters. */
const maxNameLength = 52

export const cronJobRules: Rules<CronJob> = {
  default: ({ spec }) => defaultTemplate(spec?.jobTemplate?.spec?.template),
  prepareCreate(cronJob) {
    cronJob.status = {}
  },
  validate({ metadata, spec }) {
    if (!spec) return []
    return [
      ...((metadata.name?.length ?? 0) > maxNameLength
        ? [invalid('metadata.name', metadata.name, `must be no more than ${maxNameLength} characters`)]
        : []),
      ...scheduleErrors('spec.schedule', spec.schedule, spec.timeZone),
      ...timeZoneErrors('spec.timeZone', spec.timeZone),
      ...(spec.jobTemplate?.spec ? jobTemplateErrors('spec.jobTemplate.spec', spec.jobTemplate.spec) : []),
    ]
  },
  warnings: (cronJob, old) =>
    workloadWarnings(cronJob, old, () => [
      ...(old ? [] : nameWarnings(cronJob.metadata.name)),
      ...(cronJob.spec?.schedule?.includes('TZ')
        ? [
            'CRON_TZ or TZ used in spec.schedule is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
          ]
        : []),
      ...jobSpecWarnings('spec.jobTemplate.spec', cronJob.spec?.jobTemplate?.spec),
    ]),
  print: printer<CronJob>(
    nameColumn,
    column('Schedule', ({ spec }) => spec.schedule),
    column('Timezone', ({ spec }) => orNone(spec.timeZone)),
    column('Suspend', ({ spec }) => (spec.suspend ? 'True' : 'False')),
    integer('Active', ({ status }) => status?.active?.length ?? 0),
    column('Last Schedule', ({ status }, now) =>
      status?.lastScheduleTime ? age(status.lastScheduleTime, now) : '<none>',
    ),
    ageColumn,
    ...templateColumns<CronJob>(({ spec }) => spec.jobTemplate?.spec?.template),
  ),
}

function scheduleErrors(field: string, schedule: string | undefined, timeZone: string | undefined): FieldError[] {
  if (schedule === undefined) return []
  if (schedule === '') return [required(field)]
  if (schedule.includes('TZ')) {
    const detail =
      timeZone === undefined
        ? 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
        : 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
    return [invalid(field, schedule, detail)]
  }
  const fault = scheduleFault(schedule)
  return fault ? [invalid(field, schedule, fault)] : []
}

function timeZoneErrors(field: string, timeZone: string | undefined): FieldError[] {
  if (timeZone === undefined) return []
  if (timeZone === '') return [invalid(field, timeZone, 'timeZone must be nil or non-empty string')]
  if (timeZone.toLowerCase() === 'local') return [invalid(field, timeZone, 'timeZone must be an explicit time zone')]
  return isTimeZone(timeZone) ? [] : [invalid(field, timeZone, `unknown time zone ${timeZone}`)]
}

function isTimeZone(name: string): boolean {
  // Offsets are no names of the time zone database.
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function jobTemplateErrors(field: string, spec: JobTemplateSpec['spec']): FieldError[] {
  const errors = jobSpecErrors(field, spec)
  if (spec.selector) errors.push(invalid(`${field}.selector`, spec.selector, '`selector` will be auto-generated'))
  if (spec.manualSelector) errors.push(notSupported(`${field}.manualSelector`, true, ['nil', 'false']))
  return errors
}
