import { expect, test } from 'vitest'
import type { Authorizer, Exchange, RequestAttributes, UserInfo } from '#core/server/exchange.ts'
import { newIdentify } from './identify.ts'
import { parseImpersonation } from './impersonation.ts'

const jane: UserInfo = { username: 'jane', groups: ['dev', 'system:authenticated'] }

function request(path: string, rawHeaders: string[] = []): Exchange {
  const header = (name: string) => {
    const at = rawHeaders.findIndex((one, index) => index % 2 === 0 && one.toLowerCase() === name)
    return at < 0 ? undefined : rawHeaders[at + 1]
  }
  return { path, rawHeaders, header } as unknown as Exchange
}

const allowing = (allow: (attributes: RequestAttributes) => boolean): Authorizer => ({
  authorize: (_user, attributes) => ({ allowed: allow(attributes), reason: '' }),
})

const identify = (user: UserInfo | undefined, allowAnonymous = false, allow = (_: RequestAttributes) => false) =>
  newIdentify({ authenticators: [{ authenticate: () => user }], authorizer: allowing(allow), allowAnonymous })

test('without credentials nobody is let in, unless anonymous is on', () => {
  const anonymous = { username: 'system:anonymous', groups: ['system:unauthenticated'] }
  for (const path of ['/readyz', '/version', '/api']) {
    expect(() => identify(undefined)(request(path))).toThrow('Unauthorized')
  }
  expect(identify(undefined, true)(request('/api'))).toEqual(anonymous)
  expect(() => identify(undefined, true)(request('/api', ['Authorization', 'Bearer x']))).toThrow('Unauthorized')
})

test('impersonation needs every permission', () => {
  const headers = ['Impersonate-User', 'root', 'impersonate-group', 'a, b', 'IMPERSONATE-GROUP', 'c']
  const asked = request('/api', headers)
  expect(identify(jane, false, () => true)(asked)).toEqual({
    username: 'root',
    groups: ['a, b', 'c', 'system:authenticated'],
  })
  expect(() => identify(jane, false, (attributes) => attributes.isResource && attributes.name !== 'c')(asked)).toThrow(
    'groups "c" is forbidden: User "jane" cannot impersonate resource "groups" in API group "" at the cluster scope',
  )
  expect(identify(jane)(request('/api'))).toBe(jane)
})

test('an impersonated user carries uid and extra, each with its check', () => {
  const parsed = parseImpersonation(
    request('/', [
      'Impersonate-User',
      'x',
      'Impersonate-Uid',
      'u',
      'Impersonate-Extra-acme%2fscope',
      'view',
      'Impersonate-Extra-acme%2Fscope',
      'edit',
      'Impersonate-Extra-__proto__',
      'p',
    ]),
  )
  expect(parsed?.user.uid).toBe('u')
  expect(Object.entries(parsed?.user.extra ?? {})).toEqual([
    ['acme/scope', ['view', 'edit']],
    ['__proto__', ['p']],
  ])
  expect(
    parsed?.checks.map(({ group, resource, subresource, name }) => [group, resource, subresource, name].join(' ')),
  ).toEqual([
    ' users  x',
    'authentication.k8s.io uids  u',
    'authentication.k8s.io userextras acme/scope view',
    'authentication.k8s.io userextras acme/scope edit',
    'authentication.k8s.io userextras __proto__ p',
  ])
})

test.each([
  {
    name: 'a service account brings its groups',
    headers: ['Impersonate-User', 'system:serviceaccount:ns:sa'],
    groups: ['system:serviceaccounts', 'system:serviceaccounts:ns', 'system:authenticated'],
  },
  { name: 'anonymous stays so', headers: ['Impersonate-User', 'system:anonymous'], groups: ['system:unauthenticated'] },
])('impersonating: $name', ({ headers, groups }) => {
  expect(parseImpersonation(request('/', headers))?.user.groups).toEqual(groups)
})

test('impersonating a service account is asked in its namespace', () => {
  const parsed = parseImpersonation(request('/', ['Impersonate-User', 'system:serviceaccount:ns:sa']))
  expect(parsed?.checks).toMatchObject([
    { resource: 'serviceaccounts', namespace: 'ns', name: 'sa', verb: 'impersonate' },
  ])
})

test.each([['Impersonate-Group'], ['Impersonate-Uid'], ['Impersonate-Extra-x']])(
  '%s alone is a bad request',
  (header) => {
    expect(() => parseImpersonation(request('/', [header, 'v']))).toThrow(/without impersonating a user/)
  },
)
