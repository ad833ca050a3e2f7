import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { JsonSchema } from '#core/registry/resource.ts'
import type { Catalog } from './catalog.ts'
import { fromFiles, readCatalog, toFiles } from './files.ts'

const catalog: Catalog = {
  types: new Map<string, JsonSchema>([
    ['demo.v1.Shared', { type: 'string' }],
    [
      'demo.v1.Thing',
      {
        type: 'object',
        properties: {
          spec: { $ref: 'demo.v1.ThingSpec', default: {} },
          note: { $ref: 'demo.v1.Shared', default: 'none' },
        },
        'x-kubernetes-group-version-kind': [{ group: 'demo.dev', kind: 'Thing', version: 'v1' }],
      },
    ],
    [
      'demo.v1.ThingSpec',
      { description: 'What is wanted.', type: 'object', properties: { a: { $ref: 'demo.v1.Shared' } } },
    ],
  ]),
  manifests: [
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.demo.dev' },
      spec: {
        group: 'demo.dev',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        scope: 'Namespaced',
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { $ref: 'demo.v1.Thing' } } }],
        'x-keelson': { definitions: { v1: 'demo.v1.Thing' } },
      },
    },
  ],
}

test('a type used in one place is written there, a shared one apart', () => {
  const files = toFiles(catalog)
  expect([...files.keys()]).toEqual(['demo/things.yaml', 'types/demo.v1.yaml'])
  const { openAPIV3Schema } = parse(files.get('demo/things.yaml')!).spec.versions[0].schema
  expect(openAPIV3Schema.properties.spec).toEqual({
    'x-keelson-type': 'demo.v1.ThingSpec',
    description: 'What is wanted.',
    type: 'object',
    default: {},
    properties: { a: { $ref: 'demo.v1.Shared' } },
  })
  expect(parse(files.get('types/demo.v1.yaml')!)).toEqual({ 'demo.v1.Shared': { type: 'string' } })
})

test('files give back the catalog they were written from', () => {
  expect(fromFiles(toFiles(catalog))).toEqual(catalog)
})

test('the manifests are written the way the generator writes them', async () => {
  const manifests = await readCatalog(join(import.meta.dirname, '../../apis/crds'))
  expect(fromFiles(toFiles(manifests))).toEqual(manifests)
})

test('a type defined twice is refused', () => {
  const files = toFiles(catalog).set('types/demo.v2.yaml', 'demo.v1.Shared: { type: string }\n')
  expect(() => fromFiles(files)).toThrow('demo.v1.Shared is defined twice')
})

test('a manifest in the wrong folder is refused', () => {
  const text = toFiles(catalog).get('demo/things.yaml')!
  expect(() => fromFiles(new Map([['other/things.yaml', text]]))).toThrow('holds the manifest of demo/things.yaml')
})
