import { expect, test } from 'vitest'
import { compareVersions } from '#core/machinery/version-order.ts'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import { type AggregatedVersion, apiGroupDiscoveryList } from './aggregated.ts'
import { allGroups, backups, groupsOf } from './discovery.fixture.ts'
import { Discovery } from './discovery.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts'
import { type AggregatedResource, servedGroups } from './served.ts'

interface Aggregated {
  kind: string
  apiVersion: string
  items: { metadata: { name?: string }; versions: { version: string; resources: AggregatedResource[] }[] }[]
}

const aggregated = (root: 'api' | 'apis', version: AggregatedVersion): Aggregated =>
  JSON.parse(apiGroupDiscoveryList(allGroups, root, version))

test('versions sort by preference', () => {
  const sorted = 'v10 v2 v1 v11beta2 v10beta3 v3beta1 v12alpha1 v11alpha2 foo1 foo10'.split(' ')
  expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted)
})

test('groups of Kubernetes come first, in its order', () => {
  const sorted = ['', 'apiregistration.k8s.io', 'apps', 'events.k8s.io', 'batch', 'acme.dev', 'zeta.dev']
  const definitions = sorted.toReversed().map((group) => ({ ...backups, group }))
  expect(servedGroups(groupsOf(definitions)).map(({ group }) => group)).toEqual(sorted)
})

test('/api names the core version', () => {
  expect(apiVersions('10.0.0.1:6443')).toEqual({
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
  })
})

test('/apis lists every group but core, with its preferred version', () => {
  const { groups } = apiGroupList(allGroups)
  const names = groups.map(({ name }) => name)
  expect(names.slice(0, 2)).toEqual(['apiregistration.k8s.io', 'apps'])
  expect(names.indexOf('acme.dev')).toBeGreaterThan(names.indexOf('flowcontrol.apiserver.k8s.io'))
  expect(names).not.toContain('')
  const autoscaling = groups.find(({ name }) => name === 'autoscaling')
  expect(autoscaling?.preferredVersion).toEqual({ groupVersion: 'autoscaling/v2', version: 'v2' })
  expect(autoscaling?.versions.map(({ version }) => version)).toEqual(['v2', 'v1'])
})

test('a group that is not served is undefined, the core group too', () => {
  const apps = allGroups.get('apps')!
  expect(apiGroup(apps, 'apps')).toMatchObject({ kind: 'APIGroup', apiVersion: 'v1', name: 'apps' })
  expect(apiGroup(allGroups.get('')!, '')).toBeUndefined()
  expect(apiGroup([], '__proto__')).toBeUndefined()
  expect(apiResourceList(apps, 'apps', 'v9')).toBeUndefined()
})

const entries = [
  {
    name: 'deployments',
    want: {
      name: 'deployments',
      singularName: 'deployment',
      namespaced: true,
      kind: 'Deployment',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['deploy'],
      categories: ['all'],
      storageVersionHash: '8aSe+NMegvE=',
    },
  },
  {
    name: 'deployments/status',
    want: {
      name: 'deployments/status',
      singularName: '',
      namespaced: true,
      kind: 'Deployment',
      verbs: ['get', 'patch', 'update'],
    },
  },
  {
    name: 'deployments/scale',
    want: {
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    },
  },
]

test.each(entries)('apps/v1 describes $name as Kubernetes does', ({ name, want }) => {
  const list = apiResourceList(allGroups.get('apps')!, 'apps', 'v1')
  expect(list).toMatchObject({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'apps/v1' })
  expect(list?.resources.find((one) => one.name === name)).toEqual(want)
})

test('the core group describes pods and their subresources', () => {
  const list = apiResourceList(allGroups.get('')!, '', 'v1')!
  expect(list).not.toHaveProperty('apiVersion')
  const of = (name: string) => list.resources.find((one) => one.name === name)
  expect(of('pods')).toMatchObject({ storageVersionHash: 'xPOwRZ+Yhw8=', shortNames: ['po'] })
  expect(of('pods/eviction')).toMatchObject({ group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] })
  expect(of('pods/exec')).toMatchObject({ kind: 'PodExecOptions', verbs: ['create', 'get'] })
  expect(of('bindings')).toEqual({
    name: 'bindings',
    singularName: 'binding',
    namespaced: true,
    kind: 'Binding',
    verbs: ['create'],
  })
  expect(of('namespaces')?.verbs).not.toContain('deletecollection')
  const names = list.resources.map(({ name }) => name)
  expect(names).toEqual([...names].sort())
})

test('events share their storage, whichever group shows them', () => {
  const hash = (group: string) =>
    apiResourceList(allGroups.get(group)!, group, 'v1')?.resources.find(({ name }) => name === 'events')
  expect(hash('')).toMatchObject({ storageVersionHash: 'r2yiGXH7wu8=' })
  expect(hash('events.k8s.io')).toMatchObject({ storageVersionHash: 'r2yiGXH7wu8=' })
})

test('aggregated discovery says the same as the lists', () => {
  const documents = (['api', 'apis'] as const).map((root) => aggregated(root, 'v2'))
  expect(documents[0]!.items).toHaveLength(1)
  expect(documents[0]!.items[0]!.metadata).toEqual({ creationTimestamp: null })
  expect(documents[1]).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
  for (const { metadata, versions } of documents.flatMap(({ items }) => items)) {
    for (const { version, resources } of versions) {
      const listed = apiResourceList(allGroups.get(metadata.name ?? '')!, metadata.name ?? '', version)!.resources
      const flat = resources.flatMap((one) => [
        { name: one.resource, verbs: one.verbs, kind: one.responseKind.kind },
        ...(one.subresources ?? []).map((sub) => ({
          name: `${one.resource}/${sub.subresource}`,
          verbs: sub.verbs,
          kind: sub.responseKind.kind,
        })),
      ])
      expect(new Set(flat)).toEqual(new Set(listed.map(({ name, verbs, kind }) => ({ name, verbs, kind }))))
    }
  }
})

test('a custom resource is listed with its versions in order', () => {
  const { items } = aggregated('apis', 'v2beta1')
  const acme = items.find(({ metadata }) => metadata.name === 'acme.dev')
  expect(acme?.versions.map(({ version }) => version)).toEqual(['v1', 'v1beta1', 'v2alpha1'])
  expect(acme?.versions[0]?.resources).toEqual([
    {
      resource: 'backups',
      responseKind: { group: 'acme.dev', version: 'v1', kind: 'Backup' },
      scope: 'Namespaced',
      singularResource: 'backup',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['bk'],
      categories: ['all'],
      subresources: [
        {
          subresource: 'scale',
          responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          verbs: ['get', 'patch', 'update'],
        },
        {
          subresource: 'status',
          responseKind: { group: 'acme.dev', version: 'v1', kind: 'Backup' },
          verbs: ['get', 'patch', 'update'],
        },
      ],
    },
  ])
})

test('versions that are not served are not listed', () => {
  const hidden: ResourceDefinition = {
    ...backups,
    versions: backups.versions.map((version) => ({ ...version, served: version.name === 'v1beta1' })),
  }
  expect(apiGroup([hidden], 'acme.dev')?.versions).toEqual([{ groupVersion: 'acme.dev/v1beta1', version: 'v1beta1' }])
})

test('documents are kept until the definitions change', () => {
  const changing = { generation: 1, groups: allGroups }
  const discovery = new Discovery(changing)
  const before = discovery.groupList()
  expect(discovery.groupList()).toBe(before)
  expect(before.etag).toMatch(/^"[0-9A-F]{128}"$/)
  expect(discovery.aggregated('apis', 'v2').etag).not.toBe(before.etag)
  expect(discovery.group('nothing.dev')).toBeUndefined()
  expect(discovery.resourceList('apps', 'v1')).toBeDefined()
  changing.generation++
  changing.groups = groupsOf([backups])
  expect(discovery.groupList().etag).not.toBe(before.etag)
  expect(discovery.resourceList('apps', 'v1')).toBeUndefined()
})

test('a change of one group leaves the documents of the others as they are', () => {
  let looks = 0
  const counted = new Proxy(backups, {
    get(target, key) {
      looks++
      return Reflect.get(target, key)
    },
  })
  const other = [{ ...backups, group: 'other.dev' }]
  const changing = {
    generation: 1,
    groups: new Map([
      ['acme.dev', [counted]],
      ['other.dev', other],
    ]),
  }
  const discovery = new Discovery(changing)
  const [list, group] = [discovery.resourceList('acme.dev', 'v1'), discovery.group('acme.dev')]
  const before = discovery.aggregated('apis', 'v2')
  looks = 0
  changing.generation++
  changing.groups = new Map([...changing.groups, ['other.dev', [{ ...other[0]!, shortNames: ['new'] }]]])
  expect(discovery.resourceList('acme.dev', 'v1')).toBe(list)
  expect(discovery.group('acme.dev')).toBe(group)
  expect(discovery.aggregated('apis', 'v2').etag).not.toBe(before.etag)
  expect(looks).toBe(0)
})
