import type { Rules } from '../../meta/v1/rules.ts'
import { controllerRevisionRules } from './controllerrevision-rules.ts'
import { daemonSetRules } from './daemonset-rules.ts'
import { deploymentRules } from './deployment-rules.ts'
import { replicaSetRules } from './replicaset-rules.ts'
import { statefulSetRules } from './statefulset-rules.ts'

export const appsRules = new Map<string, unknown>([
  ['apps/controllerrevisions', controllerRevisionRules],
  ['apps/daemonsets', daemonSetRules],
  ['apps/deployments', deploymentRules],
  ['apps/replicasets', replicaSetRules],
  ['apps/statefulsets', statefulSetRules],
]) as ReadonlyMap<string, Rules>
