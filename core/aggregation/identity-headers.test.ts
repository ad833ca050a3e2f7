import fc from 'fast-check'
import { expect, test } from 'vitest'
import { identityHeaders } from './identity-headers.ts'

test('a user is named with groups, uid and extra', () => {
  const user = { username: 'jane', uid: 'u', groups: ['a', 'b'], extra: { 'acme.dev/Scope%': ['x', 'y'] } }
  expect(identityHeaders(user)).toEqual([
    ['X-Remote-User', 'jane'],
    ['X-Remote-Uid', 'u'],
    ['X-Remote-Group', 'a'],
    ['X-Remote-Group', 'b'],
    ['X-Remote-Extra-acme.dev%2FScope%25', 'x'],
    ['X-Remote-Extra-acme.dev%2FScope%25', 'y'],
  ])
})

test('nothing breaks out of its header, and keys decode to what they were', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (username, key) => {
      try {
        for (const [name, value] of identityHeaders({ username, groups: [], extra: { [key]: ['x'] } })) {
          expect(name).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/)
          expect(value).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/)
          if (name.startsWith('X-Remote-Extra-')) expect(decodeURIComponent(name.slice(15))).toBe(key)
        }
      } catch (error) {
        if (!/no header can carry/.test(String(error))) throw error
        expect(username).toMatch(/[\0-\x1f\x7f]/)
      }
    }),
  )
})
