import { expect, test } from 'vitest'
import { bootstrapClusterRoles } from '#core/authz/bootstrap-policy.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import { admin, openTestRegistry } from '#core/testing/test-registry.ts'
import { type BootstrapObject, bootstrap, builtinObjects } from './bootstrap.ts'

const clusterRoles = 'rbac.authorization.k8s.io/v1/clusterroles'
const roles: BootstrapObject[] = bootstrapClusterRoles.map((role) => ({
  resource: { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' },
  object: role as unknown as BootstrapObject['object'],
  reconcile: role.aggregationRule ? [] : ['rules'],
}))

test('a second start finds everything and writes nothing', async () => {
  await using registry = await openTestRegistry()
  await bootstrap(registry.registry, registry.store, [...builtinObjects(), ...roles])
  expect(registry.get('v1/namespaces', 'kube-system')).toMatchObject({ status: { phase: 'Active' } })
  const revision = await registry.storage.currentRevision()
  await bootstrap(registry.registry, registry.store, [...builtinObjects(), ...roles])
  expect(await registry.storage.currentRevision()).toBe(revision)
})

test('a start sets back what was changed, unless the object opts out', async () => {
  await using registry = await openTestRegistry()
  await bootstrap(registry.registry, registry.store, roles)
  const change = (name: string, annotations?: Record<string, string>) =>
    registry.store.update(
      registry.served(clusterRoles),
      { namespace: '', name },
      '',
      ({ bytes }) => {
        const object = reviveObject(bytes)
        return { ...object, metadata: { ...object.metadata, ...(annotations && { annotations }) }, rules: [] }
      },
      admin,
    )
  await change('cluster-admin')
  await change('system:node', { 'rbac.authorization.kubernetes.io/autoupdate': 'false' })
  await bootstrap(registry.registry, registry.store, roles)
  expect((registry.get(clusterRoles, 'cluster-admin') as { rules?: unknown[] }).rules).not.toEqual([])
  expect((registry.get(clusterRoles, 'system:node') as { rules?: unknown[] }).rules).toEqual([])
})
