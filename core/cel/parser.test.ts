import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from './parser.ts'
import { CompileError } from './source.ts'
import { Bytes, Double, Uint } from './values.ts'

const literals: [text: string, want: unknown][] = [
  ['1', 1],
  ['-1', -1],
  ['0x1F', 31],
  ['-0x1f', -31],
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['7u', new Uint(7n)],
  ['0xFFu', new Uint(255n)],
  ['1.5', new Double(1.5)],
  ['.5e1', new Double(5)],
  ['1e3', new Double(1000)],
  ['true', true],
  ['null', null],
  [`'it''s'`.slice(0, 4), 'it'],
  [`"\\u00e9\\n\\101\\x41"`, 'é\nAA'],
  ['"\\U0001F600"', '😀'],
  ["r'a\\n'", 'a\\n'],
  ["'''a\n'b' '''", "a\n'b' "],
  ['b"\\xff\\377é"', new Bytes(Uint8Array.from([255, 255, 0xc3, 0xa9]))],
  ['rb"\\x"', new Bytes(Uint8Array.from([92, 120]))],
  ['// a comment\n1', 1],
]
test.each(literals)('the literal %s', (text, want) => {
  expect(parse(text)).toMatchObject({ kind: 'literal', value: want })
})

const refusals: [text: string, want: string][] = [
  ['', "ERROR: <input>:1:1: Syntax error: unexpected input '<EOF>'\n | \n | ^"],
  ['1 +', "ERROR: <input>:1:4: Syntax error: unexpected input '<EOF>'\n | 1 +\n | ...^"],
  ['a\n  @', "ERROR: <input>:2:3: Syntax error: token recognition error at: '@'\n |   @\n | ..^"],
  ["'😀' + for", "ERROR: <input>:1:7: reserved identifier: for\n | '😀' + for\n | ......^"],
  ['9223372036854775808', 'ERROR: <input>:1:1: invalid int literal\n | 9223372036854775808\n | ^'],
  ['has(a)', 'ERROR: <input>:1:4: invalid argument to has() macro\n | has(a)\n | ...^'],
  ['[1].all(a.b, true)', 'ERROR: <input>:1:10: argument must be a simple name\n | [1].all(a.b, true)\n | .........^'],
  ['f(1,)', "ERROR: <input>:1:5: Syntax error: unexpected input ')'\n | f(1,)\n | ....^"],
  ['"\\s"', 'ERROR: <input>:1:1: Syntax error: invalid escape sequence \'\\\'\n | "\\s"\n | ^'],
  ["'\\ud83d'", "ERROR: <input>:1:1: Syntax error: invalid unicode code point\n | '\\ud83d'\n | ^"],
]
test.each(refusals)('refuses %j', (text, want) => {
  expect(() => parse(text)).toThrow(want)
})

test('operators bind as in the specification', () => {
  const shape = (text: string) => JSON.stringify(strip(parse(text)))
  expect(shape('a + b * c')).toBe(shape('a + (b * c)'))
  expect(shape('a - b - c')).toBe(shape('(a - b) - c'))
  expect(shape('a || b && !c == d')).toBe(shape('a || (b && ((!c) == d))'))
  expect(shape('a ? b : c ? d : e')).toBe(shape('a ? b : (c ? d : e)'))
  expect(shape('-a.b[0]')).toBe(shape('-((a.b)[0])'))
})

test('signs of one operand are all the same, and take back each other in pairs', () => {
  const shape = (text: string) => strip(parse(text))
  expect(shape('!!a && --a == ---b')).toEqual(shape('a && a == -b'))
  expect(shape('--1')).toEqual(shape('1'))
  expect(shape('!-1')).toEqual(shape('!(-1)'))
  expect(shape('-1u')).toEqual(shape('-(1u)'))
  for (const mixed of ['!-a', '-!a', '!-1u']) expect(() => parse(mixed)).toThrow('Syntax error')
})

/** The tree without ids and offsets. */
function strip(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strip)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== 'id' && key !== 'offset')
      .map(([key, value]) => [key, strip(value)]),
  )
}

test.each([
  ['brackets', `${'('.repeat(100_000 / 2)}`],
  ['a sum', Array(20_000).fill('1').join('+')],
  ['negations', `${'!('.repeat(40_000)}a`],
  ['selections', `a${'.b'.repeat(40_000)}`],
  ['conditionals', 'a?b:'.repeat(20_000)],
])('refuses %s deeper than the stack', (_, text) => {
  expect(() => parse(text)).toThrow('expression recursion limit exceeded: 250')
})

test('long chains of && are flat', () => {
  expect(parse(Array(5_000).fill('a').join('&&'))).toMatchObject({ kind: 'logical', operator: '&&' })
})

const scraps = fc.constantFrom(
  ...`( ) [ ] { } . , ? : && || == != < <= + - * / % ! in a b.c has( .all(x, .map(x, cel.bind(v, 1 2u 1.5 0x "s" 'q b'z' r" """ true null for \` \\ // \n é 😀`.split(
    ' ',
  ),
)
test('nothing but CompileError is thrown, whatever the text', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(scraps, { maxLength: 30 }).map((parts) => parts.join(' ')),
  )
  fc.assert(
    fc.property(text, (source) => {
      try {
        parse(source)
      } catch (error) {
        expect(error).toBeInstanceOf(CompileError)
      }
    }),
    { numRuns: 1000 },
  )
})
