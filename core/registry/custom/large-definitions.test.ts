import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { encodeObject } from '#core/machinery/canonical.ts'
import { openTestRegistry, type TestRegistry } from '#core/testing/test-registry.ts'
import { specErrors } from './definition-errors.ts'
import { judge, judgedExtensions, judgedFormats, judgedSpecErrors } from './judged-specs.ts'
import { LargeDefinitions } from './large-definitions.ts'
import { schemaFactsOf } from './schema-facts.ts'
import { anySchema, anyVersion, type Json } from './testing.ts'

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

/** Large because of what nobody has to say anything about. */
function largeWith(schema: Json, version: Json): CustomResourceDefinition {
  const object = definition(6_000)
  const spec = object.spec as CustomResourceDefinition['spec']
  const root = spec.versions[0]!.schema!.openAPIV3Schema as { properties: Json }
  root.properties.any = schema
  Object.assign(spec.versions[0]!, version)
  return object as unknown as CustomResourceDefinition
}

test('whatever a large definition says, it is judged alike beforehand, and so is what is asked of it besides', async () => {
  const large = new LargeDefinitions()
  await fc.assert(
    fc.asyncProperty(anySchema, anyVersion, anySchema, fc.boolean(), async (schema, version, before, isUpdate) => {
      const crd = largeWith(schema, version)
      const old = isUpdate ? largeWith(before, version) : undefined
      let expected: ReturnType<typeof judge>
      try {
        expected = judge(crd, old)
      } catch {
        return
      }
      const object = crd as unknown as UnstructuredObject
      const oldObject = old as unknown as UnstructuredObject | undefined
      await large.prejudge(object, oldObject && { object: oldObject, bytes: encodeObject(oldObject, oldObject) })
      expect(judgedSpecErrors(crd, old)).toEqual(expected.errors)
      expect(judgedSpecErrors(crd, old)).toBe(judgedSpecErrors(crd, old))
      for (const one of old ? [crd, old] : [crd]) {
        if (expected.errors.length > 0) continue
        expect({ formats: judgedFormats(one), extensions: judgedExtensions(one) }).toEqual(schemaFactsOf(one.spec))
        expect(judgedFormats(one)).toBe(judgedFormats(one))
      }
    }),
    { numRuns: 25, examples: [[{ type: 'string', format: 'unheard-of', 'x-keelson-index': true }, {}, {}, true]] },
  )
})

test('a large definition is served, and a faulty one refused', async () => {
  const registry: TestRegistry = await openTestRegistry()
  onTestFinished(() => registry[Symbol.asyncDispose]())
  const large = { bodyLength: 300_000 }
  const faulty = registry.create(crds, definition(6_000, 'strong'), large)
  await expect(faulty).rejects.toThrow('Unsupported value: "strong"')
  await registry.create(crds, definition(6_000), large)
  const gadget = { apiVersion: 'x.dev/v1', kind: 'Gadget', metadata: { name: 'a', namespace: 'default' } }
  await expect(registry.create('x.dev/v1/gadgets', { ...gadget, spec: { field1: 1 } })).rejects.toThrow(
    'must be of type',
  )
})
