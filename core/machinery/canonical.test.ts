import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import {
  apiVersionIn,
  encodeObject,
  headOf,
  metadataOf,
  ownersText,
  plainMetadataOf,
  resourceVersionOffset,
  reviveObject,
  reviveWhole,
  spliceResourceVersion,
} from './canonical.ts'

const of = { apiVersion: 'apps/v1', kind: 'Deployment' }
const object: UnstructuredObject = {
  spec: { 'é"': 1 },
  metadata: { name: 'web', resourceVersion: '12', labels: { resourceVersion: 'x' } },
  status: {},
  ...of,
}
const canonical =
  '{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"resourceVersion":"","name":"web","labels":{"resourceVersion":"x"}},"spec":{"é\\"":1},"status":{}}'

test('an object is encoded with kind, apiVersion and metadata first and no resourceVersion', () => {
  expect(encodeObject(object, of).toString()).toBe(canonical)
  expect(object.metadata.resourceVersion).toBe('12')
})

test('fields whose names are digits do not come first', () => {
  const bytes = encodeObject({ ...of, 1: 2, metadata: { 3: 4 } as object }, of)
  expect(spliceResourceVersion(bytes, 5).toString()).toBe(
    '{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"resourceVersion":"5","3":4},"1":2}',
  )
})

test('the kind and version asked for win', () => {
  expect(reviveObject(encodeObject(object, { apiVersion: 'v1', kind: 'Other' }))).toMatchObject({
    apiVersion: 'v1',
    kind: 'Other',
  })
})

test('a revision is put in, and again over another, into a new buffer', () => {
  const bytes = encodeObject(object, of)
  const once = spliceResourceVersion(bytes, 5)
  const twice = spliceResourceVersion(once, 2 ** 40)
  expect(bytes.toString()).toBe(canonical)
  expect(once.toString()).toBe(canonical.replace('"resourceVersion":"",', '"resourceVersion":"5",'))
  expect(twice.toString()).toBe(canonical.replace('"resourceVersion":"",', '"resourceVersion":"1099511627776",'))
})

test.each([
  '',
  '{}',
  '{"apiVersion":"v1","kind":"Pod","metadata":{"resourceVersion":""}}',
  '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","resourceVersion":""}}',
  '{"kind":"Pod","apiVersion":"v1","spec":{},"metadata":{"resourceVersion":""}}',
])('%j is not canonical', (text) => {
  expect(() => resourceVersionOffset(Buffer.from(text))).toThrow('not in canonical form')
  expect(() => spliceResourceVersion(Buffer.from(text), 1)).toThrow('not in canonical form')
})

test('the bytes of every object of a type begin alike, and say its apiVersion', () => {
  const bytes = spliceResourceVersion(encodeObject(object, of), 5)
  expect(bytes.subarray(0, headOf(of).length)).toEqual(headOf(of))
  expect(apiVersionIn(bytes)).toBe('apps/v1')
  expect(() => apiVersionIn(Buffer.from('{"kind":"A","metadata":{}}'))).toThrow('not in canonical form')
})

test('what was encoded is what is read, with the revision', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.dictionary(fc.string(), fc.string()),
      fc.nat(),
      (spec, labels, revision) => {
        const given = JSON.parse(JSON.stringify({ ...of, metadata: { name: 'a', labels }, spec }))
        const read = reviveObject(spliceResourceVersion(encodeObject(given, of), revision))
        expect(read).toEqual({ ...given, metadata: { ...given.metadata, resourceVersion: String(revision) } })
      },
    ),
  )
})

test('metadata is cut out of the bytes whatever its strings hold', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), fc.jsonValue(), (labels, spec) => {
      const given = JSON.parse(JSON.stringify({ ...of, metadata: { name: 'a{"}\\\\', labels }, spec }))
      const cut = metadataOf(spliceResourceVersion(encodeObject(given, of), 7))
      expect(JSON.parse(cut.toString())).toEqual({ ...given.metadata, resourceVersion: '7' })
    }),
  )
})

test('plain metadata is all of it but the owners, and its rest is the same under another revision', () => {
  const owners = fc.constantFrom('', '[{"manager":"}],{\\"name\\":\\""}]')
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), fc.jsonValue(), owners, (labels, spec, text) => {
      const given = JSON.parse(JSON.stringify({ ...of, metadata: { name: 'a{"}\\', labels }, spec }))
      const stored = encodeObject(given, of, text)
      const { version, rest } = plainMetadataOf(spliceResourceVersion(stored, 7))
      expect(JSON.parse(`${version}${rest}`)).toEqual({ ...given.metadata, resourceVersion: '7' })
      expect(plainMetadataOf(spliceResourceVersion(stored, 800)).rest).toEqual(rest)
    }),
  )
})

test('owners are found and left out whatever their strings and the object hold', () => {
  const nasty = fc.oneof(fc.string(), fc.constantFrom('}],"name":"', '"managedFields":[', ']', '}}]'))
  fc.assert(
    fc.property(fc.dictionary(nasty, nasty), nasty, fc.array(nasty, { minLength: 1 }), (labels, spec, names) => {
      const managedFields = names.map((manager) => ({ manager, fieldsV1: { [`f:${manager}`]: {} } }))
      const given = JSON.parse(JSON.stringify({ ...of, metadata: { labels, name: 'a' }, spec }))
      const text = JSON.stringify(managedFields)
      const bytes = spliceResourceVersion(encodeObject(given, of, text), 7)
      const metadata = { ...given.metadata, resourceVersion: '7' }
      expect(ownersText(bytes)).toBe(text)
      expect(reviveObject(bytes)).toEqual({ ...given, metadata })
      expect(reviveWhole(bytes)).toEqual({ ...given, metadata: { ...metadata, managedFields } })
      expect(encodeObject(reviveWhole(bytes), of)).toEqual(encodeObject(given, of, text))
    }),
  )
})

test('an object without owners has none', () => {
  expect(ownersText(encodeObject(object, of))).toBe('')
  expect(ownersText(encodeObject({ ...object, metadata: { name: 'a', managedFields: [] } }, of))).toBe('')
})
