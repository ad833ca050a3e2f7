import { pathSegmentFaults } from '../../meta/v1/names.ts'
import type { Rules } from '../../meta/v1/rules.ts'

const nameFaults = pathSegmentFaults

/** The rules of RBAC's kinds: names may be anything a path segment can hold. */
export const rbacRules: ReadonlyMap<string, Rules> = new Map<string, Rules>([
  ['rbac.authorization.k8s.io/roles', { nameFaults }],
  ['rbac.authorization.k8s.io/clusterroles', { nameFaults }],
  ['rbac.authorization.k8s.io/rolebindings', { nameFaults }],
  ['rbac.authorization.k8s.io/clusterrolebindings', { nameFaults }],
])
