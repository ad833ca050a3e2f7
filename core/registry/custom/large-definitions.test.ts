import { expect, onTestFinished, test } from 'vitest'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { specErrors } from './definition-errors.ts'
import { judgedSpecErrors } from './judged-specs.ts'
import { LargeDefinitions } from './large-definitions.ts'

const crds = 'apiextensions.k8s.io/v1/customresourcedefinitions'

function definition(fields: number, type = 'string'): UnstructuredObject {
  const properties = Object.fromEntries(Array.from({ length: fields }, (_, at) => [`field${at}`, { type }]))
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gadgets.x.dev' },
    spec: {
      group: 'x.dev',
      names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}

test('a definition of the usual size is judged where it is validated', () => {
  expect(new LargeDefinitions().prejudge(definition(100))).toBeUndefined()
})

test.each(['string', 'strong'])('a large one with fields of type %s is judged alike, beforehand', async (type) => {
  const object = definition(6_000, type)
  const crd = object as unknown as CustomResourceDefinition
  expect(judgedSpecErrors(crd)).not.toBe(judgedSpecErrors(crd))
  const large = new LargeDefinitions()
  await Promise.all([large.prejudge(object), large.prejudge(definition(7_000))])
  expect(judgedSpecErrors(crd)).toEqual(specErrors(crd))
  expect(judgedSpecErrors(crd)).toBe(judgedSpecErrors(crd))
})

test('what cannot be judged beforehand is judged later', async () => {
  const object = definition(6_000)
  Object.assign(object.spec as object, { names: null, versions: [null] })
  const many = { ...object, spec: { ...(object.spec as object), more: definition(6_000) } }
  await new LargeDefinitions().prejudge(many)
  expect(() => judgedSpecErrors(many as unknown as CustomResourceDefinition)).toThrow()
})

test('a large definition is served, and a faulty one refused', async () => {
  const registry: TestRegistry = await openTestRegistry()
  onTestFinished(() => registry[Symbol.asyncDispose]())
  await expect(registry.create(crds, definition(6_000, 'strong'))).rejects.toThrow('Unsupported value: "strong"')
  await registry.create(crds, definition(6_000))
  const gadget = { apiVersion: 'x.dev/v1', kind: 'Gadget', metadata: { name: 'a', namespace: 'default' } }
  await expect(registry.create('x.dev/v1/gadgets', { ...gadget, spec: { field1: 1 } })).rejects.toThrow(
    'must be of type',
  )
})
