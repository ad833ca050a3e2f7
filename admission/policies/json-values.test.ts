import { expect, test } from 'vitest'
import { compile } from '#core/cel/cel.ts'
import { environmentOf } from '../matching/environment.ts'
import { jsonOf, typeNameFaults, ValueError } from './json-values.ts'

const environment = environmentOf({ hasPatchTypes: true })
const made = (expression: string, object: unknown = {}) => compile(expression, environment).evaluate({ object })

test.each<[expression: string, json: unknown]>([
  [
    'Object{spec: Object.spec{replicas: 1, ratio: 0.5, on: true, none: null}}',
    { spec: { replicas: 1, ratio: 0.5, on: true, none: null } },
  ],
  ['{"a": [dyn(1), dyn({"b": "c"})]}', { a: [1, { b: 'c' }] }],
  ['2.0', 2],
  ['1u', 1],
  ['b"\\x00\\xff"', 'AP8='],
  ['timestamp("2026-01-02T03:04:05Z")', '2026-01-02T03:04:05Z'],
  ['duration("90s")', '90s'],
  ['{"__proto__": 1}', JSON.parse('{"__proto__": 1}')],
  ['Object{?a: optional.none(), ?b: optional.of(1)}', { b: 1 }],
])('%s is %j in an object', (expression, json) => {
  expect(jsonOf(made(expression))).toStrictEqual(json)
})

test('what is taken from another object is a copy', () => {
  const object = { labels: { a: 'b' } }
  const copy = jsonOf(made('object.labels', object))
  expect(copy).toEqual(object.labels)
  expect(copy).not.toBe(object.labels)
})

test.each(['{1: "a"}', '[quantity("1")]', 'optional.of(1)'])('%s can be in no object', (expression) => {
  expect(() => jsonOf(made(expression))).toThrow(ValueError)
})

test.each<[expression: string, faults: string[]]>([
  ['Object{}', []],
  ['Object{spec: Object.spec{list: [Object.spec.list{a: 1}], map: {"k": Object.spec.map{b: 2}}}}', []],
  ['Object{spec: Object.metadata{}}', ['"Object.metadata", expected "Object.spec"']],
  ['Object{spec: {"a": Object.b{}}}', ['"Object.b", expected "Object.spec"']],
  ['Object{a: Object{}, list: [Object.a{}]}', ['"Object", expected "Object.a"', '"Object.a", expected "Object.list"']],
])('of %s the faults are %j', (expression, faults) => {
  const why = 'which matches field name path from root Object type'
  expect(typeNameFaults(made(expression))).toEqual(faults.map((fault) => `unexpected type name ${fault}, ${why}`))
})
