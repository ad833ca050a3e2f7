import { expect, test } from 'vitest'
import { compile } from '#core/cel/cel.ts'
import { compileSchema } from '#core/schema/compile.ts'
import { environmentOf } from '../matching/environment.ts'
import { widget } from '../testing/policies.ts'
import { PatchError, withConfiguration, withJsonPatch } from './patches.ts'

const text = { type: 'string' } as const
const schema = compileSchema(
  {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          size: { type: 'integer' },
          words: { type: 'array', items: text },
          tags: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
          whole: { type: 'object', additionalProperties: text, 'x-kubernetes-map-type': 'atomic' },
          parts: {
            type: 'array',
            items: { type: 'object', required: ['name'], properties: { name: text, colour: text } },
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
          },
        },
      },
    },
  },
  {},
)

const environment = environmentOf({ hasPatchTypes: true })
const made = (expression: string) => compile(expression, environment).evaluate({})
const before = () => widget({ size: 1, parts: [{ name: 'a', colour: 'red' }, { name: 'b' }], tags: ['x'] })
const configured = (spec: string) => withConfiguration(before(), made(`Object{spec: Object.spec{${spec}}}`), schema)

test.each<[spec: string, field: string, want: unknown]>([
  ['size: 2', 'size', 2],
  [
    'parts: [Object.spec.parts{name: "b", colour: "blue"}]',
    'parts',
    [
      { name: 'a', colour: 'red' },
      { name: 'b', colour: 'blue' },
    ],
  ],
  ['parts: [Object.spec.parts{name: "c"}]', 'parts', [{ name: 'a', colour: 'red' }, { name: 'b' }, { name: 'c' }]],
  ['tags: ["y"]', 'tags', ['x', 'y']],
])('a configuration of %s makes %s %j', (spec, field, want) => {
  const { [field]: found, ...others } = configured(spec).spec as Record<string, unknown>
  expect(found).toEqual(want)
  const { [field]: _, ...kept } = before().spec as Record<string, unknown>
  expect(others).toEqual(kept)
})

test.each<[spec: string, message: string]>([
  ['words: ["a"]', 'invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.words'],
  ['whole: {"a": "b"}', 'invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.whole'],
  ['other: 1', 'failed to convert patch object to typed object: .spec.other: field not declared in schema'],
  [
    'size: "1"',
    'failed to convert patch object to typed object: .spec.size: expected numeric (int or float), got string',
  ],
  [
    'parts: [Object.spec.parts{colour: "red"}]',
    'element 0: associative list with keys has an element that omits key field "name"',
  ],
])('a configuration of %s cannot be applied', (spec, message) => {
  expect(() => configured(spec)).toThrow(message)
  expect(() => configured(spec)).toThrow(PatchError)
})

test('a configuration cannot make another kind of an object', () => {
  const { kind, apiVersion } = withConfiguration(before(), made('Object{kind: "Other", apiVersion: "v9"}'), schema)
  expect([kind, apiVersion]).toEqual(['Widget', 'example.com/v1'])
})

test('the object before stays as it is', () => {
  const object = Object.freeze(before())
  withConfiguration(object, made('Object{spec: Object.spec{size: 2, tags: ["y"]}}'), schema)
  withJsonPatch(object, made('[JSONPatch{op: "remove", path: "/spec/size"}]'))
  expect(object).toEqual(before())
})

const patched = (...operations: string[]) =>
  withJsonPatch(before(), made(`[${operations.map((one) => `JSONPatch{${one}}`).join(', ')}]`)).spec

test('JSON patches add, replace, remove, move and copy', () => {
  expect(
    patched(
      'op: "add", path: "/spec/words", value: ["a"]',
      'op: "add", path: "/spec/words/-", value: "b"',
      'op: "replace", path: "/spec/size", value: 5',
      'op: "remove", path: "/spec/tags"',
      'op: "move", from: "/spec/size", path: "/spec/copied"',
      'op: "copy", from: "/spec/parts/0", path: "/spec/parts/-"',
    ),
  ).toEqual({
    words: ['a', 'b'],
    copied: 5,
    parts: [{ name: 'a', colour: 'red' }, { name: 'b' }, { name: 'a', colour: 'red' }],
  })
})

test('a value may be an object whose types are named from its own root', () => {
  expect(patched('op: "add", path: "/spec/new", value: Object{a: Object.a{b: 1}}')).toMatchObject({
    new: { a: { b: 1 } },
  })
  expect(() => patched('op: "add", path: "/spec/new", value: Object.spec{}')).toThrow(
    'unexpected type name "Object.spec"',
  )
})

test('a test that fails leaves the object as it is; what cannot be done is a fault', () => {
  const object = before()
  const failing = made(
    '[JSONPatch{op: "remove", path: "/spec/size"}, JSONPatch{op: "test", path: "/spec/tags", value: []}]',
  )
  expect(withJsonPatch(object, failing)).toBe(object)
  expect(() => patched('op: "remove", path: "/spec/none"')).toThrow(PatchError)
  expect(() => patched('op: "remove", path: "/spec/none"')).toThrow('JSON Patch: error in remove for path')
  expect(() => patched('op: "burn", path: "/spec"')).toThrow('JSON Patch: Unexpected kind: burn')
})
