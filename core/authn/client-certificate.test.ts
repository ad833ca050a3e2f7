import { once } from 'node:events'
import tls from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { reasonOf } from '#core/errors/status-error.ts'
import type { Exchange, UserInfo } from '#core/server/exchange.ts'
import { listen } from '#core/server/listener.ts'
import { newTestAuthority, testServing } from '#core/server/pki/test-authority.ts'
import { clientCertificates } from './client-certificate.ts'

const authority = newTestAuthority()
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Outcome = UserInfo | string | undefined

/** Serves who its clients are. */
async function startWhoami(clock?: () => number) {
  const authenticator = clientCertificates(clock)
  const outcomes: Outcome[] = []
  const onExchange = (exchange: Exchange) => {
    try {
      outcomes.push(authenticator.authenticate(exchange) as UserInfo | undefined)
    } catch (error) {
      outcomes.push(reasonOf(error))
    }
    exchange.send(200, 'text/plain', 'seen')
  }
  const listener = await listen({ host: '127.0.0.1', port: 0, tls: testServing(authority), onExchange })
  closers.push(() => listener.close({ graceMs: 0 }))
  return { port: listener.address.port, outcomes }
}

async function connect(port: number, options: tls.ConnectionOptions) {
  const socket = tls.connect({ host: '127.0.0.1', port, ca: authority.caPem, ...options })
  closers.push(() => socket.destroy())
  await once(socket, 'secureConnect')
  const ask = async () => {
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
  }
  return { socket, ask }
}

const pair = ({ certPem, keyPem }: { certPem: string; keyPem: string }) => ({ cert: certPem, key: keyPem })
const jane = { commonName: 'jane', organizations: ['dev', 'a,b\nCN=root'] }

const cases: { name: string; credentials: tls.ConnectionOptions; want: unknown }[] = [
  { name: 'nobody without one', credentials: {}, want: undefined },
  {
    name: 'the common name and organizations, however they are written',
    credentials: pair(authority.issue({ subject: jane, usage: 'client' })),
    want: {
      username: 'jane',
      groups: [...jane.organizations, 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
    },
  },
  {
    name: 'a refusal for one of another authority',
    credentials: pair(newTestAuthority().issue({ subject: jane, usage: 'client' })),
    want: 'Unauthorized',
  },
  {
    name: 'a refusal for one of another authority with the same name',
    credentials: pair(newTestAuthority('test-authority').issue({ subject: jane, usage: 'client' })),
    want: 'Unauthorized',
  },
  {
    name: 'a refusal for an expired one',
    credentials: pair(authority.issue({ subject: jane, usage: 'client', notAfter: new Date(Date.now() - 1000) })),
    want: 'Unauthorized',
  },
  {
    name: 'a refusal for one that serves',
    credentials: pair(authority.issue({ subject: jane, usage: 'server', hosts: ['localhost'] })),
    want: 'Unauthorized',
  },
]
test.each(cases)('a client certificate gives $name', async ({ credentials, want }) => {
  const { port, outcomes } = await startWhoami()
  const { ask } = await connect(port, credentials)
  await ask()
  expect(outcomes).toEqual([want])
})

test('a certificate ends on its day, in the middle of a connection', async () => {
  let now = Date.now()
  const { port, outcomes } = await startWhoami(() => now)
  const { ask } = await connect(port, pair(authority.issue({ subject: jane, usage: 'client' })))
  await ask()
  now += 3_700_000
  await ask()
  expect(outcomes).toEqual([expect.objectContaining({ username: 'jane' }), 'Unauthorized'])
})

const resumptions: typeof cases = [
  { name: 'without a certificate stays nobody', credentials: {}, want: undefined },
  {
    name: 'keeps its certificate',
    credentials: pair(authority.issue({ subject: jane, usage: 'client' })),
    want: expect.objectContaining({ username: 'jane' }),
  },
  {
    name: 'does not come to trust a bad certificate',
    credentials: pair(newTestAuthority().issue({ subject: jane, usage: 'client' })),
    want: 'Unauthorized',
  },
]
test.each(resumptions)('a resumed session $name', async ({ credentials, want }) => {
  const { port, outcomes } = await startWhoami()
  const first = await connect(port, credentials)
  const [session] = await Promise.all([once(first.socket, 'session').then(([ticket]) => ticket as Buffer), first.ask()])
  const second = await connect(port, { session, ...credentials })
  expect(second.socket.isSessionReused()).toBe(true)
  await second.ask()
  expect(outcomes).toEqual([want, want])
})
