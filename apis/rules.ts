import { admissionRegistrationRules } from './admissionregistration/v1/rules.ts'
import { apiRegistrationRules } from './apiregistration/v1/rules.ts'
import { appsRules } from './apps/v1/rules.ts'
import { autoscalingRules } from './autoscaling/v2/rules.ts'
import { batchRules } from './batch/v1/rules.ts'
import { certificatesRules } from './certificates/v1/rules.ts'
import { coordinationRules } from './coordination/v1/rules.ts'
import { coreRules } from './core/v1/rules.ts'
import { discoveryRules } from './discovery/v1/rules.ts'
import { eventsRules } from './events/v1/rules.ts'
import { flowControlRules } from './flowcontrol/v1/rules.ts'
import type { Rules } from './meta/v1/rules.ts'
import { networkingRules } from './networking/v1/rules.ts'
import { nodeGroupRules } from './node/v1/rules.ts'
import { policyRules } from './policy/v1/rules.ts'
import { rbacRules } from './rbac/v1/rules.ts'
import { schedulingRules } from './scheduling/v1/rules.ts'
import { storageRules } from './storage/v1/rules.ts'
import { storageMigrationRules } from './storagemigration/v1beta1/rules.ts'

/** The rules of every built-in kind that has some, by `group/resource` (`core` for the core group). */
export const rules: ReadonlyMap<string, Rules> = new Map<string, Rules>([
  ...admissionRegistrationRules,
  ...apiRegistrationRules,
  ...appsRules,
  ...autoscalingRules,
  ...batchRules,
  ...certificatesRules,
  ...coordinationRules,
  ...coreRules,
  ...discoveryRules,
  ...eventsRules,
  ...flowControlRules,
  ...networkingRules,
  ...nodeGroupRules,
  ...policyRules,
  ...rbacRules,
  ...schedulingRules,
  ...storageRules,
  ...storageMigrationRules,
])
