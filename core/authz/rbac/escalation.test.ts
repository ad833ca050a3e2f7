import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { Admission } from '#apis/plugin/v1/admission.ts'
import type { ClusterRole, PolicyRule } from '#apis/rbac/v1/zz_generated.types.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { reviveObject } from '#core/machinery/canonical.ts'
import type { UserInfo } from '#core/server/exchange.ts'
import { admin, openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { showAggregatedRules } from './aggregation.ts'
import { escalationPrevention } from './escalation.ts'
import { feedRbac } from './feed.ts'
import { RbacIndex } from './rbac-index.ts'

const rbacGroup = 'rbac.authorization.k8s.io'
const typed = (kind: string) => ({ apiVersion: `${rbacGroup}/v1`, kind })
const clusterRole = (name: string, rules: PolicyRule[]) => ({ ...typed('ClusterRole'), metadata: { name }, rules })
const role = (name: string, rules: PolicyRule[]) => ({
  ...typed('Role'),
  metadata: { name, namespace: 'team' },
  rules,
})
const roleRef = (kind: string, name: string) => ({ apiGroup: rbacGroup, kind, name })
const subjects = [{ kind: 'User', apiGroup: rbacGroup, name: 'jane' }]
const binding = (name: string, kind: string, to: string) => ({
  ...typed('RoleBinding'),
  metadata: { name, namespace: 'team' },
  roleRef: roleRef(kind, to),
  subjects,
})
const clusterBinding = (name: string, to: string) => ({
  ...typed('ClusterRoleBinding'),
  metadata: { name },
  roleRef: roleRef('ClusterRole', to),
  subjects,
})

const readPods: PolicyRule = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }
const readSecrets: PolicyRule = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }
const everything: PolicyRule = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }
const jane: UserInfo = { username: 'jane', groups: ['dev', 'system:authenticated'] }

/** A registry in which jane may read pods of `team`, and who may write there is not asked. */
async function openTeam(granted: readonly PolicyRule[] = [readPods]): Promise<TestRegistry & { rbac: RbacIndex }> {
  const rbac = new RbacIndex()
  const step = escalationPrevention(rbac, rbac)
  const admission: Admission = { mutate: async () => {}, validate: async (request) => step.validate(request) }
  const registry = await openTestRegistry({ admission })
  feedRbac(rbac, registry.registry)
  await registry.create(`${rbacGroup}/v1/clusterroles`, clusterRole('granted', [...granted]))
  await registry.create(`${rbacGroup}/v1/rolebindings`, binding('granted', 'ClusterRole', 'granted'))
  await registry.create(`${rbacGroup}/v1/clusterroles`, clusterRole('secrets', [readSecrets]))
  return Object.assign(registry, { rbac })
}

interface Attempt {
  name: string
  granted?: PolicyRule[]
  resource: string
  object: object
  /** Absent: it is let through. */
  refused?: { code: number; message?: RegExp | string }
}

const escalate = (resource: string): PolicyRule => ({
  apiGroups: [rbacGroup],
  resources: [resource],
  verbs: ['escalate'],
})
const bindSecrets: PolicyRule = {
  apiGroups: [rbacGroup],
  resources: ['clusterroles'],
  resourceNames: ['secrets'],
  verbs: ['bind'],
}

test.each<Attempt>([
  { name: 'a role with what she holds', resource: 'roles', object: role('r', [readPods]) },
  {
    name: 'a role with more',
    resource: 'roles',
    object: role('r', [readPods, readSecrets]),
    refused: {
      code: 403,
      message: `roles.${rbacGroup} "r" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
    },
  },
  {
    name: 'a cluster role with what she holds in one namespace',
    resource: 'clusterroles',
    object: clusterRole('r', [readPods]),
    refused: { code: 403, message: /attempting to grant RBAC permissions not currently held/ },
  },
  {
    name: 'a role with more, allowed to escalate',
    granted: [escalate('roles')],
    resource: 'roles',
    object: role('r', [everything]),
  },
  {
    name: 'an aggregated role',
    resource: 'clusterroles',
    object: { ...clusterRole('r', []), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } },
    refused: { code: 403, message: /must have cluster-admin privileges to use an aggregationRule/ },
  },
  { name: 'binding a role she holds', resource: 'rolebindings', object: binding('b', 'ClusterRole', 'granted') },
  {
    name: 'binding a role with more',
    resource: 'rolebindings',
    object: binding('b', 'ClusterRole', 'secrets'),
    refused: { code: 403, message: /^rolebindings\.rbac\.authorization\.k8s\.io "b" is forbidden: user "jane"/ },
  },
  {
    name: 'binding everywhere what she holds in one namespace',
    resource: 'clusterrolebindings',
    object: clusterBinding('b', 'granted'),
    refused: { code: 403 },
  },
  {
    name: 'binding a role with more, allowed to bind it',
    granted: [bindSecrets],
    resource: 'rolebindings',
    object: binding('b', 'ClusterRole', 'secrets'),
  },
  {
    name: 'binding a role that is not there',
    resource: 'rolebindings',
    object: binding('b', 'Role', 'gone'),
    refused: { code: 404, message: `roles.${rbacGroup} "gone" not found` },
  },
  {
    name: 'binding a role that is not there, allowed to bind any',
    granted: [{ apiGroups: [rbacGroup], resources: ['roles'], verbs: ['bind'] }],
    resource: 'rolebindings',
    object: binding('b', 'Role', 'gone'),
  },
])('jane creates $name', async ({ granted, resource, object, refused }) => {
  await using team = await openTeam(granted)
  const attempt = team.create(`${rbacGroup}/v1/${resource}`, object, { user: jane })
  if (!refused) {
    await expect(attempt).resolves.toBeDefined()
    return
  }
  const status = statusOf(await attempt.catch((error: unknown) => error))
  expect(status.code).toBe(refused.code)
  if (refused.message) expect(status.message).toMatch(refused.message)
})

test('updates are judged as creates are, but finalizers and owners may be let go of', async () => {
  await using team = await openTeam()
  const rules = [readSecrets]
  const owned = { ...role('r', rules), metadata: { name: 'r', namespace: 'team', finalizers: ['a.dev/b'] } }
  await team.create(`${rbacGroup}/v1/roles`, owned)
  const served = team.served(`${rbacGroup}/v1/roles`)
  const at = { namespace: 'team', name: 'r' }
  const update = (change: (role: ClusterRole) => void) =>
    team.store.update(
      served,
      at,
      '',
      ({ bytes }) => {
        const object = reviveObject(bytes)
        change(object as ClusterRole)
        return object
      },
      { ...admin, user: jane },
    )
  await expect(update((object) => object.rules!.push(everything))).rejects.toThrow('not currently held')
  await expect(update((object) => Object.assign(object.metadata, { labels: { a: 'b' } }))).rejects.toThrow(
    'not currently held',
  )
  await expect(update((object) => Object.assign(object.metadata, { finalizers: [] }))).resolves.toBeDefined()
})

test('administrators by group may write anything', async () => {
  await using team = await openTeam()
  await expect(team.create(`${rbacGroup}/v1/clusterroles`, clusterRole('all', [everything]))).resolves.toBeDefined()
})

test('an aggregated role shows the rules it collects, and follows them', async () => {
  await using team = await openTeam()
  const { rbac, registry, store } = team
  const log = { debug() {}, info() {}, warn() {}, error: (message: string) => team.errors.push(message) }
  showAggregatedRules({ rbac, registry, store, log })
  const of = `${rbacGroup}/v1/clusterroles`
  const shown = () => (team.get(of, 'all-readers') as ClusterRole | undefined)?.rules
  const labelled = (name: string, rules: PolicyRule[]) => ({
    ...clusterRole(name, rules),
    metadata: { name, labels: { reader: 'yes' } },
  })
  await team.create(of, {
    ...clusterRole('all-readers', []),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { reader: 'yes' } }] },
  })
  await team.create(of, labelled('b', [readSecrets]))
  await team.create(of, labelled('a', [readPods, readSecrets]))
  await until(team, () => JSON.stringify(shown()) === JSON.stringify([readPods, readSecrets]))
  await store.delete(team.served(of), { namespace: '', name: 'a' }, {}, admin)
  await until(team, () => JSON.stringify(shown()) === JSON.stringify([readSecrets]))
  expect(team.errors).toEqual([])
})

/** Resolves once `isSo`, asked at every change of a ClusterRole. */
async function until(team: TestRegistry, isSo: () => boolean): Promise<void> {
  const changes = new EventTarget()
  const { cache } = team.served(`${rbacGroup}/v1/clusterroles`).resource
  const stop = cache.onChange(() => queueMicrotask(() => changes.dispatchEvent(new Event('change'))))
  while (!isSo()) await once(changes, 'change')
  stop()
}
