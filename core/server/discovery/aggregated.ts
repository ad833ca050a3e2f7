import type { DefinitionGroups, ResourceDefinition } from '#core/registry/resource.ts'
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

/**
 * What a group has to say is rendered once for as long as its definitions are the same ones.
 * @param root `api` holds the core group, `apis` all others
 * @returns JSON
 */
export function apiGroupDiscoveryList(
  definitions: DefinitionGroups,
  root: 'api' | 'apis',
  version: AggregatedVersion,
  remotes: readonly RemoteGroupVersion[] = [],
): string {
  const groups = servedGroups(definitions, remotes).filter(({ group }) => (group === '') === (root === 'api'))
  const remote = new Map(remotes.map((one) => [`${one.group}/${one.version}`, one]))
  const items = groups.map((group) => groupText(group, definitions.get(group.group) ?? [], remote))
  const head = { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {} }
  return `${JSON.stringify(head).slice(0, -1)},"items":[${items.join()}]}`
}

const localTexts = new WeakMap<readonly ResourceDefinition[], string>()

function groupText(
  served: ServedGroup,
  members: readonly ResourceDefinition[],
  remote: ReadonlyMap<string, RemoteGroupVersion>,
): string {
  const isLocal = !served.versions.some((version) => remote.has(`${served.group}/${version}`))
  const known = isLocal ? localTexts.get(members) : undefined
  if (known !== undefined) return known
  const text = JSON.stringify(describeGroup(served, members, remote))
  if (isLocal) localTexts.set(members, text)
  return text
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
        resources: other?.resources ?? describeResources(servedResources(members, version)),
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
