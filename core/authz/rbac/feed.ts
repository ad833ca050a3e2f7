import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '#apis/rbac/v1/zz_generated.types.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { Registry } from '#core/registry/registry.ts'
import { nameOfKey } from '#core/registry/resource-store.ts'
import type { RbacIndex } from './rbac-index.ts'

const group = 'rbac.authorization.k8s.io'

/** Keeps the index at what is stored: in the same turn in which a role or a binding changes. */
export function feedRbac(index: RbacIndex, registry: Registry): void {
  follow<ClusterRole>(
    registry,
    'clusterroles',
    (role) => index.upsertClusterRole(role),
    (_, name) => index.removeClusterRole(name),
  )
  follow<Role>(
    registry,
    'roles',
    (role) => index.upsertRole(role),
    (namespace, name) => index.removeRole(namespace, name),
  )
  follow<ClusterRoleBinding>(
    registry,
    'clusterrolebindings',
    (binding) => index.upsertClusterRoleBinding(binding),
    (_, name) => index.removeClusterRoleBinding(name),
  )
  follow<RoleBinding>(
    registry,
    'rolebindings',
    (binding) => index.upsertRoleBinding(binding),
    (namespace, name) => index.removeRoleBinding(namespace, name),
  )
}

function follow<T>(
  registry: Registry,
  resource: string,
  upsert: (object: T) => void,
  remove: (namespace: string, name: string) => void,
): void {
  const { cache } = registry.get(group, resource)!
  for (const entry of cache.list('').entries) upsert(reviveObject(entry.bytes) as T)
  cache.onChange(({ type, entry }) => {
    if (type !== 'DELETED') return upsert(reviveObject(entry.bytes) as T)
    const { namespace, name } = nameOfKey(entry.key)
    remove(namespace, name)
  })
}
