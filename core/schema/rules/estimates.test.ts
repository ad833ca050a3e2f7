/** What rules are estimated to cost by their schemas, beside what Kubernetes estimates: without bounds, and with one. */
import { expect, test } from 'vitest'
import { unboundedCost } from '#core/cel/cel.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { declare } from './declare.ts'
import { compileRules } from './rule.ts'

/** Makes a schema; what it leaves open is bounded by `max`, when that is given. */
type Make = (max?: number) => JsonSchema

const scalars: Record<string, JsonSchema> = {
  number: { type: 'number' },
  integer: { type: 'integer' },
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  'int-or-string': { 'x-kubernetes-int-or-string': true },
  duration: { type: 'string', format: 'duration' },
  date: { type: 'string', format: 'date' },
  'date-time': { type: 'string', format: 'date-time' },
}
const bounded = (schema: JsonSchema, bound: 'maxItems' | 'maxProperties' | 'maxLength', max?: number): JsonSchema =>
  max === undefined ? schema : { ...schema, [bound]: max }
const listOf =
  (items: JsonSchema): Make =>
  (max) =>
    bounded({ type: 'array', items }, 'maxItems', max)
const mapOf =
  (values: JsonSchema): Make =>
  (max) =>
    bounded({ type: 'object', additionalProperties: values }, 'maxProperties', max)
const text: Make = (max) => bounded({ type: 'string' }, 'maxLength', max)
const bytes: Make = (max) => bounded({ type: 'string', format: 'byte' }, 'maxLength', max)
const record: JsonSchema = {
  type: 'object',
  properties: { required: { type: 'string' }, optional: { type: 'string' } },
  required: ['required'],
}
const list = (name: string) => listOf(scalars[name]!)
const map = (name: string) => mapOf(scalars[name]!)
const numbers: JsonSchema = { type: 'array', items: scalars.number! }
const numberMap: JsonSchema = { type: 'object', additionalProperties: scalars.number! }
const texts: Make = (max) => bounded({ type: 'array', items: text(max) }, 'maxItems', max)
const textMap: Make = (max) => bounded({ type: 'object', additionalProperties: text(max) }, 'maxProperties', max)
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', properties })

const all = 'self.all(x, true)'

test.each<[name: string, make: Make, rule: string, open: number, max: number, set: number]>([
  ['numbers', list('number'), all, 4718591, 10, 32],
  ['strings', list('string'), all, 3145727, 20, 62],
  ['booleans', list('boolean'), all, 1887437, 5, 17],
  ['lists of numbers', listOf(numbers), all, 3145727, 100, 302],
  ['objects', listOf(record), all, 555128, 50, 152],
  ['a map of numbers', map('number'), all, 1348169, 10, 32],
  ['a map of numbers, a key', map('number'), 'has(self.x)', 1, 100, 1],
  ['a map of strings', map('string'), all, 1179647, 3, 11],
  ['a map of booleans', map('boolean'), all, 943718, 100, 302],
  ['part of a string', text, "self.contains('test')", 314574, 10, 5],
  ['the beginning of a string', text, "self.startsWith('test')", 2, 15, 2],
  ['the end of a string', text, "self.endsWith('test')", 2, 30, 2],
  ['more of a string', text, `size(self + "hello") > size("hello")`, 314578, 4, 7],
  ['an item of numbers', list('number'), 'self[1] == 0.0', 2, 5000, 2],
  ['an item of strings', list('string'), 'self[1] == self[1]', 314577, 8, 314577],
  ['pairs of numbers', (max = 5) => list('number')(max), 'self.all(x, self.all(y, true))', 102, 10, 352],
  [
    'triples of numbers',
    (max = 5) => list('number')(max),
    'self.all(x, self.all(y, self.all(z, true)))',
    527,
    10,
    3552,
  ],
  ['a pattern', text, `self.matches("x")`, 314574, 50, 22],
  ['a pattern of nothing', text, `"".matches("(((((((((())))))))))[0-9]")`, 7, 10, 7],
  ['an empty pattern', text, `self.matches("")`, 1, 100, 1],
  ['keys and values', textMap, 'self.all(x, x.contains(self[x]))', 2752507, 10, 72],
  ['no items', list('number'), 'self[3] == 0.0', 2, 0, 2],
  ['no entries', map('number'), `self["x"] == 0.0`, 2, 0, 2],
  ['an empty string', text, `self == "x"`, 2, 0, 1],
  ['no bytes', bytes, `self == b"x"`, 2, 0, 1],
  ['more than a request holds', list('number'), 'self.all(x, x == 0.0)', 6291454, 3 * 1024 * 2048, 25165826],
  ['maps of objects', (max) => listOf(mapOf(record)(max))(max), `self.all(x, x["y"].required == "z")`, 7340027, 10, 72],
  ['ints or strings', list('int-or-string'), all, 4718591, 10, 32],
  ['an int or string', list('int-or-string'), 'self[0] == 5', 3, 10, 3],
  ['a boolean', list('boolean'), 'self[0] == false', 2, 25, 2],
  ['an object', listOf(record), 'self[0] == null', 2, 422, 2],
  ['a number of a list of lists', listOf(numbers), 'self[0][0] == -1.0', 3, 51, 3],
  ['maps of numbers', listOf(numberMap), 'self.all(x, x.y == 25.2)', 6291452, 12, 74],
  ['a number of a list of maps', listOf(numberMap), 'self[0].x > 2.0', 4, 3000, 4],
  ['durations', list('duration'), all, 2359295, 5, 17],
  ['a duration', list('duration'), 'self[0].getHours() == 2', 4, 525, 4],
  ['dates', list('date'), all, 725936, 15, 47],
  ['a date', list('date'), 'self[2].getDayOfMonth() == 13', 4, 42, 4],
  ['times', list('date-time'), all, 428963, 25, 77],
  ['a time', list('date-time'), 'self[2].getMinutes() == 45', 4, 99, 4],
  ['a map of ints or strings', map('int-or-string'), all, 1348169, 15, 47],
  ['a map of objects', mapOf(record), all, 428963, 20, 62],
  ['a map of maps', mapOf(numberMap), all, 1179647, 10, 32],
  ['a map of lists', mapOf(numbers), all, 1179647, 25, 77],
  ['a map of durations', map('duration'), all, 1048577, 5, 17],
  ['a map of dates', map('date'), all, 524288, 10, 32],
  ['a map of times', map('date-time'), all, 349526, 25, 77],
  ['what is found in a string', text, "self.find('[0-9]+') == ''", 629147, 10, 11],
  ['strings put together', texts, "self.join(' ') == 'aa bb'", 329853068905, 10, 43],
  ['strings in order', texts, 'self.isSorted() == true', 329854432052, 10, 52],
  [
    'a string replaced',
    (max) =>
      object({ str: text(max), before: { type: 'string', maxLength: 2 }, after: { type: 'string', maxLength: 4 } }),
    "self.str.replace(self.before, self.after) == 'does not matter'",
    629154,
    4,
    12,
  ],
  [
    'a string split',
    (max) => object({ str: text(max), separator: text(max) }),
    'self.str.split(self.separator) == []',
    629160,
    10,
    22,
  ],
  ['a string in small letters', text, "self.lowerAscii() == 'lower!'", 314575, 10, 6],
  ['sizes', map('integer'), 'oldSelf.size() == self.size()', 5, 10, 5],
  ['times compared', map('date-time'), 'self["a"] == self["b"]', 8, 7, 8],
  ['durations compared', map('duration'), 'self["c"] == self["d"]', 8, 42, 8],
  [
    'one of some strings',
    (max) => bounded({ type: 'string', enum: ['A', 'B', 'C', 'LongValue'] }, 'maxLength', max),
    "self.contains('A')",
    2,
    1000,
    401,
  ],
  [
    'a quantity',
    (max) => bounded({ 'x-kubernetes-int-or-string': true }, 'maxLength', max),
    'isQuantity(self)',
    314574,
    20,
    9,
  ],
])('%s', (_, make, rule, open, max, set) => {
  const estimates = [make(), make(max)].map((schema) => {
    const [compiled] = compileRules({ ...schema, 'x-kubernetes-validations': [{ rule }] }, declare(schema, false)!.type)
    expect(compiled!.fault).toBe('')
    return compiled!.program!.estimateCost().max
  })
  expect(estimates).toEqual([open, set])
})

test('what 64 bits do not count is beyond all bounds', () => {
  const schema = listOf(scalars.number!)()
  const rule = 'self.all(x, self.all(y, self.all(z, self.all(a, true))))'
  const [compiled] = compileRules({ ...schema, 'x-kubernetes-validations': [{ rule }] }, declare(schema, false)!.type)
  expect(compiled!.program!.estimateCost().max).toBe(unboundedCost)
})
