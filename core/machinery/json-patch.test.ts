import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findStatusError } from '#core/errors/status-error.ts'
import { applyJsonPatch, maxOperations } from './json-patch.ts'

const add = (path: string, value: unknown) => ({ op: 'add', path, value })
const remove = (path: string) => ({ op: 'remove', path })
const replace = (path: string, value: unknown) => ({ op: 'replace', path, value })
const check = (path: string, value: unknown) => ({ op: 'test', path, value })
const move = (from: string, path: string) => ({ op: 'move', from, path })
const copy = (from: string, path: string) => ({ op: 'copy', from, path })

test.each<[string, unknown, unknown[], unknown]>([
  ['nothing', { a: 1 }, [], { a: 1 }],
  ['add a field', { a: 1 }, [add('/b', 2)], { a: 1, b: 2 }],
  ['add over a field', { a: 1 }, [add('/a', null)], { a: null }],
  ['add into a list', { a: [1, 2] }, [add('/a/1', 9)], { a: [1, 9, 2] }],
  ['add at the end', { a: [1] }, [add('/a/1', 2), add('/a/-', 3)], { a: [1, 2, 3] }],
  ['add from the end', { a: [1, 2] }, [add('/a/-1', 9)], { a: [1, 2, 9] }],
  ['remove', { a: 1, b: [1, 2] }, [remove('/a'), remove('/b/0')], { b: [2] }],
  ['remove from the end', { b: [1, 2] }, [remove('/b/-1')], { b: [1] }],
  ['replace what is not there', {}, [replace('/a', 1)], { a: 1 }],
  ['replace the whole', { a: 1 }, [replace('', { b: 1 })], { b: 1 }],
  ['test of nothing', {}, [check('/a', null)], {}],
  ['an add without value', {}, [{ op: 'add', path: '/a' }], { a: null }],
  ['a copy of nothing', {}, [copy('/a', '/b')], { b: null }],
  ['an index with a leading zero', { a: [1, 2] }, [remove('/a/01')], { a: [1] }],
  ['replace', { a: [1] }, [replace('/a/0', 2)], { a: [2] }],
  [
    'test',
    { a: { b: [1, null] } },
    [check('/a', { b: [1, null] }), check('', { a: { b: [1, null] } })],
    { a: { b: [1, null] } },
  ],
  ['move', { a: 1 }, [move('/a', '/b')], { b: 1 }],
  ['move onto itself', { a: 1 }, [move('/a', '/a')], { a: 1 }],
  ['copy', { a: [1] }, [copy('/a', '/b'), add('/b/-', 2)], { a: [1], b: [1, 2] }],
  ['escapes', { 'a/b': 1, 'c~d': 2, '': 3 }, [remove('/a~1b'), remove('/c~0d'), replace('/', 4)], { '': 4 }],
  ['a digit is a name in objects', { a: {} }, [add('/a/0', 1)], { a: { 0: 1 } }],
])('applies: %s', (_, target, patch, want) => expect(applyJsonPatch(target, patch)).toEqual(want))

test.each<[string, unknown, unknown[], string]>([
  [
    'a missing parent',
    {},
    [add('/a/b', 1)],
    'add operation does not apply: doc is missing path: "/a/b": missing value',
  ],
  [
    'a missing field',
    {},
    [remove('/a')],
    "error in remove for path: '/a': Unable to remove nonexistent key: a: missing value",
  ],
  [
    'a missing item to replace',
    { a: [] },
    [replace('/a/0', 1)],
    'replace operation does not apply: doc is missing key: /a/0: missing value',
  ],
  [
    'an index past the end',
    { a: [] },
    [add('/a/1', 1)],
    "error in add for path: '/a/1': Unable to access invalid index: 1: invalid index referenced",
  ],
  [
    'an index before the beginning',
    { a: [1] },
    [check('/a/-2', 1)],
    "error in test for path: '/a/-2': Unable to access invalid index: -2: invalid index referenced",
  ],
  ['a test that fails', { a: 1 }, [check('/a', 2)], 'testing value /a failed: test failed'],
  ['a test of what is not there', {}, [check('/a', 2)], 'testing value /a failed: test failed'],
  [
    'an inherited name',
    {},
    [check('/constructor/name', 'Object')],
    'test operation does not apply: is missing path: /constructor/name: missing value',
  ],
  ['adding it all', {}, [add('', {})], 'add operation does not apply: doc is missing path: "": missing value'],
  ['removing it all', {}, [remove('')], 'remove operation does not apply: doc is missing path: "": missing value'],
  [
    'moving into itself',
    { a: {} },
    [move('/a', '/a/b')],
    'move operation does not apply: doc is missing destination path: /a/b: missing value',
  ],
  ['an unknown operation', {}, [{ op: 'merge', path: '/a' }], 'Unexpected kind: merge'],
  ['an operation that is null', {}, [null], 'Unexpected kind: unknown'],
  ['no path', {}, [{ op: 'remove' }], 'remove operation failed to decode path: missing value'],
  ['no from', {}, [{ op: 'copy', path: '/a' }], 'copy operation failed to decode from: missing value'],
  ['a relative path', {}, [remove('a')], 'remove operation does not apply: doc is missing path: "a": missing value'],
])('refuses as Invalid: %s', (_, target, patch, want) => {
  const status = statusOf(() => applyJsonPatch(target, patch))
  expect(status).toMatchObject({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: { causes: [{ message: want }] },
  })
})

test.each<[string, unknown, number]>([
  ['no list', {}, 400],
  ['an operation that is none', [1], 400],
  ['a path that is no text', [{ op: 'remove', path: 1 }], 400],
  ['an op that is no text', [{ op: {}, path: '/a' }], 400],
  ['too many operations', Array(maxOperations + 1).fill(check('', {})), 413],
  [
    'copies that grow without end',
    [add('/a', 'x'.repeat(1000)), add('/b', []), ...Array.from({ length: 4000 }, () => copy('/a', '/b/-'))],
    422,
  ],
])('refuses: %s', (_, patch, code) => expect(statusOf(() => applyJsonPatch({}, patch))?.code).toBe(code))

test('a field named __proto__ is a field', () => {
  const result = applyJsonPatch({}, [add('/__proto__', { polluted: 1 }), add('/__proto__/x', 1)]) as object
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
  expect(Object.getOwnPropertyDescriptor(result, '__proto__')?.value).toEqual({ polluted: 1, x: 1 })
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
})

test('values of the patch are not shared with the result, which is patched again on conflict', () => {
  const patch = [add('/a', {}), add('/a/b', 1)]
  applyJsonPatch({}, patch)
  expect(applyJsonPatch({}, patch)).toEqual({ a: { b: 1 } })
  expect(patch[0]).toEqual(add('/a', {}))
})

function statusOf(act: () => unknown) {
  try {
    act()
  } catch (error) {
    return findStatusError(error)?.status
  }
  return undefined
}

const json = (value: unknown) => JSON.parse(JSON.stringify(value))
const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

test('remove undoes add', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '', '~1', '/'))
  fc.assert(
    fc.property(fc.dictionary(key, fc.jsonValue()), key, fc.jsonValue(), (target, name, value) => {
      fc.pre(!Object.hasOwn(target, name))
      const path = `/${escaped(name)}`
      expect(applyJsonPatch(json(target), [add(path, value), check(path, json(value)), remove(path)])).toEqual(
        json(target),
      )
    }),
  )
})

test('remove undoes add in lists, and move back undoes move', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.nat(), fc.nat(), fc.jsonValue(), (list, a, b, value) => {
      const target = json({ list })
      const [from, to] = [a % list.length, b % list.length]
      expect(applyJsonPatch(json(target), [add(`/list/${from}`, value), remove(`/list/${from}`)])).toEqual(target)
      const moves = [move(`/list/${from}`, `/list/${to}`), move(`/list/${to}`, `/list/${from}`)]
      expect(applyJsonPatch(json(target), moves)).toEqual(target)
    }),
  )
})

test('no patch makes it do anything but answer or refuse', () => {
  const pointer = fc
    .array(fc.constantFrom('a', '0', '-', '-1', '__proto__', 'constructor'))
    .map((parts) => parts.map((one) => `/${one}`).join(''))
  const operation = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
    path: pointer,
    from: pointer,
    value: fc.jsonValue(),
  })
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(operation), (target, patch) => {
      try {
        applyJsonPatch(json(target), json(patch))
      } catch (error) {
        if (!findStatusError(error)) throw error
      }
    }),
  )
})
