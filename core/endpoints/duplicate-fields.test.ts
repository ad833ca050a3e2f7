import fc from 'fast-check'
import { expect, test } from 'vitest'
import { duplicateFields, maxDuplicates } from './duplicate-fields.ts'

const find = (text: string) => duplicateFields(text, JSON.parse(text))

test.each<[string, string, string[]]>([
  ['nothing in an empty object', '{}', []],
  ['nothing in a scalar', '"a:b"', []],
  ['a field', '{"a":1,"a":1}', ['a']],
  ['a field below', '{"spec":{"replicas":1,"paused":true,"replicas":2}}', ['spec.replicas']],
  ['a field in a list', '[0,{"a":[[1],{"b":1,"b":2}]}]', ['[1].a[1].b']],
  ['a field with white space around', '{"a" : 1 ,\n\t"a"\r\n: 2}', ['a']],
  ['a field however it is escaped', '{"\\u0061":1,"a":2}', ['a']],
  ['each field once', '{"a":1,"a":2,"a":3}', ['a']],
  ['fields of both objects', '{"a":{"b":1,"b":2},"a":{"c":1,"c":1}}', ['a.b', 'a', 'a.c']],
  ['__proto__', '{"__proto__":1,"__proto__":{}}', ['__proto__']],
  ['the empty name', '{"":1,"":2}', ['']],
  ['nothing where a value looks like a key', '{"a":":8080","b":"\\":\\"","c":"\\\\\\":","d":"x\\\\"}', []],
  ['a field beside values that look like keys', '{"a":":8080","b":"\\"a\\":","a":"\\"b\\":"}', ['a']],
  ['nothing where objects have the same fields', '[{"a":1},{"a":1}]', []],
])('finds %s', (_, text, want) => expect(find(text)).toEqual(want))

test('finds no more than Kubernetes tells', () => {
  const fields = Array.from({ length: 300 }, (_, n) => `"f${n}":1,"f${n}":2`)
  expect(find(`{${fields.join()}}`)).toHaveLength(maxDuplicates)
})

test('finds nothing in what was written from an object', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
      expect(find(JSON.stringify(value, null, indent))).toEqual([])
    }),
  )
})

test('finds any field that is put in again, wherever it is', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '":', '\\', '\\"', 'toString'))
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue(), { minKeys: 1 }), fc.array(key), fc.nat(), (object, path, pick) => {
      const keys = Object.keys(object)
      const again = keys[pick % keys.length]!
      const inner = `${JSON.stringify(object).slice(0, -1)}, ${JSON.stringify(again)} : ":"}`
      const text = path.reduce((below, step) => `{"x":[":"],${JSON.stringify(`_${step}`)}:${below}}`, inner)
      expect(find(text)).toEqual([[...path.map((step) => `_${step}`).reverse(), again].join('.')])
    }),
  )
})
