import { expect, test } from 'vitest'
import { compile } from '../cel.ts'
import {
  type AuthorizationCheck,
  Authorizer,
  authorizerType,
  requestResource,
  resourceCheckType,
} from './authorizer.ts'
import { kubernetesEnvironment } from './kubernetes.ts'

const environment = kubernetesEnvironment.extend({
  variables: { authorizer: authorizerType, 'authorizer.requestResource': resourceCheckType },
})

function evaluate(text: string) {
  const asked: unknown[] = []
  const authorizer = new Authorizer({
    authorize(check: AuthorizationCheck, as) {
      asked.push(as ? { ...check, as } : check)
      if (check.verb === 'explode') throw new Error('it is dark')
      return { allowed: check.verb === 'get', reason: `${check.verb} it is` }
    },
  })
  const resource = requestResource(authorizer, {
    group: 'apps',
    resource: 'deployments',
    subresource: '',
    namespace: 'default',
    name: 'web',
  })
  const value = compile(text, environment).evaluate({ authorizer, 'authorizer.requestResource': resource })
  return { value, asked }
}

const pods = {
  isResource: true,
  verb: 'get',
  group: '',
  resource: 'pods',
  subresource: '',
  namespace: '',
  name: '',
  fieldSelector: '',
  labelSelector: '',
}

const cases: [expression: string, value: unknown, asked: object][] = [
  ["authorizer.path('/healthz').check('get').allowed()", true, { isResource: false, verb: 'get', path: '/healthz' }],
  ["authorizer.group('').resource('pods').check('get').allowed()", true, pods],
  [
    "authorizer.group('apps').resource('deployments').subresource('scale').namespace('a').name('b').check('list').allowed()",
    false,
    {
      ...pods,
      verb: 'list',
      group: 'apps',
      resource: 'deployments',
      subresource: 'scale',
      namespace: 'a',
      name: 'b',
    },
  ],
  [
    "authorizer.group('').resource('pods').fieldSelector('spec.nodeName=n').labelSelector('a=b').check('get').reason()",
    'get it is',
    { ...pods, fieldSelector: 'spec.nodeName=n', labelSelector: 'a=b' },
  ],
  [
    "authorizer.serviceAccount('ns', 'robot').group('').resource('pods').check('get').errored()",
    false,
    { ...pods, as: { namespace: 'ns', name: 'robot' } },
  ],
  [
    "authorizer.requestResource.check('get').error()",
    '',
    { ...pods, group: 'apps', resource: 'deployments', namespace: 'default', name: 'web' },
  ],
  ["authorizer.path('/').check('explode').error()", 'it is dark', { isResource: false, verb: 'explode', path: '/' }],
]
test.each(cases)('%s', (text, value, asked) => {
  expect(evaluate(text)).toEqual({ value, asked: [asked] })
})

test.each([
  ["authorizer.path(' ')", 'path must not be empty'],
  ["authorizer.group('').resource('')", 'resource must not be empty'],
  ["authorizer.serviceAccount('ns', 'Robot!')", 'Invalid service account name'],
  ["authorizer.serviceAccount('a.b', 'robot')", 'Invalid service account namespace'],
])('%s fails with %s', (text, message) => {
  expect(() => evaluate(text)).toThrow(message)
})

test('what cannot be decided is not allowed', () => {
  expect(evaluate("authorizer.path('/').check('explode').errored()").value).toBe(true)
  expect(evaluate("authorizer.path('/').check('explode').allowed()").value).toBe(false)
})

test('a check before its resource is named is refused', () => {
  expect(() => compile("authorizer.group('').check('get')", environment)).toThrow('found no matching overload')
})
