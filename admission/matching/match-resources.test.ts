import { expect, test } from 'vitest'
import type { MatchResources } from '#apis/admissionregistration/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { FakeKinds } from '../testing/kinds.ts'
import { FakeReader, requestOf } from '../testing/request.ts'
import { ResourceMatcher } from './match-resources.ts'

const around = {
  reader: new FakeReader().add('namespaces', { metadata: { name: 'default', labels: { team: 'blue' } } }),
  kinds: new FakeKinds(),
}
const rule = { operations: ['*'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['widgets'] }
const widget = (labels: Record<string, string> = {}, version = 'v1'): UnstructuredObject => ({
  apiVersion: `example.com/${version}`,
  kind: 'Widget',
  metadata: { name: 'one', labels },
})
const request = (version = 'v1', more: object = {}) =>
  requestOf({
    group: 'example.com',
    version,
    resource: 'widgets',
    kind: 'Widget',
    object: widget({}, version),
    ...more,
  })

const matches = (match: MatchResources, of = request()) => new ResourceMatcher(match, around).matches(of)
const own = { group: 'example.com', version: 'v1' }

test('a rule that is met tells the resource and the kind', () => {
  const want = { resource: { ...own, resource: 'widgets' }, kind: { ...own, kind: 'Widget' } }
  expect(matches({ resourceRules: [rule] })).toEqual(want)
  expect(matches({})).toEqual(want)
  expect(matches({ resourceRules: [{ ...rule, resources: ['limits'] }] })).toBeUndefined()
})

test('a request in another version is matched in that of the rule, unless the policy is exact', () => {
  expect(matches({ resourceRules: [rule], matchPolicy: 'Equivalent' }, request('v2'))?.kind).toEqual({
    ...own,
    kind: 'Widget',
  })
  expect(matches({ resourceRules: [rule], matchPolicy: 'Exact' }, request('v2'))).toBeUndefined()
  const both = { ...rule, apiVersions: ['v1', 'v2'] }
  expect(matches({ resourceRules: [both], matchPolicy: 'Equivalent' }, request('v2'))?.kind.version).toBe('v2')
})

test('what is excluded is so in all its versions', () => {
  const match = { resourceRules: [{ ...rule, apiVersions: ['*'] }], excludeResourceRules: [rule] }
  expect(matches({ ...match, matchPolicy: 'Equivalent' }, request('v2'))).toBeUndefined()
  expect(matches({ ...match, matchPolicy: 'Exact' }, request('v2'))).toBeDefined()
})

test('names narrow a rule', () => {
  expect(matches({ resourceRules: [{ ...rule, resourceNames: ['one'] }] })).toBeDefined()
  expect(matches({ resourceRules: [{ ...rule, resourceNames: ['two'] }] })).toBeUndefined()
})

test('the object before counts as well as the one after', () => {
  const objectSelector = { matchLabels: { bad: 'yes' } }
  const bad = widget({ bad: 'yes' })
  const good = widget()
  const found = (object?: UnstructuredObject, oldObject?: UnstructuredObject) =>
    matches({ objectSelector }, request('v1', { object, oldObject })) !== undefined
  expect([found(bad), found(good, bad), found(undefined, bad), found(good, good), found()]).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
})

test('namespaces are selected by their labels, and must be there', () => {
  const namespaceSelector = { matchLabels: { team: 'blue' } }
  expect(matches({ namespaceSelector })).toBeDefined()
  expect(matches({ namespaceSelector: { matchLabels: { team: 'red' } } })).toBeUndefined()
  expect(() => matches({ namespaceSelector }, request('v1', { namespace: 'gone' }))).toThrow(
    'namespaces "gone" not found',
  )
  // A rule that is not met is not held up by that.
  const others = { namespaceSelector, resourceRules: [{ ...rule, resources: ['others'] }] }
  expect(matches(others, request('v1', { namespace: 'gone' }))).toBeUndefined()
  // What is in no namespace is selected whatever they are.
  const limit = { group: 'example.com', resource: 'limits', kind: 'Limit', namespace: '' }
  expect(matches({ namespaceSelector: { matchLabels: { team: 'red' } } }, requestOf(limit))).toBeDefined()
})

test('a Namespace is selected by the labels that it is to have', () => {
  const namespaceSelector = { matchLabels: { team: 'red' } }
  const of = { resource: 'namespaces', kind: 'Namespace', namespace: '', name: 'default' }
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels: { team: 'red' } } }
  expect(matches({ namespaceSelector }, requestOf({ ...of, operation: 'UPDATE', object }))).toBeDefined()
  expect(matches({ namespaceSelector }, requestOf({ ...of, operation: 'DELETE', oldObject: object }))).toBeUndefined()
})

test('it may concern a resource by a rule for an equivalent of it', () => {
  const concerns = (match: MatchResources, resource: string) =>
    new ResourceMatcher(match, around).mayConcern('example.com', resource)
  expect(concerns({}, 'anything')).toBe(true)
  expect(concerns({ resourceRules: [rule], matchPolicy: 'Equivalent' }, 'widgets')).toBe(true)
  expect(concerns({ resourceRules: [rule], matchPolicy: 'Equivalent' }, 'limits')).toBe(false)
})
