import { expect, test } from 'vitest'
import { mergeV2, type V2Part } from './merge-v2.ts'
import type { V2Document, V2Schema } from './v2.ts'

const own = (definitions: Record<string, V2Schema>): V2Document => ({
  swagger: '2.0',
  info: { title: 'Kubernetes', version: '' },
  paths: { '/apis/own': { parameters: [] } },
  definitions,
  securityDefinitions: {},
  security: [],
})
const ref = (name: string) => ({ $ref: `#/definitions/${name}` })

/** One path that answers with `X`. */
const part = (definitions: Record<string, V2Schema>): V2Part => ({
  paths: {
    '/apis/acme': {
      get: {
        tags: [],
        description: '',
        operationId: 'x',
        produces: [],
        consumes: [],
        schemes: [],
        responses: { 200: { description: 'OK', schema: ref('X') } },
      },
    },
  },
  definitions,
})
const answerOf = ({ paths }: V2Document) => paths['/apis/acme']?.get?.responses[200]?.schema

test('without parts the document stays itself', () => {
  const document = own({})
  expect(mergeV2(document, [])).toBe(document)
})

test('paths come with what they need, and nothing more', () => {
  const merged = mergeV2(own({ A: { type: 'object' } }), [
    part({ X: { properties: { y: ref('Y') } }, Y: { items: ref('X') }, Unused: {} }),
  ])
  expect(Object.keys(merged.definitions)).toEqual(['A', 'X', 'Y'])
  expect(Object.keys(merged.paths)).toEqual(['/apis/own', '/apis/acme'])
})

test('a name that means something else gets another, wherever it is used', () => {
  const merged = mergeV2(own({ X: { type: 'string' }, X_v2: {} }), [part({ X: { items: ref('X') } })])
  expect(merged.definitions.X).toEqual({ type: 'string' })
  expect(merged.definitions.X_v3).toEqual({ items: ref('X_v3') })
  expect(answerOf(merged)).toEqual(ref('X_v3'))
})

test('one that means the same is there once, and so are types of Kubernetes', () => {
  const merged = mergeV2(own({ X: { properties: { m: ref('io.k8s.api.M') } }, 'io.k8s.api.M': { type: 'object' } }), [
    part({ X: { properties: { m: ref('io.k8s.api.M') } }, 'io.k8s.api.M': { description: 'In other words.' } }),
  ])
  expect(Object.keys(merged.definitions)).toEqual(['X', 'io.k8s.api.M'])
  expect(merged.definitions['io.k8s.api.M']).toEqual({ type: 'object' })
})

test('a path that is here already stays, and prototypes are nobody’s', () => {
  const hostile = JSON.parse(
    '{"paths":{"/apis/own":{"get":1},"__proto__":{}},"definitions":{"__proto__":{"type":"x"}}}',
  )
  const merged = mergeV2(own({}), [hostile])
  expect(merged.paths['/apis/own']).toEqual({ parameters: [] })
  expect(({} as { type?: string }).type).toBeUndefined()
})
