import type { Rules } from '../../meta/v1/rules.ts'
import { cronJobRules } from './cronjob-rules.ts'
import { jobRules } from './job-rules.ts'

export const batchRules = new Map<string, unknown>([
  ['batch/cronjobs', cronJobRules],
  ['batch/jobs', jobRules],
]) as ReadonlyMap<string, Rules>
