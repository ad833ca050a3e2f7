import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { newTestAuthority, testServing } from '#core/server/pki/test-authority.ts'
import { WebhookClient, type WebhookClientConfig } from './client.ts'

const authority = newTestAuthority()
const caBundle = Buffer.from(authority.caPem).toString('base64')
const plain = { timeoutMs: 5_000, limitBytes: 1_000 }

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

const echo: Answer = (_request, response, body) => response.end(body)

async function webhook(answer: Answer = echo, host = 'localhost') {
  const { certPem, keyPem } = authority.issue({
    subject: { commonName: 'webhook' },
    usage: 'server',
    hosts: [host, '127.0.0.1'],
  })
  const serving = host === 'localhost' ? testServing(authority) : { cert: certPem, key: keyPem }
  const server = createServer(serving, async (request, response) => answer(request, response, await text(request)))
  let connections = 0
  server.on('secureConnection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { server, port, url: `https://localhost:${port}/convert`, connections: () => connections }
}

function client(addresses: readonly { host: string; port: number }[] = []) {
  const [first, ...others] = addresses
  const made = new WebhookClient({
    resolve: ({ name }) =>
      first ? { addresses: [first, ...others] } : { reason: 'ServiceNotFound', message: `${name} is not present` },
  })
  onTestFinished(() => made[Symbol.dispose]())
  return made
}

test('JSON goes there and comes back, over one connection', async () => {
  const paths: string[] = []
  const { url, connections } = await webhook((request, response, body) => {
    paths.push(`${request.method} ${request.url} ${request.headers['content-type']}`)
    response.end(body)
  })
  const webhooks = client()
  for (let at = 0; at < 3; at++) {
    expect(await webhooks.post({ url, caBundle }, `{"at":${at}}`, { ...plain, timeoutMs: 30_000 })).toEqual({ at })
  }
  expect(paths).toEqual(Array(3).fill('POST /convert?timeout=30s application/json'))
  expect(connections()).toBe(1)
})

test('a service is called at its endpoints, by the name its certificate is for', async () => {
  const hosts: unknown[] = []
  const { port } = await webhook((request, response, body) => {
    hosts.push(request.headers.host)
    response.end(body)
  }, 'hook.team.svc')
  const service = { namespace: 'team', name: 'hook', path: '/convert' }
  const webhooks = client([{ host: '127.0.0.1', port }])
  expect(await webhooks.post({ service, caBundle }, '{}', plain)).toEqual({})
  expect(hosts).toEqual(['hook.team.svc'])
  const other = client([{ host: '127.0.0.1', port }]).post(
    { service: { ...service, name: 'other' }, caBundle },
    '{}',
    plain,
  )
  await expect(other).rejects.toThrow('x509: certificate is not valid for other.team.svc')
})

test('a connection that was kept and is gone is opened again', async () => {
  const { server, url, connections } = await webhook()
  const webhooks = client()
  await webhooks.post({ url, caBundle }, '{}', plain)
  server.closeAllConnections()
  expect(await webhooks.post({ url, caBundle }, '{"again":true}', plain)).toEqual({ again: true })
  expect(connections()).toBe(2)
})

const refusals: { name: string; answer: Answer; says: string }[] = [
  {
    name: 'a failure in words',
    answer: (_, response) => response.writeHead(500).end('boom\n'),
    says: 'an error on the server ("boom") has prevented the request from succeeding',
  },
  {
    name: 'a failure without words',
    answer: (_, response) => response.writeHead(503).end(),
    says: 'an error on the server ("unknown") has prevented the request from succeeding',
  },
  {
    name: 'a Status',
    answer: (_, response) => response.writeHead(403).end('{"kind":"Status","message":"not for you"}'),
    says: 'not for you',
  },
  {
    name: 'nothing there',
    answer: (_, response) => response.writeHead(404).end('not found'),
    says: 'the server could not find the requested resource',
  },
  {
    name: 'another address',
    answer: (_, response) => response.writeHead(302, { location: '/' }).end(),
    says: 'the server responded with the status code 302 but did not return more information',
  },
  { name: 'no JSON', answer: (_, response) => response.end('<html>'), says: 'json parse error' },
  {
    name: 'too much',
    answer: (_, response) => response.end(JSON.stringify('x'.repeat(2_000))),
    says: 'the answer is larger than 1000 bytes',
  },
  {
    name: 'half an answer',
    answer: (_, response) => response.writeHead(200).write('{', () => response.destroy()),
    says: 'EOF',
  },
]

test.each(refusals)('an answer is refused: $name', async ({ answer, says }) => {
  const { url } = await webhook(answer)
  await expect(client().post({ url, caBundle }, '{}', plain)).rejects.toThrow(says)
})

test('who does not answer in time is not waited for', async () => {
  const { url } = await webhook(() => {})
  const said = `Post "${url}?timeout=1s": context deadline exceeded`
  await expect(client().post({ url, caBundle }, '{}', { ...plain, timeoutMs: 50 })).rejects.toThrow(said)
  const signal = AbortSignal.abort()
  await expect(client().post({ url, caBundle }, '{}', { ...plain, signal })).rejects.toThrow(
    'context deadline exceeded',
  )
})

const unreachable: { name: string; config: (url: string) => WebhookClientConfig; says: string }[] = [
  { name: 'is not trusted', config: (url) => ({ url }), says: 'x509: certificate signed by unknown authority' },
  {
    name: 'is no service',
    config: () => ({ service: { namespace: 'team', name: 'hook' } }),
    says: 'Post "https://hook.team.svc:443/?timeout=5s": service "hook" not found',
  },
  {
    name: 'does not listen',
    config: () => ({ url: 'https://127.0.0.1:1/', caBundle }),
    says: 'dial tcp 127.0.0.1:1: connect: connection refused',
  },
]

test.each(unreachable)('what is wrong with a webhook is said: it $name', async ({ config, says }) => {
  const { url } = await webhook()
  await expect(client().post(config(url), '{}', plain)).rejects.toThrow(says)
})
