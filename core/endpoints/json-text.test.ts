import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkValue, maxDepth, parseJsonText } from './json-text.ts'

const parse = (text: string) => parseJsonText(Buffer.from(text))
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

test.each([
  { name: 'the deepest nesting allowed', text: nested(maxDepth) },
  { name: 'brackets in strings', text: JSON.stringify('[{'.repeat(5 * maxDepth)) },
  { name: 'brackets behind escaped quotes', text: JSON.stringify(`"[\\"${'['.repeat(5 * maxDepth)}`) },
  {
    name: 'brackets behind quotes late in a string',
    text: JSON.stringify(`${'x'.repeat(99)}"${'['.repeat(5 * maxDepth)}`),
  },
  { name: 'many short strings', text: JSON.stringify(Array(5 * maxDepth).fill('\\"[')) },
  { name: 'the largest number', text: '[1.7976931348623157e308]' },
  { name: 'text that looks like a huge number', text: '{"uid":"1e4000"}' },
])('$name is read', ({ text }) => expect(parse(text)).toEqual(JSON.parse(text)))

test.each([
  { name: 'nesting that is too deep', text: nested(maxDepth + 1), why: 'exceeded max depth' },
  { name: 'very deep arrays', text: nested(100_000), why: 'exceeded max depth' },
  { name: 'very deep objects', text: '{"a":'.repeat(100_000), why: 'exceeded max depth' },
  { name: 'a number beyond 64 bits', text: '{"a":[1e400]}', why: 'a number is out of range' },
  { name: 'a very long number', text: `[-${'9'.repeat(400)}]`, why: 'a number is out of range' },
])('$name is refused', ({ text, why }) => expect(() => parse(text)).toThrow(why))

test('what is no UTF-8 is read as Go does', () => {
  expect(parseJsonText(Buffer.from([0x22, 0xff, 0x61, 0x22]))).toBe('\ufffda')
})

test('a byte order mark is no JSON', () => {
  expect(() => parse('\ufeff{}')).toThrow()
})

test('any JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), (text) => {
      const padded = text.padEnd(3 * maxDepth)
      expect(parse(padded)).toEqual(JSON.parse(padded))
    }),
  )
})

test.each([
  { name: 'infinity', value: { a: [Number.POSITIVE_INFINITY] } },
  { name: 'what is too deep', value: JSON.parse(nested(maxDepth + 2)) },
])('values of another syntax: $name is refused', ({ value }) => expect(() => checkValue(value)).toThrow())
