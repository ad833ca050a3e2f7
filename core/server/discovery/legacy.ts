import { apiVersionOf } from '#apis/meta/v1/types.ts'
import type { DefinitionGroups, ResourceDefinition } from '#core/registry/resource.ts'
import {
  type RemoteGroupVersion,
  type ServedGroup,
  type ServedResource,
  servedGroups,
  servedResources,
  storageVersionHash,
} from './served.ts'

/**
 * Discovery, one document a group: what every client understands.
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#unaggregated-discovery
 */

/** `/api`. @param serverAddress host and port clients may use, when it is known */
export function apiVersions(serverAddress?: string) {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: serverAddress ? [{ clientCIDR: '0.0.0.0/0', serverAddress }] : [],
  }
}

/** `/apis` */
export function apiGroupList(definitions: DefinitionGroups, remotes: readonly RemoteGroupVersion[] = []) {
  const groups = servedGroups(definitions, remotes).filter(({ group }) => group !== '')
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(describeGroup) }
}

/** `/apis/<group>`, or undefined when nothing of the group is served. @param members the definitions of the group */
export function apiGroup(
  members: readonly ResourceDefinition[],
  group: string,
  remotes: readonly RemoteGroupVersion[] = [],
) {
  if (group === '') return undefined
  const others = remotes.filter((one) => one.group === group)
  const [found] = servedGroups(new Map([[group, members]]), others)
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...describeGroup(found) }
}

function describeGroup({ group, versions }: ServedGroup) {
  const list = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }))
  return { name: group, versions: list, preferredVersion: list[0]! }
}

/**
 * `/api/v1` and `/apis/<group>/<version>`, or undefined when nothing of it is served.
 * @param members the definitions of the group
 */
export function apiResourceList(members: readonly ResourceDefinition[], group: string, version: string) {
  const resources = servedResources(members, version)
  if (resources.length === 0) return undefined
  return {
    kind: 'APIResourceList',
    ...(group && { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.map((served) => describeResource(served, group, version)),
  }
}

function describeResource(served: ServedResource, group: string, version: string) {
  const { definition, kind, name, subresource, verbs } = served
  const foreign = kind.group !== group || kind.version !== version
  const common = {
    name,
    singularName: subresource ? '' : definition.singular,
    namespaced: definition.namespaced,
    ...(foreign && { group: kind.group, version: kind.version }),
    kind: kind.kind,
    verbs,
  }
  if (subresource) return common
  const hash = storageVersionHash(definition)
  return {
    ...common,
    ...(definition.shortNames.length > 0 && { shortNames: definition.shortNames }),
    ...(definition.categories.length > 0 && { categories: definition.categories }),
    ...(hash && { storageVersionHash: hash }),
  }
}
