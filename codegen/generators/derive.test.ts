import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { deriveCatalog, kebab, parsePath, verbsOf } from './derive.ts'
import type { Endpoint } from './reference.ts'

const paths = [
  { path: '/api/v1/pods', want: ['', 'v1', 'pods', false, ''] },
  { path: '/api/v1/namespaces/{name}/status', want: ['', 'v1', 'namespaces', false, 'status'] },
  { path: '/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}', want: ['', 'v1', 'pods', true, 'proxy'] },
  {
    path: '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale',
    want: ['apps', 'v1', 'deployments', true, 'scale'],
  },
  { path: '/version', want: undefined },
]
test.each(paths)('parsePath reads $path', ({ path, want }) => {
  const at = parsePath(path)
  expect(at && [at.group, at.version, at.resource, at.namespaced, at.subresource]).toEqual(want)
})

const verbs = [
  { actions: ['list', 'get'], want: 'get,list' },
  { actions: ['post'], want: 'create' },
  { actions: ['list', 'post', 'put'], want: 'create,list,update,watch' },
]
test.each(verbs)('verbsOf $actions is $want', ({ actions, want }) => {
  expect(verbsOf(new Set(actions)).join()).toBe(want)
})

const kebabs = [
  ['TokenReview', 'token-review'],
  ['SelfSubjectRulesReview', 'self-subject-rules-review'],
  ['APIService', 'apiservice'],
]
test.each(kebabs)('kebab %s is %s', (kind, want) => expect(kebab(kind)).toBe(want))

const object = (properties: Record<string, JsonSchema> = {}): JsonSchema => ({ type: 'object', properties })
const endpoint = (path: string, action: string, kind: string): Endpoint => {
  const { group, version } = parsePath(path)!
  return { path, method: action === 'post' ? 'post' : 'get', action, group, version, kind }
}

test('deriveCatalog prefers and stores the newest version, and takes only types that are reached', () => {
  const definitions = new Map([
    ['io.k8s.api.autoscaling.v1.Scale', object()],
    ['io.k8s.api.demo.v1.Thing', object({ spec: { $ref: 'io.k8s.api.demo.v1.ThingSpec' } })],
    ['io.k8s.api.demo.v1.ThingSpec', object()],
    ['io.k8s.api.demo.v1.Unused', object()],
    ['io.k8s.api.demo.v2.Thing', object()],
    ['io.k8s.api.demo.v3alpha1.Thing', object()],
  ])
  const endpoints = ['v1', 'v2', 'v3alpha1'].flatMap((version) => [
    endpoint(`/apis/demo/${version}/things`, 'list', 'Thing'),
    endpoint(`/apis/demo/${version}/things/{name}/status`, 'get', 'Thing'),
  ])
  const { manifests, types } = deriveCatalog({ definitions, endpoints })
  expect(manifests).toHaveLength(1)
  expect(manifests[0]!.spec.versions.map(({ name, storage }) => [name, storage])).toEqual([
    ['v2', true],
    ['v1', false],
  ])
  expect(manifests[0]!.spec['x-keelson'].verbs).toEqual(['list'])
  expect([...types.keys()]).toEqual([
    'io.k8s.api.autoscaling.v1.Scale',
    'io.k8s.api.demo.v1.Thing',
    'io.k8s.api.demo.v1.ThingSpec',
    'io.k8s.api.demo.v2.Thing',
  ])
})

test('deriveCatalog makes a kind that can only be created a virtual one', () => {
  const definitions = new Map([
    ['io.k8s.api.autoscaling.v1.Scale', object()],
    ['io.k8s.api.demo.v1.ThingReview', object()],
  ])
  const endpoints = [endpoint('/apis/demo/v1/thingreviews', 'post', 'ThingReview')]
  const [manifest] = deriveCatalog({ definitions, endpoints }).manifests
  expect(manifest!.spec['x-keelson']).toMatchObject({ virtual: 'thing-review' })
})
