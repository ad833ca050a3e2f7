import { beforeAll, expect, test } from 'vitest'
import type { RequestAttributes, UserInfo } from '#core/server/exchange.ts'
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from './bootstrap-policy.ts'
import { forbiddenMessage, newForbiddenFor, requireAllowed } from './forbidden.ts'
import { nodeAuthorizer } from './node-authorizer.ts'
import { RbacIndex } from './rbac/rbac-index.ts'
import { union } from './union.ts'

type ResourceAttributes = Extract<RequestAttributes, { isResource: true }>
const on = (
  verb: string,
  group: string,
  resource: string,
  more: Partial<ResourceAttributes> = {},
): ResourceAttributes => ({
  isResource: true,
  verb,
  group,
  version: 'v1',
  resource,
  subresource: '',
  namespace: '',
  name: '',
  ...more,
})
const at = (path: string): RequestAttributes => ({ isResource: false, verb: 'get', path })
const jane: UserInfo = { username: 'jane', groups: ['system:authenticated'] }

test.each([
  {
    attributes: on('list', '', 'pods', { namespace: 'default' }),
    want: 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
  },
  {
    attributes: on('get', '', 'pods', { namespace: 'default', name: 'web', subresource: 'log' }),
    want: 'pods "web" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "default"',
  },
  {
    attributes: on('create', 'apps', 'deployments'),
    want: 'deployments.apps is forbidden: User "jane" cannot create resource "deployments" in API group "apps" at the cluster scope',
  },
  { attributes: at('/metrics'), want: 'forbidden: User "jane" cannot get path "/metrics"' },
])('Forbidden reads: $want', ({ attributes, want }) => expect(forbiddenMessage(jane, attributes)).toBe(want))

test('Forbidden carries the reason and the details clients read', () => {
  const error = newForbiddenFor(jane, on('get', 'apps', 'deployments', { name: 'x' }), 'RBAC: gone')
  expect(error.status).toMatchObject({ code: 403, details: { group: 'apps', kind: 'deployments', name: 'x' } })
  expect(error.message).toMatch(/cluster scope: RBAC: gone$/)
})

test('a union allows what one allows, and otherwise gives all reasons', () => {
  const saying = (allowed: boolean, reason: string) => ({ authorize: () => ({ allowed, reason }) })
  expect(union([saying(false, 'a'), saying(true, 'b')]).authorize(jane, at('/'))).toEqual({
    allowed: true,
    reason: 'b',
  })
  const refusing = union([saying(false, 'a'), saying(false, ''), saying(false, 'c')])
  expect(refusing.authorize(jane, at('/'))).toEqual({ allowed: false, reason: 'a, c' })
  expect(() => requireAllowed(refusing, jane, at('/x'))).toThrow('forbidden: User "jane" cannot get path "/x": a, c')
})

const node: UserInfo = { username: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] }
test.each([
  {
    name: 'updates its own status',
    attributes: on('patch', '', 'nodes', { name: 'a', subresource: 'status' }),
    want: true,
  },
  {
    name: "does not update another's",
    attributes: on('patch', '', 'nodes', { name: 'b', subresource: 'status' }),
    want: false,
  },
  { name: 'registers', attributes: on('create', '', 'nodes'), want: true },
  {
    name: 'renews its lease',
    attributes: on('update', 'coordination.k8s.io', 'leases', { namespace: 'kube-node-lease', name: 'a' }),
    want: true,
  },
  {
    name: 'leaves other leases alone',
    attributes: on('update', 'coordination.k8s.io', 'leases', { name: 'kube-scheduler' }),
    want: false,
  },
  { name: 'watches pods', attributes: on('watch', '', 'pods'), want: true },
  { name: 'makes no deployments', attributes: on('create', 'apps', 'deployments'), want: false },
])('a node $name', ({ attributes, want }) => expect(nodeAuthorizer().authorize(node, attributes).allowed).toBe(want))

test.each([
  { name: 'the group alone', user: { username: 'jane', groups: ['system:nodes'] } },
  { name: 'the name alone', user: { username: 'system:node:a', groups: [] } },
  { name: 'an empty name', user: { username: 'system:node:', groups: ['system:nodes'] } },
])('$name makes no node', ({ user }) => {
  expect(nodeAuthorizer().authorize(user, on('watch', '', 'pods')).allowed).toBe(false)
})

const index = new RbacIndex()
beforeAll(() => {
  for (const role of bootstrapClusterRoles) index.upsertClusterRole(role)
  for (const binding of bootstrapClusterRoleBindings) index.upsertClusterRoleBinding(binding)
  for (const name of ['admin', 'edit', 'view']) {
    index.upsertRoleBinding({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name, namespace: 'team' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'Group', name }],
    })
  }
})

const inTeam = { namespace: 'team' }
const policy: { who: UserInfo; does: RequestAttributes; want: boolean }[] = [
  { who: jane, does: at('/version'), want: true },
  { who: jane, does: at('/apis/apps/v1'), want: true },
  { who: jane, does: at('/metrics'), want: false },
  { who: jane, does: on('create', 'authorization.k8s.io', 'selfsubjectaccessreviews'), want: true },
  { who: jane, does: on('list', '', 'pods', inTeam), want: false },
  { who: { username: 'system:anonymous', groups: ['system:unauthenticated'] }, does: at('/readyz'), want: true },
  { who: { username: 'system:anonymous', groups: ['system:unauthenticated'] }, does: at('/api'), want: false },
  { who: { username: 'p', groups: ['system:monitoring'] }, does: at('/metrics'), want: true },
  {
    who: { username: 'v', groups: ['view'] },
    does: on('get', '', 'pods', { ...inTeam, subresource: 'log' }),
    want: true,
  },
  { who: { username: 'v', groups: ['view'] }, does: on('get', '', 'secrets', inTeam), want: false },
  { who: { username: 'v', groups: ['view'] }, does: on('delete', '', 'pods', inTeam), want: false },
  { who: { username: 'e', groups: ['edit'] }, does: on('list', 'apps', 'deployments', inTeam), want: true },
  {
    who: { username: 'e', groups: ['edit'] },
    does: on('patch', 'apps', 'deployments', { ...inTeam, subresource: 'scale' }),
    want: true,
  },
  { who: { username: 'e', groups: ['edit'] }, does: on('get', '', 'secrets', inTeam), want: true },
  {
    who: { username: 'e', groups: ['edit'] },
    does: on('create', 'rbac.authorization.k8s.io', 'roles', inTeam),
    want: false,
  },
  {
    who: { username: 'e', groups: ['edit'] },
    does: on('patch', '', 'pods', { ...inTeam, subresource: 'status' }),
    want: false,
  },
  {
    who: { username: 'a', groups: ['admin'] },
    does: on('create', 'rbac.authorization.k8s.io', 'roles', inTeam),
    want: true,
  },
  { who: { username: 'a', groups: ['admin'] }, does: on('list', '', 'pods', inTeam), want: true },
  { who: { username: 'a', groups: ['admin'] }, does: on('update', '', 'resourcequotas', inTeam), want: false },
  { who: { username: 'a', groups: ['admin'] }, does: on('list', '', 'pods', { namespace: 'other' }), want: false },
  {
    who: { username: 'system:kube-scheduler', groups: [] },
    does: on('create', '', 'pods', { subresource: 'binding', namespace: 'x' }),
    want: true,
  },
  {
    who: { username: 'system:kube-controller-manager', groups: [] },
    does: on('watch', 'acme.dev', 'things'),
    want: true,
  },
]
test.each(policy)('by default, $who.username on $does: $want', ({ who, does, want }) => {
  expect(index.authorize(who, does).allowed).toBe(want)
})

test('every default binding names a default role, and all carry the marks of defaults', () => {
  const roles = new Set(bootstrapClusterRoles.map(({ metadata }) => metadata.name))
  expect(roles.size).toBe(bootstrapClusterRoles.length)
  for (const { roleRef } of bootstrapClusterRoleBindings) expect(roles).toContain(roleRef.name)
  for (const { metadata } of [...bootstrapClusterRoles, ...bootstrapClusterRoleBindings]) {
    expect(metadata.labels?.['kubernetes.io/bootstrapping']).toBe('rbac-defaults')
    expect(metadata.annotations?.['rbac.authorization.kubernetes.io/autoupdate']).toBe('true')
  }
})
