import type { ResourceDefinition } from '#core/registry/resource.ts'
import {
  type AggregatedResource,
  type RemoteGroupVersion,
  type ServedGroup,
  type ServedResource,
  servedGroups,
  servedResources,
} from './served.ts'

/**
 * Discovery in two documents, `/api` and `/apis`: what kubectl since 1.27 asks for.
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 */
export type AggregatedVersion = 'v2' | 'v2beta1'

export function aggregatedContentType(version: AggregatedVersion, mediaType = 'application/json'): string {
  return `${mediaType};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
}

/** @param root `api` holds the core group, `apis` all others */
export function apiGroupDiscoveryList(
  definitions: readonly ResourceDefinition[],
  root: 'api' | 'apis',
  version: AggregatedVersion,
  remotes: readonly RemoteGroupVersion[] = [],
) {
  const groups = servedGroups(definitions, remotes).filter(({ group }) => (group === '') === (root === 'api'))
  const local = Map.groupBy(definitions, ({ group }) => group)
  const remote = new Map(remotes.map((one) => [`${one.group}/${one.version}`, one]))
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => describeGroup(group, local.get(group.group) ?? [], remote)),
  }
}

function describeGroup(
  { group, versions }: ServedGroup,
  members: readonly ResourceDefinition[],
  remote: ReadonlyMap<string, RemoteGroupVersion>,
) {
  return {
    metadata: { ...(group && { name: group }), creationTimestamp: null },
    versions: versions.map((version) => {
      const other = remote.get(`${group}/${version}`)
      return {
        version,
        resources: other?.resources ?? describeResources(servedResources(members, group, version)),
        freshness: other?.freshness ?? 'Current',
      }
    }),
  }
}

function describeResources(served: readonly ServedResource[]): AggregatedResource[] {
  const subresources = Map.groupBy(
    served.filter((one) => one.subresource),
    ({ definition }) => definition,
  )
  return served
    .filter((one) => !one.subresource)
    .map((one) => {
      const { definition } = one
      const parts = subresources.get(definition)
      return {
        resource: definition.resource,
        responseKind: one.kind,
        scope: definition.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: definition.singular,
        verbs: one.verbs,
        ...(definition.shortNames.length > 0 && { shortNames: definition.shortNames }),
        ...(definition.categories.length > 0 && { categories: definition.categories }),
        ...(parts && { subresources: parts.map(describeSubresource) }),
      }
    })
}

function describeSubresource({ subresource = '', kind, verbs }: ServedResource) {
  return { subresource, responseKind: kind, verbs }
}
