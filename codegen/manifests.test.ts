import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Manifest } from './generators/catalog.ts'
import { refsOf } from './generators/catalog.ts'
import { standardVerbs } from './generators/derive.ts'
import { readCatalog } from './generators/files.ts'
import { type InventoryEntry, parseInventory } from './generators/inventory.ts'
import { structuralFaults } from './structural.ts'

const root = join(import.meta.dirname, '..')
const { manifests, types } = await readCatalog(join(root, 'apis/crds'))
const inventory = parseInventory(await readFile(join(root, 'codegen/testdata/inventory.tsv'), 'utf8'))

/** What Kubernetes 1.36 has and we do not serve: alpha and beta versions, off by default there as well. */
const notServed = [
  'admissionregistration.k8s.io/v1alpha1',
  'admissionregistration.k8s.io/v1beta1',
  'certificates.k8s.io/v1alpha1',
  'certificates.k8s.io/v1beta1',
  'coordination.k8s.io/v1alpha2',
  'coordination.k8s.io/v1beta1',
  'internal.apiserver.k8s.io/v1alpha1',
  'networking.k8s.io/v1beta1',
  'resource.k8s.io/v1alpha3',
  'resource.k8s.io/v1beta1',
  'resource.k8s.io/v1beta2',
  'scheduling.k8s.io/v1alpha2',
  'storage.k8s.io/v1beta1',
]

const served = inventory.filter(({ group, version }) => !notServed.includes(`${group}/${version}`))

test.each([...types])('type %s is a structural schema', (name, schema) => {
  expect(structuralFaults(name, schema, types)).toEqual([])
})

test('the list of what is not served names only what Kubernetes has', () => {
  const known = new Set(inventory.map(({ group, version }) => `${group}/${version}`))
  expect(notServed.filter((one) => !known.has(one))).toEqual([])
})

test.each(served)('$group/$version $resource is served with its verbs', (entry) => {
  const [resource, subresource] = entry.resource.split('/')
  const manifest = manifests.find(({ spec }) => spec.group === entry.group && spec.names.plural === resource)
  expect(manifest, `manifest of ${resource}`).toBeDefined()
  const version = manifest!.spec.versions.find(({ name }) => name === entry.version)
  expect(version?.served).toBe(true)
  const verbs = subresource ? subresourceVerbs(manifest!, entry, subresource) : resourceVerbs(manifest!, entry)
  expect(verbs.filter((verb) => verb !== 'watch')).toEqual(entry.verbs)
})

function resourceVerbs({ spec }: Manifest, entry: InventoryEntry): string[] {
  expect(spec.names.kind).toBe(entry.kind)
  expect(spec.scope).toBe(entry.scope)
  const { virtual, verbs } = spec['x-keelson']
  return virtual ? ['create'] : (verbs ?? standardVerbs)
}

function subresourceVerbs({ spec }: Manifest, entry: InventoryEntry, name: string): string[] {
  const standard = spec.versions.find((version) => version.name === entry.version)?.subresources
  if (name === 'status' || name === 'scale') return standard?.[name] ? ['get', 'patch', 'update'] : []
  const own = spec['x-keelson'].subresources?.[name]
  expect(own?.kind).toBe(entry.kind)
  return own?.verbs ?? []
}

const unique = (values: readonly string[]) => expect(values).toEqual([...new Set(values)])

test('names are unique', () => {
  unique(manifests.map(({ metadata }) => metadata.name))
  unique(manifests.map(({ spec }) => `${spec.group}/${spec.names.kind}`))
  unique(manifests.map(({ spec }) => `${spec.group}/${spec.names.plural}`))
})

test('a short name means one resource, but for the two groups of events', () => {
  const others = manifests.filter(({ spec }) => spec.group !== 'events.k8s.io')
  // The plural of `endpoints` is its singular as well: names count once a manifest.
  const namesOf = ({ spec: { names } }: Manifest) => [
    ...new Set([names.plural, names.singular, ...(names.shortNames ?? [])]),
  ]
  unique(others.flatMap(namesOf))
})

test.each(manifests)('$metadata.name stores one version and describes each', ({ spec }) => {
  expect(spec.versions.filter(({ storage }) => storage)).toHaveLength(1)
  expect(Object.keys(spec['x-keelson'].definitions)).toEqual(spec.versions.map(({ name }) => name))
  expect(spec.names.listKind).toBe(`${spec.names.kind}List`)
})

test('every type is reached from a kind or named by the API itself', () => {
  const used = new Set([...types.values()].flatMap((schema) => [...refsOf(schema)]))
  const unused = [...types].filter(([name, schema]) => !used.has(name) && !schema['x-kubernetes-group-version-kind'])
  expect(unused.map(([name]) => name).filter((name) => !name.includes('.apimachinery.'))).toEqual([])
})
