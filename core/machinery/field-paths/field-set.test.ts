import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatPath } from './element.ts'
import {
  difference,
  equalSets,
  type FieldSet,
  hasPath,
  intersection,
  isEmpty,
  isSubset,
  leaf,
  ordered,
  parseFieldSet,
  paths,
  recursiveDifference,
  setAt,
  union,
} from './field-set.ts'

const elements = [
  'f:a',
  'f:b',
  'f:__proto__',
  'k:{"name":"x"}',
  'k:{"port":80,"protocol":"TCP"}',
  'v:"one"',
  'v:2',
  'i:0',
]
const anyPath = fc.array(fc.constantFrom(...elements), { minLength: 1, maxLength: 4 })
const anySet = fc.array(anyPath, { maxLength: 12 }).map((all) => all.map((path) => setAt(path)).reduce(union, leaf))

const textsOf = (set: FieldSet) => Array.from(paths(set), (path) => path.join('/')).sort()
const asSet = (set: FieldSet) => new Set(textsOf(set))

const laws: { name: string; holds: (a: FieldSet, b: FieldSet, c: FieldSet) => void }[] = [
  {
    name: 'a union has the paths of both',
    holds: (a, b) => expect(asSet(union(a, b))).toEqual(asSet(a).union(asSet(b))),
  },
  {
    name: 'an intersection has the paths that are in both',
    holds: (a, b) => expect(asSet(intersection(a, b))).toEqual(asSet(a).intersection(asSet(b))),
  },
  {
    name: 'a difference has the paths that are only in the first',
    holds: (a, b) => expect(asSet(difference(a, b))).toEqual(asSet(a).difference(asSet(b))),
  },
  {
    name: 'a recursive difference also lacks what is below',
    holds: (a, b) => {
      const gone = textsOf(b)
      const rest = textsOf(a).filter((path) => !gone.some((one) => path === one || path.startsWith(`${one}/`)))
      expect(textsOf(recursiveDifference(a, b))).toEqual(rest)
    },
  },
  {
    name: 'unions do not care for their order',
    holds: (a, b, c) => expect(equalSets(union(a, union(b, c)), union(union(c, b), a))).toBe(true),
  },
  {
    name: 'a set is within another when nothing is left of it',
    holds: (a, b) => expect(isSubset(a, b)).toBe(isEmpty(difference(a, b))),
  },
  {
    name: 'sets are equal when they have the same paths',
    holds: (a, b) => expect(equalSets(a, b)).toBe(textsOf(a).join() === textsOf(b).join()),
  },
  { name: 'every path is found', holds: (a) => expect([...paths(a)].every((path) => hasPath(a, path))).toBe(true) },
  {
    name: 'only its own paths are found',
    holds: (a, b) =>
      expect([...paths(b)].filter((path) => hasPath(a, path)).length).toBe(textsOf(intersection(a, b)).length),
  },
  { name: 'putting it in order changes nothing', holds: (a) => expect(equalSets(ordered(a), a)).toBe(true) },
  {
    name: 'FieldsV1 comes back as it went',
    holds: (a) => expect(parseFieldSet(JSON.parse(JSON.stringify(ordered(a))))).toEqual(a),
  },
]

test.each(laws)('$name', ({ holds }) => {
  fc.assert(
    fc.property(anySet, anySet, anySet, (a, b, c) => {
      holds(a, b, c)
    }),
  )
})

test('operations that change nothing give back the same object', () => {
  fc.assert(
    fc.property(anySet, anySet, (a, b) => {
      const whole = union(a, b)
      expect(union(whole, a)).toBe(whole)
      const rest = difference(a, b)
      expect(difference(rest, b)).toBe(rest)
      expect(parseFieldSet(whole)).toBe(whole)
      expect(ordered(ordered(whole))).toEqual(ordered(whole))
    }),
  )
})

test('elements are stored in the order of Kubernetes: the place itself, fields, keys, values, indices', () => {
  const set = parseFieldSet({
    'i:10': {},
    'i:2': {},
    'v:"b"': {},
    'v:"a-b"': {},
    'v:"a"': {},
    'v:3': {},
    'k:{"port":443,"protocol":"TCP"}': {},
    'k:{"port":80,"protocol":"UDP"}': {},
    'k:{"port":80,"protocol":"TCP"}': {},
    'f:b': { 'f:d': {}, 'f:c': {}, '.': {} },
    'f:a': {},
  })
  const text = JSON.stringify(ordered(set))
  expect(Object.keys(JSON.parse(text))).toEqual([
    'f:a',
    'f:b',
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":80,"protocol":"UDP"}',
    'k:{"port":443,"protocol":"TCP"}',
    'v:3',
    'v:"a"',
    'v:"a-b"',
    'v:"b"',
    'i:2',
    'i:10',
  ])
  expect(text).toContain('"f:b":{".":{},"f:c":{},"f:d":{}}')
})

const written: { name: string; value: unknown; want: unknown }[] = [
  { name: 'keys in another order', value: { 'k:{"b":1,"a":"x"}': {} }, want: { 'k:{"a":"x","b":1}': {} } },
  { name: 'spaces', value: { 'k:{ "a" : 1 }': {}, 'v: "x"': {} }, want: { 'k:{"a":1}': {}, 'v:"x"': {} } },
  {
    name: 'two ways to write one element',
    value: { 'k:{"a":1}': { 'f:x': {} }, 'k:{ "a":1}': { 'f:y': {} } },
    want: { 'k:{"a":1}': { 'f:x': {}, 'f:y': {} } },
  },
  { name: 'an element nobody knows', value: { 'x:later': {}, 'f:a': {} }, want: { 'f:a': {} } },
  { name: 'a root that is its own member', value: { '.': {}, 'f:a': {} }, want: { 'f:a': {} } },
]
test.each(written)('a set is read with $name', ({ value, want }) => expect(parseFieldSet(value)).toEqual(want))

const malformed: { name: string; value: unknown }[] = [
  { name: 'a list', value: [] },
  { name: 'a value that is no object', value: { 'f:a': 1 } },
  { name: 'no colon', value: { name: {} } },
  { name: 'a prototype', value: JSON.parse('{"__proto__":{}}') },
  { name: 'a key that is no JSON', value: { 'k:{name}': {} } },
  { name: 'a key that is a list', value: { 'k:[1]': {} } },
  { name: 'an index that is no number', value: { 'i:x': {} } },
  { name: 'a value that is no JSON', value: { 'v:': {} } },
  { name: 'more levels than anybody needs', value: setAt(Array.from({ length: 2_000 }, () => 'f:a')) },
]
test.each(malformed)('$name is no set', ({ value }) => expect(() => parseFieldSet(value)).toThrow())

test('a path is shown as Kubernetes shows it', () => {
  const path = ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name']
  expect(formatPath(path)).toBe('.spec.ports[port=80,protocol="TCP"].name')
  expect(formatPath(['f:metadata', 'f:finalizers', 'v:"a/b"'])).toBe('.metadata.finalizers[="a/b"]')
  expect(formatPath(['f:metadata', 'f:labels', 'f:example.com/a'])).toBe('.metadata.labels.example.com/a')
  expect(formatPath(['f:list', 'i:3'])).toBe('.list[3]')
})
