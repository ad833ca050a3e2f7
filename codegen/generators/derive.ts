import type { JsonSchema, KeelsonExtension, SubresourceDefinition } from '#core/registry/resource.ts'
import type { Catalog, Manifest, ManifestVersion } from './catalog.ts'
import { reachable } from './catalog.ts'
import { folderOf, parseDefinitionName } from './names.ts'
import type { Endpoint, Reference } from './reference.ts'

/**
 * The catalog a reference implies: one manifest per resource of every generally available group version, with the structure of
 * its types, its verbs and its subresources. What the reference does not know (short names, columns, selectable fields) is
 * for people to add to the manifests.
 */
export function deriveCatalog(reference: Reference): Catalog {
  const resources = groupResources(reference.endpoints.filter(isIncluded))
  const kinds = kindIndex(reference.definitions)
  const manifests = resources.map((resource) => deriveManifest(resource, kinds))
  const roots = [...rootsOf(manifests, kinds), ...metaTypes(reference.definitions)]
  const wanted = reachable(reference.definitions, roots)
  const types = new Map([...reference.definitions].filter(([name]) => wanted.has(name)))
  return { types, manifests }
}

/** Served although not generally available: migrating stored objects is how an upgrade of a CRD ends. */
const includedBetas = ['storagemigration.k8s.io/v1beta1']

/** Whether the platform serves this group version. */
export function isIncluded(endpoint: { path: string }): boolean {
  const at = parsePath(endpoint.path)
  if (!at) return false
  return /^v\d+$/.test(at.version) || includedBetas.includes(`${at.group}/${at.version}`)
}

export interface ResourcePath {
  group: string
  version: string
  resource: string
  namespaced: boolean
  /** Empty for the resource itself. */
  subresource: string
}

/** Reads `/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale`; undefined for paths that name no resource. */
export function parsePath(path: string): ResourcePath | undefined {
  const match =
    /^\/(?:api|apis\/([^/]+))\/([^/]+)(\/namespaces\/\{namespace\})?\/([^/]+)(?:\/\{name\})?(?:\/([a-z]+))?(?:\/\{path\})?$/.exec(
      path,
    )
  if (!match) return undefined
  const [, group = '', version = '', namespace, resource = '', subresource = ''] = match
  return { group, version, resource, namespaced: namespace !== undefined, subresource }
}

export const standardVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** HTTP methods whose verb is another word. */
export const verbOf: Record<string, string> = { post: 'create', put: 'update' }

/** The verbs of discovery for the actions of a resource's endpoints; whoever may list and create may watch. */
export function verbsOf(actions: ReadonlySet<string>): string[] {
  const verbs = new Set([...actions].map((action) => verbOf[action] ?? action))
  if (verbs.has('list') && verbs.has('create')) verbs.add('watch')
  return [...verbs].sort()
}

interface Resource {
  group: string
  resource: string
  namespaced: boolean
  versions: Map<string, ResourceVersion>
}

interface ResourceVersion {
  kind: string
  actions: Set<string>
  subresources: Map<string, { group: string; version: string; kind: string; actions: Set<string> }>
}

function groupResources(endpoints: readonly Endpoint[]): Resource[] {
  const byName = new Map<string, Resource>()
  for (const endpoint of endpoints) {
    const at = parsePath(endpoint.path)!
    const key = `${at.group}/${at.resource}`
    const resource = byName.get(key) ?? { ...at, namespaced: false, versions: new Map() }
    byName.set(key, resource)
    resource.namespaced ||= at.namespaced
    addEndpoint(resource, at, endpoint)
  }
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource)
}

function addEndpoint(resource: Resource, at: ResourcePath, endpoint: Endpoint): void {
  const version = resource.versions.get(at.version) ?? { kind: '', actions: new Set(), subresources: new Map() }
  resource.versions.set(at.version, version)
  if (!at.subresource) {
    version.kind = endpoint.kind
    version.actions.add(endpoint.action)
    return
  }
  const { group, version: kindVersion, kind } = endpoint
  const subresource = version.subresources.get(at.subresource) ?? {
    group,
    version: kindVersion,
    kind,
    actions: new Set(),
  }
  version.subresources.set(at.subresource, subresource)
  const isConnect = endpoint.action === 'connect'
  subresource.actions.add(isConnect ? endpoint.method : endpoint.action)
}

/** Newest first: v2 before v1, v1 before v1beta1. */
function byPreference(a: string, b: string): number {
  const rank = (version: string) => {
    const [, major = '0', stage = '', minor = '0'] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? []
    return [stage === '' ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor)]
  }
  const [x, y] = [rank(a), rank(b)]
  return y[0]! - x[0]! || y[1]! - x[1]! || y[2]! - x[2]!
}

function deriveManifest(resource: Resource, kinds: KindIndex): Manifest {
  const names = [...resource.versions.keys()].sort(byPreference)
  const newest = resource.versions.get(names[0]!)!
  const definitions = Object.fromEntries(names.map((name) => [name, kinds.find(resource.group, name, newest.kind)]))
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource.resource}.${resource.group || 'core'}` },
    spec: {
      group: resource.group,
      names: {
        plural: resource.resource,
        singular: newest.kind.toLowerCase(),
        kind: newest.kind,
        listKind: `${newest.kind}List`,
      },
      scope: resource.namespaced ? 'Namespaced' : 'Cluster',
      versions: names.map((name, at) =>
        deriveVersion(name, at === 0, resource.versions.get(name)!, definitions[name]!),
      ),
      'x-keelson': { definitions, ...deriveExtension(newest) },
    },
  }
}

/** What a CustomResourceDefinition cannot say of the resource. */
function deriveExtension(version: ResourceVersion): KeelsonExtension {
  const verbs = verbsOf(version.actions)
  const subresources = deriveSubresources(version)
  const isStandard = verbs.join() === standardVerbs.join()
  const isVirtual = verbs.join() === 'create'
  return {
    ...(isVirtual && { virtual: kebab(version.kind) }),
    ...(!isStandard && !isVirtual && { verbs }),
    ...(Object.keys(subresources).length > 0 && { subresources }),
  }
}

function deriveVersion(name: string, storage: boolean, version: ResourceVersion, definition: string): ManifestVersion {
  const hasStatus = version.subresources.has('status')
  const hasScale = version.subresources.has('scale')
  return {
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { $ref: definition } },
    ...((hasStatus || hasScale) && {
      subresources: { ...(hasStatus && { status: {} }), ...(hasScale && { scale: scalePaths }) },
    }),
  }
}

/** The selector is an object here, unlike in a CRD: the scale endpoint writes it as a string. */
const scalePaths = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.spec.selector',
}

function deriveSubresources(version: ResourceVersion): Record<string, SubresourceDefinition> {
  const named = [...version.subresources].filter(([name]) => name !== 'status' && name !== 'scale').sort()
  return Object.fromEntries(
    named.map(([name, { group, version, kind, actions }]) => [
      name,
      { handler: name, group, version, kind, verbs: connectVerbs(actions) },
    ]),
  )
}

/** Connect endpoints are listed by HTTP method; RBAC and discovery know them by the verb of that method. */
function connectVerbs(actions: ReadonlySet<string>): string[] {
  return [...new Set([...actions].filter((action) => !/^(head|options)$/.test(action)))]
    .map((action) => verbOf[action] ?? action)
    .sort()
}

export function kebab(kind: string): string {
  return kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()
}

interface KindIndex {
  has(group: string, version: string, kind: string): boolean
  /** Definition name of a kind. @throws when there is none */
  find(group: string, version: string, kind: string): string
}

function kindIndex(definitions: ReadonlyMap<string, JsonSchema>): KindIndex {
  const byPath = new Map([...definitions.keys()].map((name) => [pathOf(parseDefinitionName(name)), name]))
  const lookUp = (group: string, version: string, type: string) =>
    byPath.get(pathOf({ group: folderOf(group), version, type }))
  return {
    has: (group, version, type) => lookUp(group, version, type) !== undefined,
    find(group, version, type) {
      const name = lookUp(group, version, type)
      if (!name) throw new Error(`no definition of ${kindLabel(group, version, type)}`)
      return name
    },
  }
}

const pathOf = (name: { group: string; version: string; type: string }) => `${name.group}/${name.version}/${name.type}`
const kindLabel = (group: string, version: string, kind: string) => `${group ? `${group}/` : ''}${version} ${kind}`

function* rootsOf(manifests: readonly Manifest[], kinds: KindIndex): Generator<string> {
  for (const { spec } of manifests) {
    yield* Object.values(spec['x-keelson'].definitions)
    for (const { group = '', version = 'v1', kind } of Object.values(spec['x-keelson'].subresources ?? {})) {
      // The options of connect subresources are query parameters: they have no definition.
      if (kinds.has(group, version, kind)) yield kinds.find(group, version, kind)
    }
  }
  yield kinds.find('autoscaling', 'v1', 'Scale')
}

/** All of meta/v1: requests and answers use them although no kind refers to them. */
function metaTypes(definitions: ReadonlyMap<string, JsonSchema>): string[] {
  return [...definitions.keys()].filter((name) => parseDefinitionName(name).group === 'meta')
}
