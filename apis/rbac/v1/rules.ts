import type { Rules } from '../../meta/v1/rules.ts'
import { clusterRoleBindingRules, clusterRoleRules, roleBindingRules, roleRules } from './rbac-rules.ts'

export const rbacRules = new Map<string, unknown>([
  ['rbac.authorization.k8s.io/clusterrolebindings', clusterRoleBindingRules],
  ['rbac.authorization.k8s.io/clusterroles', clusterRoleRules],
  ['rbac.authorization.k8s.io/rolebindings', roleBindingRules],
  ['rbac.authorization.k8s.io/roles', roleRules],
]) as ReadonlyMap<string, Rules>
