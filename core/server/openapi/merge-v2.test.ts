import { expect, test } from 'vitest'
import { mergeV2, type V2Known, type V2Part } from './merge-v2.ts'
import type { V2Schema } from './v2.ts'

const own = (definitions: Record<string, V2Schema>): V2Known => ({
  hasPath: (path) => path === '/apis/own',
  definition: (name) => (Object.hasOwn(definitions, name) ? definitions[name] : undefined),
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
const answerOf = ({ paths }: V2Part) => paths['/apis/acme']?.get?.responses[200]?.schema

test('without parts nothing is added', () => {
  expect(mergeV2(own({}), [])).toEqual({ paths: {}, definitions: {} })
})

test('paths come with what they need, and nothing more', () => {
  const added = mergeV2(own({ A: { type: 'object' } }), [
    part({ X: { properties: { y: ref('Y') } }, Y: { items: ref('X') }, Unused: {} }),
  ])
  expect(Object.keys(added.definitions)).toEqual(['X', 'Y'])
  expect(Object.keys(added.paths)).toEqual(['/apis/acme'])
})

test('a name that means something else gets another, wherever it is used', () => {
  const added = mergeV2(own({ X: { type: 'string' }, X_v2: {} }), [part({ X: { items: ref('X') } })])
  expect(added.definitions).toEqual({ X_v3: { items: ref('X_v3') } })
  expect(answerOf(added)).toEqual(ref('X_v3'))
})

test('one that means the same is there once, and so are types of Kubernetes', () => {
  const added = mergeV2(own({ X: { properties: { m: ref('io.k8s.api.M') } }, 'io.k8s.api.M': { type: 'object' } }), [
    part({ X: { properties: { m: ref('io.k8s.api.M') } }, 'io.k8s.api.M': { description: 'In other words.' } }),
  ])
  expect(added.definitions).toEqual({})
  expect(answerOf(added)).toEqual(ref('X'))
})

test('two parts that differ are told apart, too', () => {
  const other = { paths: { '/b': part({}).paths['/apis/acme']! }, definitions: { X: { type: 'object' } } }
  const added = mergeV2(own({}), [part({ X: {} }), other])
  expect(added.definitions).toEqual({ X: {}, X_v2: { type: 'object' } })
  expect(added.paths['/b']?.get?.responses[200]?.schema).toEqual(ref('X_v2'))
})

test('a path that is here already stays, and prototypes are nobody’s', () => {
  const hostile = JSON.parse(
    '{"paths":{"/apis/own":{"get":1},"__proto__":{}},"definitions":{"__proto__":{"type":"x"}}}',
  )
  const added = mergeV2(own({}), [hostile])
  expect(Object.keys(added.paths)).toEqual(['__proto__'])
  expect(({} as { type?: string }).type).toBeUndefined()
})
