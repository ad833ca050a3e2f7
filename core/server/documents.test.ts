import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { builtin, source } from './discovery/discovery.fixture.ts'
import { documentEndpoint } from './documents.ts'
import type { Exchange } from './exchange.ts'

const documents = documentEndpoint({ source, types: builtin.types })

interface Answer {
  status: number
  contentType: string
  headers: Record<string, string>
  body: Buffer
}

/** @returns undefined when there is no such document */
async function ask(target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer | undefined> {
  const [path = '', query] = target.split('?')
  const answer: Answer = { status: 0, contentType: '', headers: {}, body: Buffer.alloc(0) }
  const exchange = {
    method,
    path,
    query: new URLSearchParams(query),
    header: (name: string) => headers[name],
    setHeader: (name: string, value: string) => {
      answer.headers[name] = value
    },
    send: (status: number, contentType: string, body: Buffer | string) =>
      Object.assign(answer, { status, contentType, body: Buffer.from(body) }),
  } as unknown as Exchange
  return (await documents.reply(exchange, path)) ? answer : undefined
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const targets: { target: string; headers: Record<string, string> }[] = [
  { target: '/api', headers: {} },
  { target: '/apis', headers: { accept: aggregated } },
  { target: '/apis/apps/v1', headers: {} },
  { target: '/openapi/v2', headers: {} },
  { target: '/openapi/v2', headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' } },
  { target: '/openapi/v3', headers: {} },
  { target: '/openapi/v3/apis/apps/v1', headers: {} },
]

test.each(targets)('$target is known by its ETag', async ({ target, headers }) => {
  const first = (await ask(target, headers))!
  expect(first.status).toBe(200)
  const { etag = '' } = first.headers
  expect(etag).toMatch(/^"[0-9A-F]{128}"$/)
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    const again = (await ask(target, { ...headers, 'if-none-match': known }))!
    expect([again.status, again.body.length]).toEqual([304, 0])
  }
  expect((await ask(target, { ...headers, 'if-none-match': '"x"' }))!.status).toBe(200)
})

test('what changes with Accept says so', async () => {
  expect((await ask('/apis', { accept: aggregated }))!.headers).toMatchObject({
    vary: 'Accept',
    'cache-control': 'public',
  })
  expect((await ask('/apis'))!.headers).toMatchObject({ vary: 'Accept' })
})

test('an address with the hash of its document may be kept for ever, one with another leads to it', async () => {
  const { paths } = JSON.parse(String((await ask('/openapi/v3'))!.body))
  const url: string = paths['apis/apps/v1'].serverRelativeURL
  const { headers, status } = (await ask(url))!
  expect([status, headers['cache-control']]).toEqual([200, 'public, immutable'])
  expect(Date.parse(headers.expires!)).toBeGreaterThan(Date.now() + 364 * 24 * 3_600_000)
  const stale = (await ask('/openapi/v3/apis/apps/v1?hash=ABC'))!
  expect([stale.status, stale.headers.location]).toEqual([301, url])
  expect((await ask('/openapi/v3/apis/apps/v1'))!.headers['cache-control']).toBeUndefined()
})

test('large documents are compressed for those who ask', async () => {
  const plain = (await ask('/openapi/v3/api/v1'))!
  const packed = (await ask('/openapi/v3/api/v1', { 'accept-encoding': 'gzip' }))!
  expect(packed.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
  expect((await ask('/api', { 'accept-encoding': 'gzip' }))!.headers['content-encoding']).toBeUndefined()
})

test.each([
  '/apis/nosuch',
  '/apis/apps/v7',
  '/api/v2',
  '/openapi/v3/apis/nosuch/v1',
  '/openapi/v4',
  '/apis/a/b/c',
  '/x',
])('%s is no document', async (target) => expect(await ask(target)).toBeUndefined())

test('documents can only be read', async () => {
  await expect(ask('/apis', {}, 'POST')).rejects.toThrow('does not allow this method')
})

test('every path that is listed is there', async () => {
  const paths = documents.paths()
  expect(paths).toContain('/apis/apps/v1')
  for (const path of paths) expect([path, (await ask(path))?.status]).toEqual([path, 200])
})
