import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { ClusterRole, PolicyRule, Subject } from '#apis/rbac/v1/zz_generated.types.ts'
import type { RequestAttributes, UserInfo } from '#core/server/exchange.ts'
import { escalationMessage, RbacIndex } from './rbac-index.ts'
import { compileRule, ruleAllows, uncovered } from './rules.ts'

const rbac = 'rbac.authorization.k8s.io'
const typed = (kind: string) => ({ apiVersion: `${rbac}/v1`, kind })
const clusterRole = (name: string, rules: PolicyRule[], more: Partial<ClusterRole> = {}): ClusterRole => ({
  ...typed('ClusterRole'),
  metadata: { name },
  rules,
  ...more,
})
const refTo = (kind: string, name: string) => ({ apiGroup: rbac, kind, name })
const userSubject = (name: string): Subject => ({ kind: 'User', name })
const jane: UserInfo = { username: 'jane', groups: ['dev', 'system:authenticated'] }
const builder: UserInfo = { username: 'system:serviceaccount:ci:build', groups: ['system:serviceaccounts'] }

type ResourceAttributes = Extract<RequestAttributes, { isResource: true }>
const podsIn = (namespace: string, more: Partial<ResourceAttributes> = {}): ResourceAttributes => ({
  isResource: true,
  verb: 'list',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace,
  name: '',
  ...more,
})
const readPods: PolicyRule = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }

let index: RbacIndex
beforeEach(() => {
  index = new RbacIndex()
})

function bindEverywhere(name: string, role: string, ...subjects: Subject[]) {
  index.upsertClusterRoleBinding({
    ...typed('ClusterRoleBinding'),
    metadata: { name },
    roleRef: refTo('ClusterRole', role),
    subjects,
  })
}
function bindIn(namespace: string, name: string, kind: string, role: string, ...subjects: Subject[]) {
  index.upsertRoleBinding({
    ...typed('RoleBinding'),
    metadata: { name, namespace },
    roleRef: refTo(kind, role),
    subjects,
  })
}
const allows = (user: UserInfo, attributes: RequestAttributes) => index.authorize(user, attributes).allowed

test('system:masters may do anything, others nothing until a binding says so', () => {
  expect(allows({ username: 'x', groups: ['system:masters'] }, podsIn(''))).toBe(true)
  expect(index.authorize(jane, podsIn('a'))).toEqual({ allowed: false, reason: '' })
})

test('a cluster role binding holds everywhere, a role binding in its namespace', () => {
  index.upsertClusterRole(clusterRole('reader', [readPods]))
  bindIn('a', 'b', 'ClusterRole', 'reader', userSubject('jane'))
  expect([allows(jane, podsIn('a')), allows(jane, podsIn('b')), allows(jane, podsIn(''))]).toEqual([true, false, false])
  expect(index.authorize(jane, podsIn('a')).reason).toBe(
    'RBAC: allowed by RoleBinding "a/b" of ClusterRole "reader" to User "jane"',
  )
  bindEverywhere('all', 'reader', { kind: 'Group', name: 'dev' })
  expect([allows(jane, podsIn('b')), allows(jane, podsIn(''))]).toEqual([true, true])
  index.removeClusterRoleBinding('all')
  index.removeRoleBinding('a', 'b')
  expect([allows(jane, podsIn('a')), allows(jane, podsIn(''))]).toEqual([false, false])
})

test('roles are of their namespace, and changes of roles and bindings take effect', () => {
  index.upsertRole({ ...typed('Role'), metadata: { name: 'r', namespace: 'a' }, rules: [readPods] })
  bindIn('a', 'x', 'Role', 'r', { kind: 'ServiceAccount', name: 'build', namespace: 'ci' })
  bindIn('b', 'x', 'Role', 'r', { kind: 'ServiceAccount', name: 'build', namespace: 'ci' })
  expect(allows(builder, podsIn('a'))).toBe(true)
  expect(index.authorize(builder, podsIn('b'))).toEqual({
    allowed: false,
    reason: `RBAC: role.${rbac} "r" not found`,
  })
  index.upsertRole({ ...typed('Role'), metadata: { name: 'r', namespace: 'a' }, rules: [] })
  expect(allows(builder, podsIn('a'))).toBe(false)
  index.upsertRole({ ...typed('Role'), metadata: { name: 'r', namespace: 'b' }, rules: [readPods] })
  expect(allows(builder, podsIn('b'))).toBe(true)
  bindIn('b', 'x', 'Role', 'r', userSubject('jane'))
  expect([allows(builder, podsIn('b')), allows(jane, podsIn('b'))]).toEqual([false, true])
  index.removeRole('b', 'r')
  expect(allows(jane, podsIn('b'))).toBe(false)
})

test('a service account without a namespace is of the binding, and nobody cluster-wide', () => {
  index.upsertClusterRole(clusterRole('reader', [readPods]))
  bindIn('ci', 'x', 'ClusterRole', 'reader', { kind: 'ServiceAccount', name: 'build' })
  bindEverywhere('y', 'reader', { kind: 'ServiceAccount', name: 'build' })
  expect([allows(builder, podsIn('ci')), allows(builder, podsIn(''))]).toEqual([true, false])
})

test('several missing roles are all named', () => {
  bindEverywhere('a', 'gone', userSubject('jane'))
  bindIn('n', 'b', 'Role', 'lost', userSubject('jane'))
  expect(index.authorize(jane, podsIn('n')).reason).toBe(
    `RBAC: [clusterrole.${rbac} "gone" not found, role.${rbac} "lost" not found]`,
  )
})

test('an aggregated role is made of the roles it selects, at any depth, cycles included', () => {
  const aggregate = (to: string) => ({ aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [to]: 'true' } }] } })
  index.upsertClusterRole(clusterRole('admin', [{ ...readPods, verbs: ['stale'] }], aggregate('to-admin')))
  index.upsertClusterRole({
    ...clusterRole('view', [], aggregate('to-view')),
    metadata: { name: 'view', labels: { 'to-admin': 'true', 'to-view': 'true' } },
  })
  bindEverywhere('x', 'admin', userSubject('jane'))
  expect(allows(jane, podsIn(''))).toBe(false)
  index.upsertClusterRole({
    ...clusterRole('pods', [readPods]),
    metadata: { name: 'pods', labels: { 'to-view': 'true' } },
  })
  expect(allows(jane, podsIn(''))).toBe(true)
  expect(allows(jane, podsIn('', { verb: 'stale' }))).toBe(false)
  expect(index.rulesOfRole({ kind: 'ClusterRole', name: 'admin' }, '')).toEqual([readPods])
  const broken = { clusterRoleSelectors: [{ matchExpressions: [{ key: 'x', operator: 'Nope' }] }] }
  index.upsertClusterRole(clusterRole('pods', [], { aggregationRule: broken } as Partial<ClusterRole>))
  expect(allows(jane, podsIn(''))).toBe(false)
})

const matching: { rule: Partial<PolicyRule>; attributes: RequestAttributes; want: boolean }[] = [
  { rule: {}, attributes: podsIn('a'), want: true },
  { rule: { verbs: ['watch'] }, attributes: podsIn('a'), want: false },
  { rule: { verbs: ['*'] }, attributes: podsIn('a', { verb: 'anything' }), want: true },
  { rule: { apiGroups: ['apps'] }, attributes: podsIn('a'), want: false },
  { rule: { apiGroups: ['*'] }, attributes: podsIn('a', { group: 'apps' }), want: true },
  { rule: {}, attributes: podsIn('a', { subresource: 'log' }), want: false },
  { rule: { resources: ['pods/log'] }, attributes: podsIn('a', { subresource: 'log' }), want: true },
  { rule: { resources: ['pods/log'] }, attributes: podsIn('a'), want: false },
  { rule: { resources: ['*/log'] }, attributes: podsIn('a', { subresource: 'log' }), want: true },
  { rule: { resources: ['*'] }, attributes: podsIn('a', { subresource: 'log' }), want: true },
  { rule: { resourceNames: ['web'] }, attributes: podsIn('a', { name: 'web' }), want: true },
  { rule: { resourceNames: ['web'] }, attributes: podsIn('a', { name: 'db' }), want: false },
  { rule: { resourceNames: ['web'] }, attributes: podsIn('a'), want: false },
  { rule: { resourceNames: [''] }, attributes: podsIn('a', { name: 'web' }), want: false },
  {
    rule: { nonResourceURLs: ['/metrics'] },
    attributes: { isResource: false, verb: 'get', path: '/metrics' },
    want: true,
  },
  {
    rule: { nonResourceURLs: ['/api/*'] },
    attributes: { isResource: false, verb: 'get', path: '/api/v1' },
    want: true,
  },
  { rule: { nonResourceURLs: ['/api/*'] }, attributes: { isResource: false, verb: 'get', path: '/apis' }, want: false },
  { rule: { nonResourceURLs: ['/'] }, attributes: { isResource: false, verb: 'get', path: '/api' }, want: false },
  { rule: {}, attributes: { isResource: false, verb: 'get', path: '/pods' }, want: false },
]
test.each(matching)('a rule with $rule on $attributes: $want', ({ rule, attributes, want }) => {
  expect(ruleAllows(compileRule({ ...readPods, ...rule }), attributes)).toBe(want)
})

const coverage: { name: string; owned: PolicyRule[]; wanted: PolicyRule[]; missing: PolicyRule[] }[] = [
  { name: 'the same', owned: [readPods], wanted: [readPods], missing: [] },
  { name: 'nothing owned', owned: [], wanted: [readPods], missing: [readPods] },
  {
    name: 'one verb too many',
    owned: [readPods],
    wanted: [{ ...readPods, verbs: ['get', 'delete'] }],
    missing: [{ ...readPods, verbs: ['delete'] }],
  },
  {
    name: 'several rules together',
    owned: [readPods, { ...readPods, resources: ['secrets'], verbs: ['*'] }],
    wanted: [{ ...readPods, resources: ['pods', 'secrets'] }],
    missing: [],
  },
  {
    name: 'all names when some are held',
    owned: [{ ...readPods, resourceNames: ['a'] }],
    wanted: [readPods],
    missing: [readPods],
  },
  {
    name: 'a name among all',
    owned: [readPods],
    wanted: [{ ...readPods, resourceNames: ['a', 'b'] }],
    missing: [],
  },
  {
    name: 'a star when only a list is held',
    owned: [readPods],
    wanted: [{ ...readPods, verbs: ['*'] }],
    missing: [{ ...readPods, verbs: ['*'] }],
  },
  {
    name: 'a subresource of everything',
    owned: [{ ...readPods, resources: ['*/log'] }],
    wanted: [{ ...readPods, resources: ['pods/log', 'pods'] }],
    missing: [readPods],
  },
  {
    name: 'paths',
    owned: [{ verbs: ['get'], nonResourceURLs: ['/api/*'] }],
    wanted: [{ verbs: ['get'], nonResourceURLs: ['/api/v1', '/api/*', '/metrics'] }],
    missing: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
  },
]
test.each(coverage)('granting $name', ({ owned, wanted, missing }) => {
  expect(uncovered(owned.map(compileRule), wanted)).toEqual(missing)
})

test('a rule too large to take apart is not covered', () => {
  const many = Array.from({ length: 200 }, (_, at) => `r${at}`)
  const rule = { apiGroups: many, resources: many, verbs: ['get'] }
  expect(uncovered([compileRule(readPods)], [rule])).toEqual([rule])
  expect(uncovered([compileRule({ ...rule, apiGroups: ['*'] })], [rule])).toEqual([])
})

test('what is covered grants nothing that was not allowed', () => {
  const some = (values: string[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 })
  const rules = fc.array(
    fc.record({
      apiGroups: some(['', 'apps', '*']),
      resources: some(['pods', 'pods/log', '*/log', '*']),
      verbs: some(['get', 'list', '*']),
      resourceNames: fc.option(some(['a', 'b']), { nil: undefined }),
    }),
    { maxLength: 3 },
  )
  const requests = ['', 'apps'].flatMap((group) =>
    ['', 'log'].flatMap((subresource) =>
      ['get', 'delete'].flatMap((verb) =>
        ['', 'a', 'c'].map((name) => podsIn('n', { group, subresource, verb, name })),
      ),
    ),
  )
  fc.assert(
    fc.property(rules, rules, (owned, wanted) => {
      const held = owned.map(compileRule)
      const missing = uncovered(held, wanted).map(compileRule)
      const granted = wanted.map(compileRule)
      return requests.every(
        (one) =>
          !granted.some((rule) => ruleAllows(rule, one)) ||
          held.some((rule) => ruleAllows(rule, one)) ||
          missing.some((rule) => ruleAllows(rule, one)),
      )
    }),
  )
})

test('the rules of a user, and what is missing to grant more', () => {
  index.upsertClusterRole(clusterRole('reader', [readPods, { verbs: ['get'], nonResourceURLs: ['/metrics'] }]))
  bindEverywhere('x', 'reader', userSubject('jane'))
  bindIn('a', 'y', 'Role', 'gone', userSubject('jane'))
  expect(index.rulesFor(jane, 'a')).toEqual({
    resourceRules: [readPods],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
    incomplete: true,
    evaluationError: `RBAC: role.${rbac} "gone" not found`,
  })
  expect(index.rulesFor({ username: 'x', groups: ['system:masters'] }, 'a').resourceRules).toHaveLength(1)
  const missing = index.missingRules(jane, 'a', [{ ...readPods, verbs: ['get', 'delete', 'patch'] }])
  expect(escalationMessage(jane, missing)).toBe(
    'user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["delete" "patch"]}',
  )
  expect(index.missingRules({ username: 'x', groups: ['system:masters'] }, '', [readPods])).toEqual([])
})
