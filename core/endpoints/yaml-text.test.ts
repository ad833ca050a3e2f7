import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { parseYamlText } from './yaml-text.ts'

const parse = (text: string) => parseYamlText(Buffer.from(text))

test.each<[string, string, unknown]>([
  ['a map', 'a: 1\nb: [x, "1"]\n', { a: 1, b: ['x', '1'] }],
  ['JSON', '{"a": {"b": null}}', { a: { b: null } }],
  ['the booleans of YAML 1.1', 'a: yes\nb: off\nc: "no"\n', { a: true, b: false, c: 'no' }],
  ['octal numbers', 'mode: 0644\n', { mode: 420 }],
  [
    'what looks like a time as text',
    'a: 2001-12-14\nb: 2001-12-14t21:59:43.10-05:00\n',
    { a: '2001-12-14', b: '2001-12-14t21:59:43.10-05:00' },
  ],
  ['what looks like base 60 as text', 'port: 22:22\n', { port: '22:22' }],
  ['an alias', 'a: &x {b: 1}\nc: *x\n', { a: { b: 1 }, c: { b: 1 } }],
  ['the last of a key that comes twice', 'a: 1\na: 2\n', { a: 2 }],
])('reads %s', (_, text, want) => expect(parse(text)).toEqual(want))

test.each<[string, string | Buffer]>([
  ['broken YAML', 'a: ['],
  ['tabs for indentation', 'a:\n\tb: 1\n'],
  ['two documents', 'a: 1\n---\nb: 2\n'],
  ['an alias of nothing', 'a: *x\n'],
  ['what repeats itself too often', bomb()],
  ['what is part of itself', 'a: &a {b: *a}\n'],
  ['what is part of itself twice', 'a: &a [[*a], {b: *a}]\n'],
  ['nesting that is too deep', '['.repeat(2_000) + ']'.repeat(2_000)],
  ['infinity', 'a: .inf\n'],
  ['more parts than anybody writes', `[${'1,'.repeat(60_000)}1]`],
  ['texts side by side without end', "'a' ".repeat(60_000)],
  ['brackets without end', ']'.repeat(60_000)],
  ['directives without end', '%a\n'.repeat(60_000)],
  ['more lines than anybody reads', '\n'.repeat(300_000)],
  ['bytes that are no UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff])],
])('refuses %s', (_, text) => expect(() => parseYamlText(Buffer.from(text as string))).toThrow())

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join()}]`)
  return ['l0: &l0 [x]', ...levels].join('\n')
}

test('tells where keys come again, in the words of the YAML parser', () => {
  const told: string[][] = []
  parseYamlText(Buffer.from('a: 1\nb:\n  - c: 1\n    c: 2\na: 3\n'), (lines) => told.push(lines))
  expect(told).toEqual([['line 4: key "c" already set in map', 'line 5: key "a" already set in map']])
})

test('a key named __proto__ is a key', () => {
  const value = parse('__proto__: {polluted: 1}\n') as object
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(Object.keys(value)).toEqual(['__proto__'])
})

test('a map of many keys takes no longer for each', () => {
  const text = Array.from({ length: 30_000 }, (_, n) => `k${n}: 1`).join('\n')
  expect(Object.keys(parse(text) as object)).toHaveLength(30_000)
})

test('reads back what was written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (value) => {
      const clean = JSON.parse(JSON.stringify(value))
      expect(parse(stringify(clean, { version: '1.1' }))).toEqual(clean)
    }),
    { numRuns: 50 },
  )
})

test('answers anything with a value or an error', () => {
  const piece = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '&x ',
    '*x',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|',
    '>',
    '#',
    '!!',
    '? ',
    '%',
    '\t',
    '<<: ',
    '---\n',
    '~',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        parse(pieces.join(''))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
      }
    }),
  )
})
