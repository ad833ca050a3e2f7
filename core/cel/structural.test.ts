import { expect, test } from 'vitest'
import { compile, EvaluationError, Optional, types } from './cel.ts'
import { kubernetesEnvironment } from './library/kubernetes.ts'

const { list, map, object, int, string, double, timestamp, duration, bytes, optional } = types

const fields = (of: Record<string, types.Type>, properties: Record<string, string> = {}) => ({
  ...object(`type${Object.keys(of).join()}`, new Map(Object.entries(of))),
  properties: new Map(Object.entries(properties)),
})
const keyed = (item: types.Type, ...identity: string[]) => ({ ...list(item), identity })
const set = (item: types.Type) => ({ ...list(item), identity: 'item' as const })
const date = { ...timestamp, read: (value: unknown) => (typeof value === 'string' ? dateOf(value) : value) }
const dateOf = (text: string) => compile(`timestamp('${text}T00:00:00Z')`).evaluate({})

const entry = fields({ k: string, v: string })
const self = fields(
  {
    dash__dash__dash: int,
    __namespace__: string,
    proto: string,
    nothing: string,
    set: set(string),
    otherSet: set(string),
    doubleSet: set(double),
    entries: keyed(entry, 'k'),
    reordered: keyed(entry, 'k'),
    changed: keyed(entry, 'k'),
    times: list(timestamp),
    sameTimes: list(timestamp),
    timeMap: map(string, timestamp),
    doubles: list(double),
    day: date,
    wait: duration,
    data: bytes,
    nested: fields({ times: list(timestamp), set: set(string) }),
    sameNested: fields({ times: list(timestamp), set: set(string) }),
  },
  { dash__dash__dash: 'dash-dash', __namespace__: 'namespace', proto: '__proto__' },
)

const data = {
  'dash-dash': 3,
  namespace: 'n',
  ['__proto__']: 'own',
  nothing: null,
  set: ['a', 'b', 'c'],
  otherSet: ['a', 'c', 'b'],
  doubleSet: [1, 2.5],
  entries: [
    { k: 'a', v: '1' },
    { k: 'b', v: '2' },
  ],
  reordered: [
    { k: 'b', v: '2' },
    { k: 'a', v: '1' },
  ],
  changed: [{ k: 'b', v: '3' }],
  times: ['2020-01-01T00:00:00Z'],
  sameTimes: ['2020-01-01T01:00:00.000+01:00'],
  timeMap: { a: '2020-01-01T00:00:00Z' },
  doubles: [1, 2],
  day: '2020-01-02',
  wait: '1h',
  data: 'QUI=',
  nested: { times: ['2020-01-01T00:00:00Z'], set: ['x', 'y'] },
  sameNested: { times: ['2020-01-01T00:00:00.0Z'], set: ['y', 'x'] },
}

const environment = kubernetesEnvironment.extend({ variables: { self, oldSelf: optional(self) } })
const run = (text: string) => compile(text, environment).evaluate({ self: data, oldSelf: new Optional(data) })

test.each([
  'self.dash__dash__dash == 3',
  "self.__namespace__ == 'n'",
  "self.proto == 'own'",
  '!has(self.nothing)',
  '!self.?nothing.hasValue()',
  "self.?proto.orValue('') == 'own'",
  'has(self.dash__dash__dash)',
  "self.set == ['c', 'b', 'a']",
  "self.set != ['c', 'b']",
  "self.set != ['c', 'b', 'b']",
  'self.set == self.otherSet',
  "!(['c', 'b', 'a'] == self.set)",
  "self.set + ['c', 'd'] == ['d', 'a', 'b', 'c']",
  '(self.set + self.otherSet).size() == 3',
  'self.doubleSet == [2.5, 1.0]',
  'self.entries == self.reordered',
  'self.entries != self.changed',
  'self.entries + self.changed != self.entries',
  "(self.entries + self.changed)[1].v == '3'",
  'self.entries + self.changed + self.reordered == self.entries',
  'self.times == self.sameTimes',
  "timestamp('2020-01-01T00:00:00Z') in self.times",
  "self.timeMap == {'a': timestamp('2020-01-01T00:00:00Z')}",
  "{'a': timestamp('2020-01-01T00:00:00Z')} == self.timeMap",
  'self.doubles.sum() / 2.0 == 1.5',
  'self.day.getDate() == 2',
  "self.wait == duration('60m')",
  "self.data == b'AB'",
  'oldSelf.value() == self',
  'oldSelf.?day.hasValue() && oldSelf.?day.value() == self.day',
  "oldSelf.?nested.set.orValue([]) == ['x', 'y']",
])('%s', (text) => expect(run(text)).toBe(true))

test('objects are equal as their fields are', () => {
  const one = fields({ times: list(timestamp), set: set(string) })
  const program = compile('a == b', kubernetesEnvironment.extend({ variables: { a: one, b: one } }))
  expect(program.evaluate({ a: data.nested, b: data.sameNested })).toBe(true)
  expect(program.evaluate({ a: data.nested, b: { ...data.sameNested, set: ['x'] } })).toBe(false)
  expect(program.evaluate({ a: data.nested, b: { times: data.nested.times, set: null } })).toBe(false)
})

test('a field that is absent is told by its name in the expression', () => {
  const environment = kubernetesEnvironment.extend({
    variables: { self: fields({ a__dot__b: int }, { a__dot__b: 'a.b' }) },
  })
  const program = compile('self.a__dot__b > 0', environment)
  expect(() => program.evaluate({ self: {} })).toThrow(new EvaluationError('no such key: a__dot__b'))
  expect(program.evaluate({ self: { 'a.b': 1 } })).toBe(true)
})

test('a program tells the variables it refers to', () => {
  expect([...compile('self.set.all(one, one in oldSelf.?set.orValue([]))', environment).variables]).toEqual([
    'self',
    'oldSelf',
  ])
})
