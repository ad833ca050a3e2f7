import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError, statusOf } from '#core/errors/status-error.ts'
import { parseRequest } from './request-info.ts'

/** Reads `GET /path?query`. */
function parse(request: string) {
  const [method = '', target = ''] = request.split(' ')
  const [path = '', query = ''] = target.split('?')
  return parseRequest(method, path, () => new URLSearchParams(query))
}

test.each([
  {
    request: 'GET /api/v1/pods',
    want: { verb: 'list', group: '', version: 'v1', resource: 'pods', namespace: '', name: '' },
  },
  { request: 'GET /api/v1/namespaces/a/pods', want: { verb: 'list', resource: 'pods', namespace: 'a', name: '' } },
  {
    request: 'GET /api/v1/namespaces/a/pods/p',
    want: { verb: 'get', resource: 'pods', namespace: 'a', name: 'p', subresource: '' },
  },
  { request: 'HEAD /api/v1/namespaces/a/pods/p', want: { verb: 'get', name: 'p' } },
  { request: 'GET /api/v1/namespaces/a/pods/p/log', want: { verb: 'get', name: 'p', subresource: 'log' } },
  { request: 'POST /api/v1/namespaces/a/pods', want: { verb: 'create', namespace: 'a', name: '' } },
  { request: 'POST /api/v1/namespaces/a/pods/p/binding', want: { verb: 'create', name: 'p', subresource: 'binding' } },
  { request: 'PUT /api/v1/namespaces/a/pods/p/status', want: { verb: 'update', subresource: 'status' } },
  {
    request: 'PATCH /apis/apps/v1/namespaces/a/deployments/d',
    want: { verb: 'patch', group: 'apps', resource: 'deployments', name: 'd' },
  },
  { request: 'DELETE /apis/apps/v1/namespaces/a/deployments/d', want: { verb: 'delete', name: 'd' } },
  { request: 'DELETE /apis/apps/v1/namespaces/a/deployments', want: { verb: 'deletecollection', name: '' } },
  {
    request: 'GET /api/v1/nodes/n/proxy/metrics/cadvisor',
    want: { resource: 'nodes', name: 'n', subresource: 'proxy', rest: 'metrics/cadvisor' },
  },
  { request: 'GET /api/v1/namespaces', want: { verb: 'list', resource: 'namespaces', namespace: '', name: '' } },
  { request: 'GET /api/v1/namespaces/a', want: { verb: 'get', resource: 'namespaces', namespace: 'a', name: 'a' } },
  { request: 'DELETE /api/v1/namespaces/a', want: { verb: 'delete', resource: 'namespaces', name: 'a' } },
  {
    request: 'PUT /api/v1/namespaces/a/finalize',
    want: { verb: 'update', resource: 'namespaces', namespace: 'a', name: 'a', subresource: 'finalize' },
  },
  { request: 'PUT /api/v1/namespaces/a/status', want: { resource: 'namespaces', name: 'a', subresource: 'status' } },
  { request: 'GET /apis/x.dev/v1/namespaces/a/status', want: { resource: 'status', namespace: 'a', name: '' } },
  { request: 'GET /api/v1/namespaces/a/pods/', want: { verb: 'list', resource: 'pods', name: '' } },
  { request: 'GET /api/v1/pods?watch=true', want: { verb: 'watch' } },
  { request: 'GET /api/v1/pods?watch=1', want: { verb: 'watch' } },
  { request: 'GET /api/v1/pods?watch', want: { verb: 'watch' } },
  { request: 'GET /api/v1/pods?watch=false', want: { verb: 'list' } },
  { request: 'GET /api/v1/pods?watch=0', want: { verb: 'list' } },
  { request: 'GET /api/v1/namespaces/a/pods/p?watch=true', want: { verb: 'get', name: 'p' } },
  { request: 'GET /api/v1/watch/pods', want: { verb: 'watch', resource: 'pods', namespace: '', name: '' } },
  {
    request: 'GET /api/v1/watch/namespaces/a/pods',
    want: { verb: 'watch', resource: 'pods', namespace: 'a', name: '' },
  },
  { request: 'GET /api/v1/watch/namespaces/a/pods/p', want: { verb: 'watch', resource: 'pods', name: 'p' } },
  { request: 'GET /api/v1/watch/namespaces/a', want: { verb: 'watch', resource: 'namespaces', name: 'a' } },
  { request: 'GET /api/v1/secrets?fieldSelector=metadata.name=s', want: { verb: 'list', name: 's' } },
  { request: 'GET /api/v1/secrets?watch=true&fieldSelector=metadata.name==s', want: { verb: 'watch', name: 's' } },
  { request: 'GET /api/v1/secrets?fieldSelector=metadata.name!=s', want: { verb: 'list', name: '' } },
  { request: 'GET /api/v1/secrets?fieldSelector=metadata.name=s,type=Opaque', want: { verb: 'list', name: '' } },
  { request: 'GET /apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode', want: { name: 'system:node' } },
  { request: 'OPTIONS /api/v1/pods', want: { verb: 'options' } },
])('$request is understood', ({ request, want }) => {
  expect(parse(request)).toMatchObject({ isResource: true, ...want })
})

test.each([
  '/',
  '/api',
  '/api/',
  '/api/v1',
  '/api/v1/',
  '/apis',
  '/apis/apps',
  '/apis/apps/v1',
  '/apis/apps/v1/',
  '/healthz',
  '/apiv1/pods',
  '//api/v1/pods',
  '/version',
])('%s is no resource', (path) => expect(parse(`GET ${path}`)).toEqual({ isResource: false, verb: 'get', path }))

test.each([
  { name: 'an escape that is none', request: 'GET /api/v1/pods/%zz', code: 400 },
  { name: 'bytes that are no UTF-8', request: 'GET /api/v1/pods/%ff', code: 400 },
  { name: 'a slash in a name', request: 'GET /api/v1/namespaces/a/pods/..%2f..%2fb', code: 404 },
  { name: 'a slash in a namespace', request: 'GET /api/v1/namespaces/a%2Fsecrets/pods', code: 404 },
  { name: 'a write below watch', request: 'DELETE /api/v1/watch/namespaces/a/pods/p', code: 405 },
])('$name is refused', ({ request, code }) => {
  let refusal: unknown
  try {
    parse(request)
  } catch (error) {
    refusal = error
  }
  expect(statusOf(refusal).code).toBe(code)
})

test('whatever the path, what is parsed holds no slash and what is refused is refused properly', () => {
  const segment = fc.constantFrom(
    'api',
    'apis',
    'v1',
    'namespaces',
    'watch',
    'pods',
    'status',
    '..',
    '.',
    '',
    '%2f',
    '%',
    '%00',
    'é',
  )
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'POST', 'DELETE', 'BREW'),
      fc.array(segment, { maxLength: 9 }),
      (method, path) => {
        try {
          const info = parseRequest(method, `/${path.join('/')}`, () => new URLSearchParams())
          if (!info.isResource) return
          for (const part of [info.group, info.version, info.resource, info.namespace, info.name, info.subresource]) {
            expect(part).not.toContain('/')
          }
        } catch (error) {
          expect(findStatusError(error)).toBeDefined()
        }
      },
    ),
  )
})
