import type { Rules } from '../../meta/v1/rules.ts'
import { podDisruptionBudgetRules } from './poddisruptionbudget-rules.ts'

export const policyRules = new Map<string, unknown>([
  ['policy/poddisruptionbudgets', podDisruptionBudgetRules],
]) as ReadonlyMap<string, Rules>
