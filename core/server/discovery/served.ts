import { createHash } from 'node:crypto'
import { compareText } from '#core/machinery/version-order.ts'
import type { DefinitionGroups, ResourceDefinition, VersionDefinition } from '#core/registry/resource.ts'
import {
  comparePrioritizedGroups,
  comparePrioritizedVersions,
  type PrioritizedVersion,
  type Priority,
  priorityOf,
} from './priority.ts'

/** What a set of definitions serves, in the order documents list it. */

export interface ServedGroup {
  group: string
  /** The preferred one first. */
  versions: string[]
}

export interface Gvk {
  group: string
  version: string
  kind: string
}

/** A resource or subresource of one group and version. */
export interface ServedResource {
  definition: ResourceDefinition
  version: VersionDefinition
  /** Absent for the resource itself. */
  subresource?: string
  /** `pods` or `pods/exec`. */
  name: string
  /** Of the body and the answer. */
  kind: Gvk
  /** By alphabet, as Kubernetes lists them. */
  verbs: readonly string[]
}

const standardVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const partVerbs = ['get', 'patch', 'update']

/** A resource as aggregated discovery describes it. */
export interface AggregatedResource {
  resource: string
  responseKind: Gvk
  scope: 'Namespaced' | 'Cluster'
  singularResource: string
  verbs: readonly string[]
  shortNames?: readonly string[]
  categories?: readonly string[]
  subresources?: readonly { subresource: string; responseKind: Gvk; verbs: readonly string[] }[]
}

/** A group version that another server answers for. */
export interface RemoteGroupVersion {
  group: string
  version: string
  priority: Priority
  /** `Stale` while that server does not answer: the resources are those it had before. */
  freshness: 'Current' | 'Stale'
  /** As aggregated discovery has them; none as long as that server was never reached. */
  resources: readonly AggregatedResource[]
}

/** The core group first, then all others in Kubernetes' order. A remote group version takes the place of a local one. */
export function servedGroups(
  definitions: DefinitionGroups,
  remotes: readonly RemoteGroupVersion[] = [],
): ServedGroup[] {
  const remote = Map.groupBy(remotes, ({ group }) => group)
  return [...new Set([...definitions.keys(), ...remote.keys()])]
    .map((group) => ({ group, versions: versionsOf(definitions.get(group) ?? [], remote.get(group)) }))
    .filter(({ versions }) => versions.size > 0)
    .map(({ group, versions }) => ({ group, priority: groupPriority(group, versions), versions }))
    .sort(comparePrioritizedGroups)
    .map(({ group, versions }) => ({ group, versions: inOrder(versions) }))
}

type Priorities = ReadonlyMap<string, Priority>

const localVersions = new WeakMap<readonly ResourceDefinition[], Priorities>()

function versionsOf(members: readonly ResourceDefinition[], remotes: readonly RemoteGroupVersion[] = []): Priorities {
  let local = localVersions.get(members)
  if (!local) {
    const served = members.flatMap(({ group, versions }) =>
      versions.filter((version) => version.served).map(({ name }) => [name, priorityOf(group, name)] as const),
    )
    local = new Map(served)
    localVersions.set(members, local)
  }
  if (remotes.length === 0) return local
  return new Map([...local, ...remotes.map(({ version, priority }) => [version, priority] as const)])
}

function groupPriority(group: string, versions: Priorities): number {
  if (group === '') return Number.POSITIVE_INFINITY
  return Math.max(...[...versions.values()].map((priority) => priority.group))
}

function inOrder(versions: Priorities): string[] {
  const list = Array.from(versions, ([version, priority]): PrioritizedVersion => ({ version, priority }))
  return list.sort(comparePrioritizedVersions).map(({ version }) => version)
}

/** The resources of one group and version with their subresources, by name. @param members the definitions of the group */
export function servedResources(members: readonly ResourceDefinition[], version: string): ServedResource[] {
  return members.flatMap((definition) => servedIn(definition, version)).sort((a, b) => compareText(a.name, b.name))
}

/** What one definition serves in a version: the resource and its subresources. */
export function servedIn(definition: ResourceDefinition, version: string): ServedResource[] {
  const found = definition.versions.find((one) => one.served && one.name === version)
  return found ? expand(definition, found) : []
}

function expand(definition: ResourceDefinition, version: VersionDefinition): ServedResource[] {
  const { group, resource, kind, keelson } = definition
  const own = { group, version: version.name, kind }
  const verbs = keelson?.virtual === undefined ? (keelson?.verbs?.toSorted(compareText) ?? standardVerbs) : ['create']
  const entry = (subresource: string, of: Gvk, allowed: readonly string[]): ServedResource => ({
    definition,
    version,
    subresource,
    name: `${resource}/${subresource}`,
    kind: of,
    verbs: allowed,
  })
  const list: ServedResource[] = [{ definition, version, name: resource, kind: own, verbs }]
  if (version.subresources.status) list.push(entry('status', own, partVerbs))
  if (version.subresources.scale) {
    list.push(entry('scale', { group: 'autoscaling', version: 'v1', kind: 'Scale' }, partVerbs))
  }
  for (const [name, sub] of Object.entries(keelson?.subresources ?? {})) {
    const of = { group: sub.group ?? group, version: sub.version ?? version.name, kind: sub.kind }
    list.push(entry(name, of, sub.verbs.toSorted(compareText)))
  }
  return list
}

/** Tells clients whether two resources are stored as the same thing; absent for what is not stored. */
export function storageVersionHash({ group, kind, storageVersion, keelson }: ResourceDefinition): string | undefined {
  if (keelson?.virtual !== undefined || isReadOnly(keelson?.verbs)) return undefined
  const stored = `${keelson?.storedAs?.group ?? group}/${storageVersion}/${kind}`
  return createHash('sha256').update(stored).digest().subarray(0, 8).toString('base64')
}

const isReadOnly = (verbs: readonly string[] | undefined) => verbs?.includes('create') === false
