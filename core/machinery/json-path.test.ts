import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileJsonPath, JsonPathError } from './json-path.ts'

const object = {
  metadata: { name: 'web', annotations: { 'foo.bar/baz': 'x' } },
  spec: { replicas: 3, list: [1, 2, 3, 4, 5], matrix: [[1, 2], [3]], 'odd name': true },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', weight: 1 },
      { type: 'Synced', status: 'False', weight: 2 },
      { status: 'Unknown' },
    ],
  },
}

test.each<[string, unknown[]]>([
  ['.spec.replicas', [3]],
  ['{.spec.replicas}', [3]],
  ['$.spec.replicas', [3]],
  ['spec.replicas', [3]],
  ['.', [object]],
  ['.spec.none.deeper', []],
  ['.metadata.name.length', []],
  ['.spec.list.length', []],
  ['.metadata.annotations.foo\\.bar/baz', ['x']],
  [".metadata.annotations['foo.bar/baz']", ['x']],
  ['.metadata["annotations"]["foo.bar/baz"]', ['x']],
  [".spec['odd name']", [true]],
  ['.spec.list[0]', [1]],
  ['.spec.list[-1]', [5]],
  ['.spec.list[5]', []],
  ['.spec.list[-6]', []],
  ['.spec.list[-9]', []],
  ['.spec.list[0,2]', [1, 3]],
  ['.spec.list[*]', [1, 2, 3, 4, 5]],
  ['.spec.list.*', [1, 2, 3, 4, 5]],
  ['.spec.list[1:3]', [2, 3]],
  ['.spec.list[:2]', [1, 2]],
  ['.spec.list[3:]', [4, 5]],
  ['.spec.list[-2:]', [4, 5]],
  ['.spec.list[::2]', [1, 3, 5]],
  ['.spec.matrix[*][0]', [1, 3]],
  ['.metadata.*', ['web', { 'foo.bar/baz': 'x' }]],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type == 'Synced')].status", ['False']],
  ['.status.conditions[?(@.type!="Ready")].status', ['False']],
  ['.status.conditions[?(@.type)].status', ['True', 'False']],
  ['.status.conditions[?(@.weight>1)].type', ['Synced']],
  ['.status.conditions[?(@.weight<=1)].type', ['Ready']],
  ['.status.conditions[?(@.weight==2)].type', ['Synced']],
  ['.status.conditions[?(@.type=="a)]b")].status', []],
  ['.status.conditions[*].type', ['Ready', 'Synced']],
  ['..type', ['Ready', 'Synced']],
  ['.spec.list[?(@>3)]', [4, 5]],
  ['.constructor', []],
  ['.__proto__', []],
  ["['toString']", []],
])('%s finds its values', (path, want) => expect(compileJsonPath(path)(object)).toEqual(want))

test.each([
  '.a[',
  '.a[x]',
  ".a['x]",
  '.a[?(@.b==)]',
  '.a[?(@.b=="x"]',
  '.a..',
  '.a[0',
  '.a[1:2:0]',
  '.a\\',
  '.a[?(@.b==foo)]',
  '.a.[0]b',
])('%s is refused', (path) => expect(() => compileJsonPath(path)).toThrow(JsonPathError))

test('a name found by its quoted path is the own field of that name', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), fc.string(), (target, name) => {
      const quoted = name.replace(/[\\']/g, '\\$&')
      expect(compileJsonPath(`['${quoted}']`)(target)).toEqual(Object.hasOwn(target, name) ? [target[name]] : [])
    }),
  )
})

test('no text makes the parser do anything but answer or refuse', () => {
  const unit = fc.constantFrom(...'.[]()?@*:,\'"\\$ab01-=!<> ')
  fc.assert(
    fc.property(fc.string({ unit }), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
      try {
        expect(Array.isArray(compileJsonPath(path)(value))).toBe(true)
      } catch (error) {
        if (!(error instanceof JsonPathError)) throw error
      }
    }),
    { numRuns: 1000 },
  )
})

test.each(['..*..*..*..*..*', '..*[?(@..*[?(@..*[?(@..a)])])]', `${'..*'.repeat(1000)}`, `${'[*]'.repeat(1300)}`])(
  '%s comes to an end, whatever it is followed through',
  (path) => {
    let value: unknown = 'a'
    for (let depth = 0; depth < 8; depth++) value = [value, value, value]
    expect(compileJsonPath(path)(value)).toEqual([])
  },
)

test('a path of thousands of characters is none', () => {
  expect(() => compileJsonPath('.a'.repeat(3000))).toThrow(JsonPathError)
})
