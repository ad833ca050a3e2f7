import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { type ContinueToken, decodeContinue, encodeContinue } from './continue-token.ts'

test('a token says what was put into it', () => {
  const revision = fc.integer({ min: -1, max: 2 ** 40 }).filter((one) => one !== 0)
  const tokens = fc.record({ revision, after: fc.string({ maxLength: 200 }) })
  fc.assert(
    fc.property(tokens, (token) => {
      expect(decodeContinue(encodeContinue(token), '')).toEqual(token)
    }),
  )
})

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const forged = (token: Partial<ContinueToken>) => encodeContinue({ revision: 1, after: 'a/b', ...token })

test.each([
  { name: 'that is no base64', token: '*' },
  { name: 'that is no JSON', token: 'AAAA' },
  { name: 'that is null', token: encoded(null) },
  { name: 'that is a list', token: encoded([]) },
  { name: 'of another server', token: encoded({ v: 'meta.k8s.io/v2', rv: 1, start: 'a/b' }) },
  { name: 'without a key', token: encoded({ v: 'meta.k8s.io/v1', rv: 1 }) },
  { name: 'of a revision below all', token: forged({ revision: -2 }) },
  { name: 'of a revision that is no whole number', token: forged({ revision: 1.5 }) },
  { name: 'of another list', token: forged({ after: 'b/c' }) },
  { name: 'with a very long key', token: forged({ after: `a/${'x'.repeat(1_000)}` }) },
])('a token $name is refused', ({ token }) => {
  expect(() => decodeContinue(token, 'a/')).toThrow('continue key is not valid')
})

test('whatever is sent as a token is read or refused properly', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  )
  fc.assert(
    fc.property(anything, (token) => {
      try {
        decodeContinue(token, '')
      } catch (error) {
        expect(findStatusError(error)?.status.code).toBe(400)
      }
    }),
  )
})
