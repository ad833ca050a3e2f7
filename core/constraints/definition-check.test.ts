import { expect, test } from 'vitest'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import type { JsonSchema } from '#core/registry/resource.ts'
import { definitionCheck } from './definition-check.ts'
import { definition, group, openWith, widget, widgets } from './testing.ts'

const text = { type: 'string' } as const
const unique = { host: { ...text, 'x-keelson-unique': 'namespace' } } as const

function request(spec: Record<string, JsonSchema>, old?: Record<string, JsonSchema>): AdmissionRequest {
  return {
    operation: 'UPDATE',
    group: 'apiextensions.k8s.io',
    resource: 'customresourcedefinitions',
    subresource: '',
    object: definition(spec) as UnstructuredObject,
    ...(old && { oldObject: definition(old) as UnstructuredObject }),
  } as AdmissionRequest
}

const place = 'spec.versions[0].schema.openAPIV3Schema.properties[spec].properties'

test('a value cannot become unique that objects share, and they are named', async () => {
  await using registry = await openWith(definition({ host: text }))
  for (const name of ['one', 'two', 'three']) await registry.create(widgets, widget(name, { host: name.slice(0, 1) }))
  await registry.create(widgets, widget('two', { host: 't' }, 'other'))
  const { validate } = definitionCheck(registry.registry)
  await expect(validate(request(unique, { host: text }))).rejects.toThrow(
    `CustomResourceDefinition.apiextensions.k8s.io "widgets.${group}" is invalid: ${place}[host].x-keelson-unique: ` +
      'Forbidden: objects that exist have the same value: "t" (default/three, default/two)',
  )
  // What was asked for before is not looked at again.
  await validate(request(unique, unique))
})

test('nothing is looked at for a definition without extensions', async () => {
  await using registry = await openWith()
  expect(definitionCheck(registry.registry).validate(request({ host: text }))).toBeUndefined()
})

test.each([
  { resource: 'nodes', namespace: 'same', says: 'Invalid value: "same": must be cluster: nodes are not in namespaces' },
  {
    resource: 'secrets',
    namespace: 'cluster',
    says: 'Invalid value: "cluster": must not be cluster: secrets are in namespaces',
  },
])('a reference to $resource is not looked for in $namespace', async ({ resource, namespace, says }) => {
  await using registry = await openWith()
  const { validate } = definitionCheck(registry.registry)
  const wrong = { ref: { ...text, 'x-keelson-reference': { resource, namespace } } }
  await expect(validate(request(wrong))).rejects.toThrow(`${place}[ref].x-keelson-reference.namespace: ${says}`)
})
