import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeGnostic } from '#core/server/openapi/gnostic.ts'
import { mergeV2 } from '#core/server/openapi/merge-v2.ts'
import { resourcesOf, v2PartOf, v3UrlOf } from './remote-documents.ts'

const nothing = { hasPath: () => false, definition: () => undefined }

test('resources have their subresources, with kinds of their own', () => {
  const list = {
    resources: [
      { name: 'a/scale', kind: 'Scale', group: 'autoscaling', version: 'v1', verbs: ['get'] },
      { name: 'a', singularName: 'one', namespaced: true, kind: 'A', verbs: ['list'] },
      { name: 7, kind: 'B' },
      null,
    ],
  }
  expect(resourcesOf(list, 'acme.dev', 'v1')).toEqual([
    {
      resource: 'a',
      responseKind: { group: 'acme.dev', version: 'v1', kind: 'A' },
      scope: 'Namespaced',
      singularResource: 'one',
      verbs: ['list'],
      subresources: [
        { subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get'] },
      ],
    },
  ])
})

test.each([
  ['an address with its hash', '/openapi/v3/apis/a/v1?hash=X', '/openapi/v3/apis/a/v1?hash=X'],
  ['an address elsewhere, which clients reach under the name they know', '/x?hash=X', '/openapi/v3/apis/a/v1?hash=X'],
  ['no address of another host', 'https://evil.example/', undefined],
  ['no address that is none', 7, undefined],
])('an index gives %s', (_, serverRelativeURL, want) => {
  expect(v3UrlOf({ paths: { 'apis/a/v1': { serverRelativeURL } } }, 'apis/a/v1')).toBe(want)
})

test('an index names nothing that it does not have itself', () => {
  expect(v3UrlOf({ paths: {} }, 'constructor')).toBeUndefined()
  expect(v3UrlOf([], 'x')).toBeUndefined()
})

test('whatever a server says, the documents can be written', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (schema, operation, whole) => {
      const document = {
        paths: { '/apis/a/v1/x': { get: operation, parameters: [operation] } },
        definitions: { X: schema },
      }
      for (const said of [document, whole]) {
        const merged = mergeV2(nothing, [v2PartOf(said, '/apis/a/v1')])
        expect(encodeGnostic(merged).length).toBeGreaterThan(0)
        resourcesOf(said, 'a', 'v1')
      }
    }),
  )
})
