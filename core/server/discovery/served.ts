import { createHash } from 'node:crypto'
import { compareText, compareVersions } from '#core/machinery/version-order.ts'
import type { ResourceDefinition, VersionDefinition } from '#core/registry/resource.ts'
import { compareGroups } from './priority.ts'

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

export function servedGroups(definitions: readonly ResourceDefinition[]): ServedGroup[] {
  const versions = new Map<string, Set<string>>()
  for (const definition of definitions) {
    for (const { name, served } of definition.versions) {
      if (!served) continue
      const known = versions.get(definition.group)
      if (known) known.add(name)
      else versions.set(definition.group, new Set([name]))
    }
  }
  return [...versions]
    .map(([group, names]) => ({ group, versions: [...names].sort(compareVersions) }))
    .sort((a, b) => compareGroups(a.group, b.group))
}

/** The resources of one group and version with their subresources, by name. */
export function servedResources(
  definitions: readonly ResourceDefinition[],
  group: string,
  version: string,
): ServedResource[] {
  return definitions
    .filter((definition) => definition.group === group)
    .flatMap((definition) => {
      const found = definition.versions.find((one) => one.served && one.name === version)
      return found ? expand(definition, found) : []
    })
    .sort((a, b) => compareText(a.name, b.name))
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
