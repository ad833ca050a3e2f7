import { expect, test } from 'vitest'
import type { JsonSchema } from '#core/registry/resource.ts'
import type { Catalog, Manifest } from './catalog.ts'
import { mergeCatalogs, mergeSchema } from './merge.ts'

/** A field every plain object seems to have. */
const inherited: Record<string, JsonSchema> = Object.fromEntries([['constructor', { type: 'string' }]])

const cases: { name: string; derived: JsonSchema; existing?: JsonSchema; want: JsonSchema }[] = [
  {
    name: 'takes a new field as the reference has it',
    derived: { type: 'string', enum: ['A'], default: 'A' },
    want: { type: 'string', enum: ['A'], default: 'A' },
  },
  {
    name: 'keeps what people added',
    derived: { type: 'integer', format: 'int64' },
    existing: { type: 'integer', format: 'int32', default: 1, minimum: 0, description: 'How many.' },
    want: { type: 'integer', format: 'int64', default: 1, minimum: 0, description: 'How many.' },
  },
  {
    name: 'leaves away an enum that people took out',
    derived: { type: 'string', enum: ['A'] },
    existing: { type: 'string' },
    want: { type: 'string' },
  },
  {
    name: 'drops fields the reference no longer has, and markers',
    derived: { type: 'object', properties: { a: { type: 'string' } } },
    existing: {
      type: 'object',
      required: ['b'],
      properties: { a: { type: 'string', default: 'x' }, b: { type: 'string' } },
      'x-kubernetes-map-type': 'atomic',
    },
    want: { type: 'object', properties: { a: { type: 'string', default: 'x' } } },
  },
  {
    name: 'keeps fields of our own',
    derived: { type: 'object', properties: { a: { type: 'string' }, z: { type: 'string' } } },
    existing: { type: 'object', properties: { a: { type: 'string' }, 'x-keelson-index': { type: 'boolean' } } },
    want: {
      type: 'object',
      properties: { a: { type: 'string' }, 'x-keelson-index': { type: 'boolean' }, z: { type: 'string' } },
    },
  },
  {
    name: 'merges items and values',
    derived: { type: 'array', items: { type: 'object', additionalProperties: { type: 'string' } } },
    existing: { type: 'array', items: { type: 'object', additionalProperties: { type: 'string', maxLength: 9 } } },
    want: { type: 'array', items: { type: 'object', additionalProperties: { type: 'string', maxLength: 9 } } },
  },
  {
    name: 'is not fooled by names of Object.prototype',
    derived: { type: 'object', properties: inherited },
    existing: { type: 'object', properties: {} },
    want: { type: 'object', properties: inherited },
  },
]
test.each(cases)('mergeSchema $name', ({ derived, existing, want }) => {
  expect(mergeSchema(derived, existing)).toEqual(want)
})

function manifestOf(plural: string, change: Partial<Manifest['spec']> = {}): Manifest {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.demo` },
    spec: {
      group: 'demo',
      names: { plural, singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      scope: 'Namespaced',
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { $ref: `demo.v1.${plural}` } } },
      ],
      'x-keelson': { definitions: { v1: `demo.v1.${plural}` } },
      ...change,
    },
  }
}

const catalogOf = (...manifests: Manifest[]): Catalog => ({
  types: new Map(manifests.map(({ spec }) => [`demo.v1.${spec.names.plural}`, { type: 'object' }])),
  manifests,
})

test('mergeCatalogs keeps names and columns of a manifest, and kinds of our own', () => {
  const [version] = manifestOf('things').spec.versions
  const named = manifestOf('things', {
    names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList', shortNames: ['th'] },
    versions: [{ ...version!, additionalPrinterColumns: [{ name: 'Age', type: 'date', jsonPath: '.age' }] }],
  })
  const merged = mergeCatalogs(catalogOf(manifestOf('things')), catalogOf(named, manifestOf('plugins')))
  expect(merged.manifests.map(({ metadata }) => metadata.name)).toEqual(['things.demo', 'plugins.demo'])
  expect(merged.manifests[0]!.spec).toEqual(named.spec)
  expect([...merged.types.keys()]).toEqual(['demo.v1.things', 'demo.v1.plugins'])
})
