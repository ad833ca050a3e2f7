import { expect, test } from 'vitest'
import type { FlowSchema, PolicyRulesWithSubjects, Subject } from '#apis/flowcontrol/v1/zz_generated.types.ts'
import { parseRequest } from '#core/server/request-info.ts'
import { queryOf } from '#core/server/request-target.ts'
import { mandatorySchemas, suggestedSchemas } from './defaults.ts'
import { bySchemaOrder, matchFor } from './flow-schema.ts'

const jane = { username: 'jane', groups: ['devs', 'system:authenticated'] }
const bot = { username: 'system:serviceaccount:ci:bot', groups: ['system:serviceaccounts'] }

function schema(rules: PolicyRulesWithSubjects, name = 'some', matchingPrecedence = 1_000): FlowSchema {
  const spec = { priorityLevelConfiguration: { name: 'level' }, matchingPrecedence, rules: [rules] }
  return { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name }, spec }
}

const request = (line: string) => {
  const [method = '', target = ''] = line.split(' ')
  return parseRequest(method, target.split('?')[0]!, () => queryOf(target))
}

const everyPath = [{ verbs: ['*'], nonResourceURLs: ['*'] }]

test.each<{ name: string; subject: Subject; user?: typeof jane; want: boolean }>([
  { name: 'a user by name', subject: { kind: 'User', user: { name: 'jane' } }, want: true },
  { name: 'another user', subject: { kind: 'User', user: { name: 'joe' } }, want: false },
  { name: 'any user', subject: { kind: 'User', user: { name: '*' } }, want: true },
  { name: 'a group', subject: { kind: 'Group', group: { name: 'devs' } }, want: true },
  { name: 'another group', subject: { kind: 'Group', group: { name: 'ops' } }, want: false },
  { name: 'a subject without its part', subject: { kind: 'Group' }, want: false },
  {
    name: 'a service account',
    subject: { kind: 'ServiceAccount', serviceAccount: { namespace: 'ci', name: 'bot' } },
    user: bot,
    want: true,
  },
  {
    name: 'any account of a namespace',
    subject: { kind: 'ServiceAccount', serviceAccount: { namespace: 'ci', name: '*' } },
    user: bot,
    want: true,
  },
  {
    name: 'an account of another namespace',
    subject: { kind: 'ServiceAccount', serviceAccount: { namespace: 'c', name: '*' } },
    user: bot,
    want: false,
  },
])('a schema for $name is about its requests: $want', ({ subject, user = jane, want }) => {
  const match = matchFor(schema({ subjects: [subject], nonResourceRules: everyPath }), user)
  expect(match?.(request('GET /version')) ?? false).toBe(want)
})

const anyone: Subject[] = [{ kind: 'Group', group: { name: '*' } }]
const resources = (rule: object): PolicyRulesWithSubjects => ({
  subjects: anyone,
  resourceRules: [{ verbs: ['get'], apiGroups: ['apps'], resources: ['deployments'], namespaces: ['a'], ...rule }],
})
const paths = (...nonResourceURLs: string[]): PolicyRulesWithSubjects => ({
  subjects: anyone,
  nonResourceRules: [{ verbs: ['get'], nonResourceURLs }],
})
const one = 'GET /apis/apps/v1/namespaces/a/deployments/x'

test.each([
  { rules: resources({}), line: one, want: true },
  { rules: resources({}), line: 'PUT /apis/apps/v1/namespaces/a/deployments/x', want: false },
  { rules: resources({}), line: 'GET /api/v1/namespaces/a/deployments/x', want: false },
  { rules: resources({}), line: 'GET /apis/apps/v1/namespaces/b/deployments/x', want: false },
  { rules: resources({}), line: 'GET /apis/apps/v1/namespaces/a/deployments/x/status', want: false },
  { rules: resources({ resources: ['deployments/status'] }), line: `${one}/status`, want: true },
  { rules: resources({ resources: ['*'] }), line: `${one}/scale`, want: true },
  { rules: resources({ namespaces: ['*'] }), line: one, want: true },
  { rules: resources({ namespaces: undefined }), line: one, want: false },
  { rules: resources({ verbs: ['list'], namespaces: ['*'] }), line: 'GET /apis/apps/v1/deployments', want: false },
  { rules: resources({ verbs: ['list'], clusterScope: true }), line: 'GET /apis/apps/v1/deployments', want: true },
  { rules: resources({ verbs: ['*'], namespaces: ['*'] }), line: 'GET /version', want: false },
  { rules: paths('/healthz'), line: 'GET /healthz', want: true },
  { rules: paths('/healthz'), line: 'GET /healthz/ping', want: false },
  { rules: paths('/healthz/*'), line: 'GET /healthz/ping', want: true },
  { rules: paths('*'), line: 'GET /openapi/v2', want: true },
  { rules: paths('*'), line: 'POST /openapi/v2', want: false },
  { rules: paths('*'), line: one, want: false },
])('$line is matched: $want', ({ rules, line, want }) => {
  expect(matchFor(schema(rules), jane)?.(request(line))).toBe(want)
})

test('schemas are tried by precedence, then by name', () => {
  const rules = paths('*')
  const sorted = [schema(rules, 'b', 10), schema(rules, 'z', 1), schema(rules, 'a', 10)].sort(bySchemaOrder)
  expect(sorted.map(({ metadata }) => metadata.name)).toEqual(['z', 'a', 'b'])
})

const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/one'
const authenticated = 'system:authenticated'

test.each([
  { who: 'an administrator', groups: ['system:masters', authenticated], line: one, want: 'exempt' },
  { who: 'anyone', groups: [authenticated], line: one, want: 'global-default' },
  { who: 'nobody', groups: ['system:unauthenticated'], line: 'GET /livez', want: 'probes' },
  { who: 'nobody', groups: ['system:unauthenticated'], line: 'GET /version', want: 'global-default' },
  { who: 'a node', groups: ['system:nodes', authenticated], line: `PUT ${lease}`, want: 'system-node-high' },
  {
    who: 'a node',
    groups: ['system:nodes', authenticated],
    line: 'PATCH /api/v1/nodes/one/status',
    want: 'system-node-high',
  },
  { who: 'a node', groups: ['system:nodes', authenticated], line: 'GET /api/v1/pods', want: 'system-nodes' },
  { who: 'system:kube-scheduler', groups: [authenticated], line: `PUT ${lease}`, want: 'system-leader-election' },
  { who: 'system:kube-scheduler', groups: [authenticated], line: 'GET /api/v1/pods', want: 'kube-scheduler' },
  {
    who: 'system:kube-controller-manager',
    groups: [authenticated],
    line: 'POST /api/v1/namespaces/a/endpoints',
    want: 'endpoint-controller',
  },
  {
    who: 'system:serviceaccount:kube-system:x',
    groups: ['system:serviceaccounts', authenticated],
    line: 'GET /api/v1/pods',
    want: 'kube-system-service-accounts',
  },
  {
    who: 'system:serviceaccount:keelson-system:controller-storage-version-migrator',
    groups: ['system:serviceaccounts', authenticated],
    line: 'GET /api/v1/pods',
    want: 'keelson-background',
  },
  {
    who: 'system:serviceaccount:keelson-system:x',
    groups: ['system:serviceaccounts', authenticated],
    line: 'GET /api/v1/pods',
    want: 'keelson-plugins',
  },
  {
    who: bot.username,
    groups: ['system:serviceaccounts', authenticated],
    line: 'GET /api/v1/pods',
    want: 'service-accounts',
  },
])('by default $who asking $line is of $want', ({ who, groups, line, want }) => {
  const schemas = [...suggestedSchemas, ...mandatorySchemas].sort(bySchemaOrder)
  const found = schemas.find((one) => matchFor(one, { username: who, groups })?.(request(line)))
  expect(found?.metadata.name).toBe(want)
})
