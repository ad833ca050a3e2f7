import { isDeepStrictEqual } from 'node:util'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import type { ClusterRole, PolicyRule, RoleBinding, RoleRef } from '#apis/rbac/v1/zz_generated.types.ts'
import { groups } from '#core/authn/users.ts'
import { newForbidden, newNotFound } from '#core/errors/status-error.ts'
import type { Authorizer, UserInfo } from '#core/server/exchange.ts'
import { escalationMessage, type RbacIndex } from './rbac-index.ts'

const group = 'rbac.authorization.k8s.io'
const roles = new Set(['roles', 'clusterroles'])
const bindings = new Set(['rolebindings', 'clusterrolebindings'])
const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/**
 * A step of admission: nobody gives away rights he does not hold, neither by writing a role nor by binding one, unless
 * he may `escalate` that role or `bind` it.
 * @see https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
 */
export function escalationPrevention(rbac: RbacIndex, authorizer: Authorizer) {
  return {
    name: 'EscalationPrevention',
    validate(request: AdmissionRequest): void {
      const { object, user } = request
      if (request.group !== group || !object || user.groups.includes(groups.masters)) return
      if (isForGarbageCollection(request)) return
      if (roles.has(request.resource)) judgeRole(request, object as unknown as ClusterRole, rbac, authorizer)
      else if (bindings.has(request.resource)) judgeBinding(request, object as unknown as RoleBinding, rbac, authorizer)
    },
  }
}

function judgeRole(request: AdmissionRequest, role: ClusterRole, rbac: RbacIndex, authorizer: Authorizer): void {
  const { user, namespace, resource, name } = request
  if (may(authorizer, user, 'escalate', { resource, namespace, name })) return
  const missing = rbac.missingRules(user, namespace, role.rules ?? [])
  if (missing.length > 0) throw refusal(request, escalationMessage(user, missing))
  // Whoever chooses what a role collects chooses among all rules there ever will be.
  const old = request.oldObject as unknown as ClusterRole | undefined
  if (!role.aggregationRule && !old?.aggregationRule) return
  const beyond = rbac.missingRules(user, namespace, everything)
  if (beyond.length === 0) return
  const why = escalationMessage(user, beyond)
  throw refusal(request, `must have cluster-admin privileges to use an aggregationRule: ${why}`)
}

function judgeBinding(
  request: AdmissionRequest,
  { roleRef }: RoleBinding,
  rbac: RbacIndex,
  authorizer: Authorizer,
): void {
  const { user, namespace } = request
  const resource = resourceOf(roleRef)
  if (may(authorizer, user, 'bind', { resource, namespace, name: roleRef.name })) return
  const rules = rbac.rulesOfRole(roleRef, namespace)
  if (!rules) throw newNotFound({ group, resource }, roleRef.name)
  const missing = rbac.missingRules(user, namespace, rules)
  if (missing.length > 0) throw refusal(request, escalationMessage(user, missing))
}

const resourceOf = ({ kind }: RoleRef) => (kind === 'ClusterRole' ? 'clusterroles' : 'roles')

function may(
  authorizer: Authorizer,
  user: UserInfo,
  verb: string,
  of: { resource: string; namespace: string; name: string },
): boolean {
  return authorizer.authorize(user, { isResource: true, verb, group, version: 'v1', subresource: '', ...of }).allowed
}

function refusal({ resource, name }: AdmissionRequest, why: string) {
  return newForbidden({ group, resource }, name, why)
}

/** The garbage collector lets go of objects whose rights it does not have. */
function isForGarbageCollection({ object, oldObject }: AdmissionRequest): boolean {
  return oldObject !== undefined && isDeepStrictEqual(withoutOwnership(object!), withoutOwnership(oldObject))
}

function withoutOwnership({ metadata, ...rest }: Readonly<UnstructuredObject>) {
  const { ownerReferences: _owners, finalizers: _finalizers, resourceVersion: _version, ...kept } = metadata
  return { ...rest, metadata: kept }
}
