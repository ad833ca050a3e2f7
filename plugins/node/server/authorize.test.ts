import type { IncomingMessage } from 'node:http'
import type { ApiRequest, Client } from '@keelson/client'
import { createFakeClock } from '@keelson/kit/testing/fake-clock.ts'
import { expect, test } from 'vitest'
import { createAuthorize } from './authorize.ts'

interface Asked {
  spec: { user?: string; token?: string; resourceAttributes?: Record<string, string> }
}

/** An API that knows the token `good` as the user `scraper`, who may get the metrics of nodes. */
function start() {
  const asked: Asked['spec'][] = []
  const clock = createFakeClock(0)
  const request = async ({ path, body }: ApiRequest) => {
    const { spec } = body as Asked
    asked.push(spec)
    if (path.endsWith('tokenreviews')) {
      return {
        status: {
          authenticated: spec.token === 'good',
          user: { username: 'scraper', groups: ['system:authenticated'] },
        },
      }
    }
    return { status: { allowed: spec.user === 'scraper' && spec.resourceAttributes?.subresource === 'metrics' } }
  }
  return { asked, clock, authorize: createAuthorize({ request } as unknown as Client, clock) }
}

const requestOf = (url: string, of: { token?: string; subject?: object; method?: string }) =>
  ({
    ...{ url, method: of.method ?? 'GET' },
    headers: of.token ? { authorization: `Bearer ${of.token}` } : {},
    socket: { authorized: of.subject !== undefined, getPeerCertificate: () => ({ subject: of.subject }) },
  }) as unknown as IncomingMessage

const cases = [
  { name: 'nobody', url: '/pods', of: {}, code: 401 },
  { name: 'an unknown token', url: '/metrics', of: { token: 'bad' }, code: 401 },
  { name: 'a user who may', url: '/metrics/x?y', of: { token: 'good' }, code: 200 },
  { name: 'a user who may not', url: '/exec/a/b/c', of: { token: 'good', method: 'POST' }, code: 403 },
  { name: 'an administrator', url: '/exec/a/b/c', of: { subject: { CN: 'root', O: 'system:masters' } }, code: 200 },
  {
    name: 'one of several groups',
    url: '/pods',
    of: { subject: { CN: 'root', O: ['x', 'system:masters'] } },
    code: 200,
  },
  {
    name: 'any other certificate',
    url: '/pods',
    of: { subject: { CN: 'system:node:b', O: 'system:nodes' } },
    code: 403,
  },
]

test.each(cases)('$name is answered $code', async ({ url, of, code }) => {
  expect(await start().authorize(requestOf(url, of), 'node-a')).toMatchObject({ code })
})

test('the API is asked about the node and the verb, and its answer kept for a while', async () => {
  const { asked, authorize, clock } = start()
  const request = requestOf('/run/a/b/c', { subject: { CN: 'eve' }, method: 'POST' })
  const verdict = await authorize(request, 'node-a')
  expect(verdict.message).toBe('Forbidden (user=eve, verb=create, resource=nodes, subresource(s)=[proxy])')
  await authorize(request, 'node-a')
  expect(asked).toEqual([
    {
      ...{ user: 'eve', groups: [] },
      resourceAttributes: { version: 'v1', resource: 'nodes', subresource: 'proxy', name: 'node-a', verb: 'create' },
    },
  ])
  await clock.advance(31_000)
  await authorize(request, 'node-a')
  await authorize(request, 'node-b')
  expect(asked).toHaveLength(3)
})
