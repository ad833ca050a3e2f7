import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isUnauthorized } from '#core/errors/status-error.ts'
import { bearerToken } from './bearer-token.ts'
import { TokenIssuer } from './token-issuer.ts'

/** Tokens that anyone may send: none but ours is good, and none is more than refused. */

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const issuer = new TokenIssuer({
  issuer: 'https://cluster.example.com',
  defaultAudiences: ['https://cluster.example.com'],
  privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  uidOf: () => 'uid',
})
const { token } = issuer.issue({
  namespace: 'team',
  serviceAccount: { name: 'robot', uid: 'uid' },
  audiences: issuer.defaultAudiences,
  expirationSeconds: 3600,
})

function isRefused(text: string): boolean {
  try {
    issuer.verify(text, issuer.defaultAudiences)
    return false
  } catch (error) {
    if (!isUnauthorized(error)) throw error
    return true
  }
}

const part = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  fc.constantFrom(...token.split('.'), Buffer.from('{"alg":"none"}').toString('base64url')),
)

test('a token of ours is good', () => expect(isRefused(token)).toBe(false))

test('any other token is refused, whatever it is made of', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      const text = parts.join('.')
      fc.pre(text !== token)
      expect(isRefused(text)).toBe(true)
      expect(['object', 'undefined']).toContain(typeof tryAuthenticate(text))
    }),
  )
})

function tryAuthenticate(text: string): unknown {
  try {
    return issuer.authenticate(text)
  } catch (error) {
    if (!isUnauthorized(error)) throw error
    return undefined
  }
}

test('a token of ours with one letter changed is refused', () => {
  // The last letter of each part has bits that mean nothing.
  const ends = new Set(
    [...token].flatMap((letter, at) => (letter === '.' ? [at - 1, at] : [])).concat(token.length - 1),
  )
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom('A', 'b', '0', '-', '_', '.', '=', '\0'), (at, letter) => {
      fc.pre(token[at] !== letter && !ends.has(at))
      expect(isRefused(token.slice(0, at) + letter + token.slice(at + 1))).toBe(true)
    }),
  )
})

test('any Authorization header has a bearer token or none', () => {
  const header = fc.oneof(
    fc.string(),
    fc.string().map((text) => `Bearer ${text}`),
    fc.constantFrom('Bearer', 'bearer ', 'Basic YTpi', '__proto__ a'),
  )
  fc.assert(
    fc.property(header, (value) => {
      const found = bearerToken({ header: () => value })
      expect(['string', 'undefined']).toContain(typeof found)
      if (found) expect(value).toContain(found)
    }),
  )
})
