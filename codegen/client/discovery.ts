import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import { isNotFound } from './errors.ts'
import type { Client } from './types.ts'

/** A resource that the server serves, in one of its versions. */
export interface ServedResource extends ResourceRef<KubeObject> {
  verbs: readonly string[]
  /** Names without the resource's: `status`, `scale`. */
  subresources: readonly string[]
  /** True in the version its group prefers among those that serve it. */
  isPreferred: boolean
}

export interface Discovery {
  resources: ServedResource[]
  /** `group/version`s that could not be asked: an aggregated API that is down. */
  failed: string[]
}

const aggregated = ['v2', 'v2beta1'].map(
  (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
)
const accept = [...aggregated, 'application/json'].join(',')

/**
 * Lists what the server serves: two requests where it knows aggregated discovery, one for each group version where not.
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
export async function discover(client: Pick<Client, 'request'>, signal?: AbortSignal): Promise<Discovery> {
  const found = await Promise.all(['/api', '/apis'].map((path) => discoverRoot(client, path, signal)))
  return { resources: found.flatMap((one) => one.resources), failed: found.flatMap((one) => one.failed) }
}

async function discoverRoot(client: Pick<Client, 'request'>, path: string, signal?: AbortSignal): Promise<Discovery> {
  const answer = await client.request<RootAnswer>({ method: 'GET', path, accept, signal })
  if (answer.kind === 'APIGroupDiscoveryList') return markPreferred(fromAggregated(answer.items ?? []))
  const groupVersions =
    answer.kind === 'APIVersions'
      ? (answer.versions ?? []).map((version) => ({ group: '', version }))
      : (answer.groups ?? []).flatMap(versionsByPreference)
  return markPreferred(await fromEach(client, groupVersions, signal))
}

interface RootAnswer {
  kind: string
  items?: AggregatedGroup[]
  versions?: string[]
  groups?: LegacyGroup[]
}

interface AggregatedGroup {
  metadata?: { name?: string }
  versions?: { version: string; freshness?: string; resources?: AggregatedResource[] }[]
}

interface AggregatedResource {
  resource: string
  scope: string
  responseKind?: { group?: string; version?: string; kind?: string }
  verbs?: string[]
  subresources?: { subresource: string }[]
}

function fromAggregated(groups: readonly AggregatedGroup[]): Discovery {
  const discovery: Discovery = { resources: [], failed: [] }
  for (const { metadata, versions = [] } of groups) {
    const group = metadata?.name ?? ''
    for (const { version, freshness, resources = [] } of versions) {
      if (freshness === 'Stale') discovery.failed.push(`${group}/${version}`)
      for (const entry of resources) {
        discovery.resources.push({
          group,
          version,
          resource: entry.resource,
          kind: entry.responseKind?.kind ?? '',
          namespaced: entry.scope === 'Namespaced',
          verbs: entry.verbs ?? [],
          subresources: (entry.subresources ?? []).map((one) => one.subresource),
          isPreferred: false,
        })
      }
    }
  }
  return discovery
}

interface LegacyGroup {
  name: string
  versions: { version: string }[]
  preferredVersion?: { version: string }
}

function versionsByPreference({ name, versions, preferredVersion }: LegacyGroup): { group: string; version: string }[] {
  const names = versions.map((one) => one.version)
  const preferred = names.filter((version) => version === preferredVersion?.version)
  const others = names.filter((version) => version !== preferredVersion?.version)
  return [...preferred, ...others].map((version) => ({ group: name, version }))
}

interface LegacyResource {
  name: string
  kind: string
  namespaced: boolean
  verbs?: string[]
}

async function fromEach(
  client: Pick<Client, 'request'>,
  groupVersions: readonly { group: string; version: string }[],
  signal?: AbortSignal,
): Promise<Discovery> {
  const discovery: Discovery = { resources: [], failed: [] }
  const answers = await Promise.allSettled(
    groupVersions.map(({ group, version }) => {
      const path = group ? `/apis/${group}/${version}` : `/api/${version}`
      return client.request<{ resources?: LegacyResource[] }>({ method: 'GET', path, signal })
    }),
  )
  signal?.throwIfAborted()
  groupVersions.forEach(({ group, version }, at) => {
    const answer = answers[at]!
    if (answer.status === 'fulfilled')
      discovery.resources.push(...fromLegacy(group, version, answer.value.resources ?? []))
    else if (!isNotFound(answer.reason)) discovery.failed.push(`${group}/${version}`)
  })
  return discovery
}

function fromLegacy(group: string, version: string, entries: readonly LegacyResource[]): ServedResource[] {
  const subresourcesOf = (resource: string) =>
    entries.filter(({ name }) => name.startsWith(`${resource}/`)).map(({ name }) => name.slice(resource.length + 1))
  return entries
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced, verbs = [] }) => ({
      group,
      version,
      resource: name,
      kind,
      namespaced,
      verbs,
      subresources: subresourcesOf(name),
      isPreferred: false,
    }))
}

/** Versions come in the group's order of preference, so the first that serves a resource is its preferred one. */
function markPreferred(discovery: Discovery): Discovery {
  const seen = new Set<string>()
  const resources = discovery.resources.map((one) => {
    const id = `${one.resource}.${one.group}`
    const isPreferred = !seen.has(id)
    seen.add(id)
    return { ...one, isPreferred }
  })
  return { ...discovery, resources }
}
