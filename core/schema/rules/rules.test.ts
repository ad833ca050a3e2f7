/** What rules see of values, by the types of schemas. The facts are those of Kubernetes. */
import { describe, expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import { checkRules } from './check.ts'
import { judge } from './judge.ts'
import { ruleTree } from './rule-tree.ts'

const text: JsonSchema = { type: 'string' }
const int: JsonSchema = { type: 'integer' }
const number: JsonSchema = { type: 'number' }
const of = (format: string): JsonSchema => ({ type: 'string', format })
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items, maxItems: 10 })
const set = (items: JsonSchema): JsonSchema => ({ ...list(items), 'x-kubernetes-list-type': 'set' })
const keyed = (items: JsonSchema, ...keys: string[]): JsonSchema => ({
  ...list(items),
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
})
const map = (values: JsonSchema): JsonSchema => ({ type: 'object', additionalProperties: values, maxProperties: 10 })
const object = (properties: Record<string, JsonSchema>): JsonSchema => ({ type: 'object', properties })
const nullable = (schema: JsonSchema): JsonSchema => ({ ...schema, nullable: true })
const intOrString: JsonSchema = { 'x-kubernetes-int-or-string': true }
const unknown: JsonSchema = { 'x-kubernetes-preserve-unknown-fields': true }
const embedded: JsonSchema = { type: 'object', 'x-kubernetes-embedded-resource': true, ...unknown }

interface Facts {
  of: string
  properties: Record<string, JsonSchema>
  value: object
  holds: string[]
  /** Expressions, and what the error says, whether of the definition or of the object. */
  fails?: Record<string, string>
}

const facts: Facts[] = [
  {
    of: 'integers',
    properties: { a: int, b: int, big: int },
    value: { a: 1, b: 1, big: 2 ** 40 },
    holds: ['self.a == self.b', 'type(self.a) == int', 'self.big > 1099511627775', 'self.a + 1 == 2'],
    fails: { 'self.a + 9223372036854775807 > 0': 'integer overflow', 'self.a / (self.b - 1) == 1': 'division by zero' },
  },
  {
    of: 'numbers',
    properties: { whole: number, part: number, list: list(number) },
    value: { whole: 1, part: 1.5, list: [1, 2] },
    holds: [
      'type(self.whole) == double',
      'self.whole == 1.0',
      'self.whole / 2.0 == 0.5',
      'self.part > self.whole',
      'self.list.sum() / 2.0 == 1.5',
      'self.list.all(one, type(one) == double)',
      'self.list == [1.0, 2.0]',
      '2.0 in self.list',
    ],
    fails: { 'self.whole + 1 == 2.0': "no matching overload for '_+_' applied to '(double, int)'" },
  },
  {
    of: 'bytes',
    properties: { a: of('byte'), b: of('byte') },
    value: { a: 'QUI=', b: 'QUI=' },
    holds: ['self.a == self.b', "self.a == b'AB'", 'type(self.a) == bytes', 'size(self.a) == 2'],
  },
  {
    of: 'durations',
    properties: { a: of('duration'), b: of('duration'), days: of('duration') },
    value: { a: '1h2m3s4ms', b: '3723004ms', days: '2 days' },
    holds: [
      'self.a == self.b',
      "self.a == duration('1h2m') + duration('3s4ms')",
      'self.a.getMilliseconds() == 3723004 && self.a.getSeconds() == 3723',
      'type(self.a) == google.protobuf.Duration',
      "self.days == duration('48h')",
    ],
  },
  {
    of: 'dates',
    properties: { day: of('date'), time: of('date-time'), list: list(of('date-time')) },
    value: { day: '1997-07-16', time: '2011-08-18T19:03:37.010000000+01:00', list: ['2020-01-01T00:00:00Z'] },
    holds: [
      "self.day == timestamp('1997-07-16T00:00:00.000Z')",
      'self.day.getDate() == 16',
      'type(self.day) == google.protobuf.Timestamp',
      "self.time == timestamp('2011-08-18T19:03:37.010+01:00')",
      'self.time.getHours() == 18',
      "self.list == [timestamp('2020-01-01T01:00:00+01:00')]",
      "timestamp('2020-01-01T00:00:00Z') in self.list",
      'self.list.all(one, one > self.time)',
    ],
  },
  {
    of: 'sets',
    properties: { a: set(text), b: set(text) },
    value: { a: ['a', 'b', 'c'], b: ['a', 'c', 'b'] },
    holds: [
      "self.a == ['c', 'b', 'a']",
      'self.a == self.b',
      "self.a + self.b == ['a', 'b', 'c']",
      "self.a + ['c', 'd'] == ['a', 'b', 'c', 'd']",
      "self.a.join('-') == 'a-b-c'",
      "self.b[0] in self.a && !('x' in self.a)",
    ],
  },
  {
    of: 'keyed lists',
    properties: { lists: list(keyed(object({ k: text, v: text, 'other.key': int }), 'k')) },
    value: {
      lists: [
        [
          { k: 'a', v: '1' },
          { k: 'b', v: '2' },
        ],
        [
          { k: 'b', v: '2' },
          { k: 'a', v: '1' },
        ],
        [
          { k: 'b', v: '3' },
          { k: 'a', v: '1' },
        ],
        [{ k: 'c', v: '4' }],
      ],
    },
    holds: [
      'self.lists[0] == self.lists[1]',
      'self.lists[0] != self.lists[2]',
      'self.lists[0] + self.lists[2] == self.lists[2]',
      'self.lists[2] + self.lists[0] == self.lists[0]',
      'self.lists[0] == [self.lists[0][1], self.lists[0][0]]',
      'size(self.lists[0] + [self.lists[3][0]]) == 3',
    ],
    fails: { "self.lists[0] == {'k': 'a', 'v': '1'}": "no matching overload for '_==_'" },
  },
  {
    of: 'lists keyed by what rules cannot write',
    properties: { lists: list(keyed(object({ 'k!': text, 'k.': text }), 'k!', 'k.')) },
    value: {
      lists: [
        [
          { 'k!': 'a', 'k.': '1' },
          { 'k!': 'b', 'k.': '2' },
        ],
        [
          { 'k!': 'b', 'k.': '2' },
          { 'k!': 'a', 'k.': '1' },
        ],
        [
          { 'k!': 'b', 'k.': '2' },
          { 'k!': 'c', 'k.': '1' },
        ],
      ],
    },
    holds: ['self.lists[0] == self.lists[1]', 'self.lists[0] != self.lists[2]', "self.lists[0][0].k__dot__ == '1'"],
    fails: { "self.lists[0][0].k! == '1'": 'Syntax error' },
  },
  {
    of: 'maps',
    properties: { a: map(text), b: map(text), odd: map(int) },
    value: { a: { k1: 'a', k2: 'b' }, b: { k2: 'b', k1: 'a' }, odd: { '@': 1, '9': 2, int: 3, './-': 4, __proto: 5 } },
    holds: [
      'self.a == self.b',
      "'k1' in self.a && !('k3' in self.a)",
      "self.a == {'k1': 'a', 'k2': 'b'}",
      'has(self.a.k1) && !has(self.a.k3)',
      "self.odd['@'] == 1 && self.odd['./-'] == 4 && self.odd.int == 3",
      'self.odd.all(k, v, v > 0)',
    ],
    fails: {
      "self.a['k3'] == 'c'": 'no such key: k3',
      "!('toString' in self.a) && self.a.toString == ''": 'no such key',
    },
  },
  {
    of: 'objects',
    properties: {
      a: object({ b: int, c: int, d: nullable(int) }),
      e: object({ f: object({ g: int }), h: object({ i: int }) }),
    },
    value: { a: { b: 1, d: null }, e: { f: { g: 4 } } },
    holds: [
      'has(self.a.b)',
      '!has(self.a.c)',
      '!has(self.a.d)',
      'has(self.e.f.g)',
      '!(has(self.e.h) && has(self.e.h.i))',
    ],
    fails: {
      'has(self.a.z)': "undefined field 'z'",
      "self.a['b'] == 1": "no matching overload for '_[_]'",
      'has(self.e.h.i)': 'no such key: h',
      'self.a.d == 1': 'no such key: d',
      'self.a == self.e': "no matching overload for '_==_'",
    },
  },
  {
    of: 'nulls',
    properties: { s: nullable(text), m: map(nullable(text)), l: list(nullable(text)), o: nullable(object({ a: int })) },
    value: { s: null, m: { a: null, b: 'c' }, l: [null, 'c'], o: null },
    holds: [
      '!has(self.s)',
      'self.m.size() == 2',
      "'a' in self.m",
      "type(self.m['a']) == null_type",
      'type(self.l[0]) == null_type',
      '!has(self.o)',
      "self.?o.?a.orValue(3) == 3 && self.?s.orValue('none') == 'none'",
    ],
    fails: { 'self.s == null': "no matching overload for '_==_' applied to '(string, null)'" },
  },
  {
    of: 'ints or strings',
    properties: { percent: intOrString, count: intOrString, none: nullable(intOrString) },
    value: { percent: '25%', count: 5, none: null },
    holds: [
      'type(self.percent) == string && self.percent.matches(r"(\\d+(\\.\\d+)?%)")',
      'type(self.count) == int && self.count == 5',
      "type(self.count) == int ? self.count <= 5 : double(self.count.replace('%', '')) < 0.5",
      '!has(self.none)',
    ],
    fails: { 'self.percent > 3': "'no such overload': call arguments did not match a supported operator" },
  },
  {
    of: 'what nothing is known of',
    properties: {
      open: { type: 'object', ...unknown },
      list: list({ type: 'object', ...unknown, properties: { known: int } }),
      lists: list(object({ field: unknown })),
      any: unknown,
      anyList: list(unknown),
      anyMap: map(unknown),
    },
    value: {
      open: { a: 1 },
      list: [{ known: 1, more: 'a' }, { known: 1, more: 'b' }, { known: 1, more: 'b' }, { known: 1 }],
      lists: [{ field: 'a' }, { field: 1 }, { field: 1 }],
      any: 1,
      anyList: [1],
      anyMap: { a: 1 },
    },
    holds: [
      'has(self.open)',
      'self.list[0] != self.list[1] && self.list[1] == self.list[2] && self.list[2] != self.list[3]',
      'self.lists[0] != self.lists[1] && self.lists[1] == self.lists[2]',
    ],
    fails: {
      'has(self.open.a)': "undefined field 'a'",
      'has(self.any)': "undefined field 'any'",
      'has(self.anyList)': "undefined field 'anyList'",
      'has(self.anyMap)': "undefined field 'anyMap'",
      'has(self.list[0].more)': "undefined field 'more'",
    },
  },
  {
    of: 'resources within',
    properties: { embedded },
    value: { embedded: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'foo', namespace: 'xyz' }, spec: {} } },
    holds: [
      "self.embedded.kind == 'Pod' && self.embedded.metadata.name == 'foo'",
      '!has(self.embedded.metadata.generateName)',
    ],
    fails: {
      'has(self.embedded.metadata.namespace)': "undefined field 'namespace'",
      'has(self.embedded.spec)': "undefined field 'spec'",
    },
  },
  {
    of: 'names that are words of CEL, or of other characters',
    properties: Object.fromEntries(
      ['in', 'if', 'namespace', 'int', 'self', 'all', 'dot.dot', 'dash-dash', 'slash/slash', 'a__b', 'constructor'].map(
        (name) => [name, int],
      ),
    ),
    value: {
      in: 1,
      if: 2,
      namespace: 3,
      int: 4,
      self: 5,
      all: 6,
      'dot.dot': 7,
      'dash-dash': 8,
      'slash/slash': 9,
      a__b: 10,
    },
    holds: [
      'self.__in__ == 1 && self.__if__ == 2 && self.__namespace__ == 3',
      'self.if == 2 && self.namespace == 3',
      'self.int == 4 && self.self == 5 && self.all == 6',
      'self.dot__dot__dot == 7 && self.dash__dash__dash == 8 && self.slash__slash__slash == 9',
      'self.a__underscores__b == 10',
      '!has(self.constructor)',
    ],
    fails: {
      'self.in == 1': 'Syntax error',
      'self.__illegal__ == 1': "undefined field '__illegal__'",
      'self == 5': "no matching overload for '_==_'",
      'self.constructor == 1': 'no such key: constructor',
    },
  },
  {
    of: 'things within things',
    properties: {
      mapOfMap: map(map(text)),
      mapOfList: map(list(text)),
      mapOfKeyed: map(keyed(object({ k: text, v: text }), 'k')),
      listOfMap: list(map(text)),
    },
    value: {
      mapOfMap: { x: { y: 'b' } },
      mapOfList: { l: ['e'] },
      mapOfKeyed: { o: [{ k: '1', v: 'd' }] },
      listOfMap: [{ z: 'g' }],
    },
    holds: [
      "self.mapOfMap['x']['y'] == 'b'",
      "self.mapOfList['l'][0] == 'e'",
      "self.mapOfKeyed['o'].exists(e, e.k == '1' && e.v == 'd')",
      "self.listOfMap[0]['z'] == 'g'",
    ],
  },
  {
    of: 'what does not belong to rules of schemas',
    properties: {},
    value: {},
    holds: [],
    fails: {
      "authorizer.path('/healthz').check('get').allowed()": "undeclared reference to 'authorizer'",
      'oldSelf == self && object == self': "undeclared reference to 'object'",
      'self.size() > 0': "no matching overload for 'size'",
      '1 + 1': 'cel expression must evaluate to a bool',
    },
  },
]

/** What a rule says of a value: nothing when it holds. */
function verdict(rule: string, properties: Record<string, JsonSchema>, value: object): string {
  const spec = { ...object(properties), 'x-kubernetes-validations': [{ rule }] }
  const schema = object({ spec })
  const tree = ruleTree(schema, true)!
  const errors = checkRules(schema, 'schema')
  return [...errors, ...(errors.length === 0 ? judge(tree, { spec: value }) : [])].map((one) => one.message).join('\n')
}

describe.each(facts)('$of', ({ properties, value, holds, fails = {} }) => {
  test.each(holds)('%s', (rule) => expect(verdict(rule, properties, value)).toBe(''))
  test.each(Object.entries(fails))('%s: %s', (rule, detail) =>
    expect(verdict(rule, properties, value)).toContain(detail),
  )
})
