import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { normalizeFieldPath } from './field-path.ts'

const text: JsonSchema = { type: 'string' }
const schema: JsonSchema = {
  type: 'object',
  properties: {
    a: { type: 'object', properties: { 'b.c': text, "it's": text, deep: { type: 'object', properties: { d: text } } } },
    map: { type: 'object', additionalProperties: { type: 'object', properties: { inner: text } } },
    anything: { type: 'object', additionalProperties: true },
    list: { type: 'array', items: { type: 'object', properties: { e: text } } },
    'white space': text,
    "'quoted'": text,
  },
}

test.each([
  ['.a', 'a'],
  ['.a.deep.d', 'a.deep.d'],
  ["['a'].deep", 'a.deep'],
  [".a['b.c']", 'a.b.c'],
  [".a['it\\'s']", "a.it's"],
  [".a.it's", "a.it's"],
  ['.map.key.inner', 'map[key].inner'],
  [".map['k.e.y'].inner", 'map[k.e.y].inner'],
  ['.anything.key', 'anything[key]'],
  ['.list', 'list'],
  ['.white space', 'white space'],
  ["['\\'quoted\\'']", "'quoted'"],
])('%s leads to %s', (path, normal) => expect(normalizeFieldPath(path, schema)).toBe(normal))

test.each([
  ['a', 'expected [ or . but got: a'],
  ['.', 'unexpected end of JSON path'],
  ['.c', 'does not refer to a valid field'],
  ['. a', 'does not refer to a valid field'],
  ['..a', 'does not refer to a valid field'],
  ['.a..deep', 'does not refer to a valid field'],
  ['.a.constructor', 'does not refer to a valid field'],
  ['.a.deep.d.e', 'does not refer to a valid field'],
  [".a['b.c'", 'unexpected end of JSON path'],
  [".a['b.c'.", 'expected ] but got .'],
  ['.a[b]', 'expected single quoted string but got b'],
  [".a['b", "expected single quoted string but got 'b"],
  ['.list[0]', 'expected single quoted string but got 0'],
  ['.list.e', 'does not refer to a valid field'],
  [".a['\\q']", 'invalid string literal: invalid escape char \\q'],
])('%s is refused: %s', (path, detail) => expect(() => normalizeFieldPath(path, schema)).toThrow(detail))
