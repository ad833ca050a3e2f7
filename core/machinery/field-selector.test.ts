import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBadRequest } from '#core/errors/status-error.ts'
import { type FieldRequirement, formatFieldSelector, matchesFields, parseFieldSelector } from './field-selector.ts'

const is = (field: string, value: string): FieldRequirement => ({ field, operator: '=', value })
const isNot = (field: string, value: string): FieldRequirement => ({ field, operator: '!=', value })

test.each<[string, FieldRequirement[]]>([
  ['', []],
  [',,', []],
  ['a=b', [is('a', 'b')]],
  ['a==b', [is('a', 'b')]],
  ['metadata.name!=b,spec.nodeName=', [isNot('metadata.name', 'b'), is('spec.nodeName', '')]],
  ['a=b\\,c\\=d\\\\e', [is('a', 'b,c=d\\e')]],
])('%j parses', (text, want) => expect(parseFieldSelector(text)).toEqual(want))

test.each([
  ['a', "invalid selector: 'a'; can't understand 'a'"],
  ['x=y,a!b', "invalid selector: 'x=y,a!b'; can't understand 'a!b'"],
  ['a=b=c', 'invalid field selector: unescaped character in value: ='],
  ['a=b\\c', 'invalid field selector: invalid escape sequence: \\c'],
  ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
])('%j is refused', (text, want) => {
  expect(() => parseFieldSelector(text)).toThrow(want)
})

test.each<[string, Record<string, string>, boolean]>([
  ['', {}, true],
  ['a=b', { a: 'b' }, true],
  ['a=b', { a: 'c' }, false],
  ['a!=b', {}, true],
  ['a=', {}, true],
  ['constructor=', {}, true],
])('%j of %j is %j', (text, fields, want) => expect(matchesFields(parseFieldSelector(text), fields)).toBe(want))

test('parsing what was formatted gives the same requirements', () => {
  const requirement = fc.record({
    field: fc.stringMatching(/^[a-zA-Z.]{1,10}$/),
    operator: fc.constantFrom('=' as const, '!=' as const),
    value: fc.string({ unit: fc.constantFrom('a', '\\', ',', '=', '!', ' ', 'é') }),
  })
  fc.assert(
    fc.property(fc.array(requirement), (requirements) => {
      expect(parseFieldSelector(formatFieldSelector(requirements))).toEqual(requirements)
    }),
  )
})

test('no text makes the parser do anything but answer or refuse', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\\', ',', '=', '!', '\u0000') }), (text) => {
      try {
        parseFieldSelector(text)
      } catch (error) {
        if (!isBadRequest(error)) throw error
      }
    }),
  )
})
