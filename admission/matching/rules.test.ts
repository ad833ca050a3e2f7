import { expect, test } from 'vitest'
import { requestOf } from '../testing/request.ts'
import { mayConcern, type Rule, ruleMatches } from './rules.ts'

const pods: Rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const pod = requestOf({})

const cases: { name: string; rule: Rule; request?: object; want: boolean }[] = [
  { name: 'the same', rule: pods, want: true },
  { name: 'stars', rule: { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }, want: true },
  { name: 'another operation', rule: { ...pods, operations: ['DELETE', 'UPDATE'] }, want: false },
  { name: 'another group', rule: { ...pods, apiGroups: ['apps'] }, want: false },
  { name: 'another version', rule: { ...pods, apiVersions: ['v2'] }, want: false },
  { name: 'another resource', rule: { ...pods, resources: ['podtemplates'] }, want: false },
  { name: 'no resources at all', rule: { ...pods, resources: undefined }, want: false },
  { name: 'a resource for its subresource', rule: pods, request: { subresource: 'status' }, want: false },
  {
    name: 'a star for a subresource',
    rule: { ...pods, resources: ['*'] },
    request: { subresource: 'status' },
    want: false,
  },
  { name: 'all subresources', rule: { ...pods, resources: ['pods/*'] }, request: { subresource: 'log' }, want: true },
  { name: 'all subresources for the resource, which is none', rule: { ...pods, resources: ['pods/*'] }, want: true },
  { name: 'all there is', rule: { ...pods, resources: ['*/*'] }, request: { subresource: 'log' }, want: true },
  {
    name: 'one subresource of all',
    rule: { ...pods, resources: ['*/scale'] },
    request: { subresource: 'scale' },
    want: true,
  },
  {
    name: 'another subresource of all',
    rule: { ...pods, resources: ['*/scale'] },
    request: { subresource: 'log' },
    want: false,
  },
  { name: 'namespaced things', rule: { ...pods, scope: 'Namespaced' }, want: true },
  { name: 'things of the cluster', rule: { ...pods, scope: 'Cluster' }, want: false },
  { name: 'any scope', rule: { ...pods, scope: '*' }, want: true },
]

test.each(cases)('a pod meets a rule for $name: $want', ({ rule, request, want }) => {
  expect(ruleMatches(rule, { ...pod, ...request })).toBe(want)
})

test('a Namespace is of the cluster', () => {
  const request = requestOf({ resource: 'namespaces', kind: 'Namespace', namespace: '', name: 'one' })
  const rule = { ...pods, resources: ['namespaces'] }
  expect(ruleMatches({ ...rule, scope: 'Cluster' }, request)).toBe(true)
  expect(ruleMatches({ ...rule, scope: 'Namespaced' }, request)).toBe(false)
})

test('a resource may be known by another name', () => {
  const rule = { ...pods, apiGroups: ['events.k8s.io'], resources: ['events'] }
  const request = requestOf({ resource: 'events', kind: 'Event' })
  expect(ruleMatches(rule, request)).toBe(false)
  expect(ruleMatches(rule, request, { group: 'events.k8s.io', version: 'v1', resource: 'events' })).toBe(true)
})

test('whether a rule may concern a resource depends on its group and name alone', () => {
  expect(mayConcern({ ...pods, operations: ['DELETE'], resources: ['pods/log'] }, '', 'pods')).toBe(true)
  expect(mayConcern({ ...pods, resources: ['*/scale'] }, '', 'pods')).toBe(true)
  expect(mayConcern(pods, 'apps', 'pods')).toBe(false)
  expect(mayConcern(pods, '', 'secrets')).toBe(false)
})
