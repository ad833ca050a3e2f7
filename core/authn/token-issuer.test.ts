import { sign } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { StatusError } from '#core/errors/status-error.ts'
import type { Exchange } from '#core/server/exchange.ts'
import { newKeyPair, privateKeyPem } from '#core/server/pki/certificate.ts'
import { bearerToken, serviceAccountTokens, staticTokens, unknownToken } from './bearer-token.ts'
import { TokenIssuer, type TokenIssuerOptions, type TokenSpec } from './token-issuer.ts'
import { unionOf } from './union.ts'

const key = newKeyPair()
const issuerUrl = 'https://kubernetes.default.svc.cluster.local'
const objects = new Map<string, string>()
let now = 0

const newIssuer = (more: Partial<TokenIssuerOptions> = {}) =>
  new TokenIssuer({
    issuer: issuerUrl,
    defaultAudiences: [issuerUrl],
    privatePem: privateKeyPem(key.privateKey),
    uidOf: (resource, namespace, name) => objects.get(`${resource} ${namespace}/${name}`),
    clock: () => now,
    ...more,
  })

const spec: TokenSpec = {
  namespace: 'default',
  serviceAccount: { name: 'build', uid: 'u1' },
  audiences: [issuerUrl],
  expirationSeconds: 600,
  boundObject: { kind: 'Pod', name: 'web', uid: 'p1' },
  node: { name: 'node-a', uid: 'n1' },
}

beforeEach(() => {
  now = Date.UTC(2026, 0, 1)
  objects.clear()
  objects.set('serviceaccounts default/build', 'u1')
  objects.set('pods default/web', 'p1')
})

const decoded = (token: string, part: number) =>
  JSON.parse(Buffer.from(token.split('.')[part]!, 'base64url').toString())

test('a token says who, and verifies to the user Kubernetes would name', () => {
  const issuer = newIssuer()
  const { token, expirationTimestamp } = issuer.issue(spec)
  expect(expirationTimestamp).toBe('2026-01-01T00:10:00Z')
  expect(decoded(token, 0)).toEqual({ alg: 'ES256', kid: issuer.jwks().keys[0]!.kid })
  const claims = decoded(token, 1)
  expect(claims).toMatchObject({
    iss: issuerUrl,
    sub: 'system:serviceaccount:default:build',
    aud: [issuerUrl],
    exp: now / 1000 + 600,
    'kubernetes.io': {
      namespace: 'default',
      serviceaccount: { name: 'build', uid: 'u1' },
      pod: { name: 'web', uid: 'p1' },
      node: { name: 'node-a', uid: 'n1' },
    },
  })
  expect(issuer.verify(token, [issuerUrl])).toEqual({
    username: 'system:serviceaccount:default:build',
    uid: 'u1',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
      'authentication.kubernetes.io/pod-name': ['web'],
      'authentication.kubernetes.io/pod-uid': ['p1'],
      'authentication.kubernetes.io/node-name': ['node-a'],
      'authentication.kubernetes.io/node-uid': ['n1'],
    },
  })
})

const endings = [
  { name: 'expired', change: () => void (now += 600_000), want: /expired/ },
  { name: 'from the future', change: () => void (now -= 61_000), want: /not valid yet/ },
  {
    name: 'of a deleted account',
    change: () => objects.delete('serviceaccounts default/build'),
    want: /"build", which is gone/,
  },
  { name: 'of an account made again', change: () => objects.set('serviceaccounts default/build', 'u2'), want: /gone/ },
  { name: 'of a deleted pod', change: () => objects.delete('pods default/web'), want: /pods "web", which is gone/ },
]
test.each(endings)('a token $name is refused, even when it was good before', ({ change, want }) => {
  const issuer = newIssuer()
  const { token } = issuer.issue(spec)
  issuer.verify(token, [issuerUrl])
  change()
  expect(() => issuer.verify(token, [issuerUrl])).toThrow(want)
  expect(() => newIssuer().verify(token, [issuerUrl])).toThrow(want)
})

function forge(token: string, header: object, claims: object, signer = key.privateKey): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${encode({ ...decoded(token, 0), ...header })}.${encode({ ...decoded(token, 1), ...claims })}`
  const signature = sign('sha256', Buffer.from(signed), { key: signer, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

const forgeries: { name: string; forged: (token: string) => string; want: RegExp }[] = [
  {
    name: 'another key',
    forged: (token) => forge(token, {}, {}, newKeyPair().privateKey),
    want: /signature is invalid/,
  },
  { name: 'an unknown key id', forged: (token) => forge(token, { kid: 'x' }, {}), want: /unknown key/ },
  { name: 'no algorithm', forged: (token) => forge(token, { alg: 'none' }, {}), want: /unknown key/ },
  { name: 'another issuer', forged: (token) => forge(token, {}, { iss: 'https://evil' }), want: /another issuer/ },
  { name: 'no signature', forged: (token) => token.split('.').slice(0, 2).join('.'), want: /malformed/ },
  { name: 'four parts', forged: (token) => `${token}.x`, want: /malformed/ },
  {
    name: 'changed claims',
    forged: (token) => token.replace(/\.[^.]+\./, `.${Buffer.from('{}').toString('base64url')}.`),
    want: /signature/,
  },
]
test.each(forgeries)('a token with $name is refused', ({ forged, want }) => {
  const issuer = newIssuer()
  const { token } = issuer.issue(spec)
  expect(() => issuer.verify(forged(token), [issuerUrl])).toThrow(want)
})

test('audiences must meet, and tokens of an older key hold', () => {
  const issuer = newIssuer()
  const { token } = issuer.issue({ ...spec, audiences: ['vault'] })
  expect(() => issuer.verify(token, [issuerUrl])).toThrow(/audiences/)
  expect(issuer.verify(token, ['vault', 'x']).uid).toBe('u1')
  const rotated = newIssuer({
    privatePem: privateKeyPem(newKeyPair().privateKey),
    olderPublicPems: [key.publicKey.export({ type: 'spki', format: 'pem' }) as string],
  })
  expect(rotated.verify(token, ['vault']).uid).toBe('u1')
  expect(rotated.jwks().keys).toHaveLength(2)
})

const requestWith = (headers: Record<string, string>) =>
  ({ header: (name: string) => headers[name] }) as unknown as Exchange
const bearer = (token: string) => requestWith({ authorization: `Bearer ${token}` })

test.each([
  { headers: { authorization: 'Bearer a.b' }, want: 'a.b' },
  { headers: { authorization: 'bearer  a ' }, want: 'a' },
  { headers: { authorization: 'Basic eDp5' }, want: undefined },
  {
    headers: {
      'sec-websocket-protocol': `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from('t').toString('base64url')}`,
    },
    want: 't',
  },
  { headers: {}, want: undefined },
])('the bearer token of $headers is $want', ({ headers, want }) => {
  expect(bearerToken(requestWith(headers as Record<string, string>))).toBe(want)
})

test('bearer tokens are tried in turn; a bad one is Unauthorized and does not say why', async () => {
  const issuer = newIssuer()
  const { token } = issuer.issue(spec)
  const user = { username: 'jane', groups: ['dev'] }
  const union = unionOf([staticTokens([{ token: 's3cret', user }]), serviceAccountTokens(issuer), unknownToken])
  expect(union.authenticate(bearer('s3cret'))).toEqual({ username: 'jane', groups: ['dev', 'system:authenticated'] })
  expect(union.authenticate(bearer(token))).toMatchObject({ uid: 'u1' })
  expect(union.authenticate(requestWith({}))).toBeUndefined()
  objects.clear()
  for (const bad of [token, 'unknown', 'a.b.c']) {
    expect(() => union.authenticate(bearer(bad))).toThrow(/^Unauthorized$/)
  }
})

test('a good credential outweighs a bad one, asynchronously too', async () => {
  const fail = { authenticate: async () => Promise.reject((await refusal()) as Error) }
  const refusal = async () => {
    try {
      unknownToken.authenticate(bearer('x'))
      return undefined
    } catch (error) {
      return error as StatusError
    }
  }
  const jane = { authenticate: async () => ({ username: 'jane', groups: [] }) }
  expect(await unionOf([fail, jane]).authenticate(bearer('x'))).toMatchObject({ username: 'jane' })
  await expect(unionOf([fail]).authenticate(bearer('x'))).rejects.toThrow('Unauthorized')
  const broken = { authenticate: () => Promise.reject(new Error('backend down')) }
  await expect(unionOf([broken, jane]).authenticate(bearer('x'))).rejects.toThrow('backend down')
})
