import { appsRules } from './apps/v1/rules.ts'
import { batchRules } from './batch/v1/rules.ts'
import { coreRules } from './core/v1/rules.ts'
import { eventsRules } from './events/v1/rules.ts'
import type { Rules } from './meta/v1/rules.ts'
import { rbacRules } from './rbac/v1/rules.ts'

/** The rules of every built-in kind that has some, by `group/resource` (`core` for the core group). */
export const rules: ReadonlyMap<string, Rules> = new Map<string, Rules>([
  ...appsRules,
  ...batchRules,
  ...coreRules,
  ...eventsRules,
  ...rbacRules,
])
