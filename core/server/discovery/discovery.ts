import type { DefinitionGroups, ResourceDefinition } from '#core/registry/resource.ts'
import { type AggregatedVersion, apiGroupDiscoveryList } from './aggregated.ts'
import { type DefinitionSource, ServedDocument } from './document.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts'
import { type RemoteGroupVersion, servedGroups } from './served.ts'

type Content = object | string

interface Known {
  /** Of which group it speaks; undefined when of all. */
  group: string | undefined
  /** What it was made of: still the same, it is still right. */
  basis: unknown
  document: ServedDocument
}

/**
 * The documents of discovery, each built when first asked for and kept until what it speaks of changes: one of a group
 * outlives changes of other groups, and one of all groups is put together of what each has to say.
 */
export class Discovery {
  readonly #source: DefinitionSource
  readonly #serverAddress: string | undefined
  readonly #documents = new Map<string, Known>()

  /** @param serverAddress host and port for clients, shown by `/api` */
  constructor(source: DefinitionSource, serverAddress?: string) {
    this.#source = source
    this.#serverAddress = serverAddress
  }

  /** `/api` */
  apiVersions(): ServedDocument {
    return this.#ofAll('/api', () => apiVersions(this.#serverAddress))
  }

  /** `/apis` */
  groupList(): ServedDocument {
    return this.#ofAll('/apis', apiGroupList)
  }

  /** `/apis/<group>`; undefined when nothing of it is served */
  group(group: string): ServedDocument | undefined {
    return this.#ofGroup(`/apis/${group}`, group, (members, remotes) => apiGroup(members, group, remotes))
  }

  /** `/api/v1` (with group '') and `/apis/<group>/<version>`; undefined when nothing of it is served */
  resourceList(group: string, version: string): ServedDocument | undefined {
    const key = group ? `/apis/${group}/${version}` : `/api/${version}`
    return this.#ofGroup(key, group, (members) => apiResourceList(members, group, version))
  }

  /** `/api` and `/apis` for clients that accept `aggregatedContentType(version)` */
  aggregated(root: 'api' | 'apis', version: AggregatedVersion): ServedDocument {
    return this.#ofAll(`${version}/${root}`, (groups, remotes) => apiGroupDiscoveryList(groups, root, version, remotes))
  }

  /** `/api`, `/apis` and all below them that can be asked for, by alphabet */
  paths(): string[] {
    const groups = servedGroups(this.#source.groups, this.#remotes()).flatMap(({ group, versions }) =>
      group
        ? [`/apis/${group}`, ...versions.map((version) => `/apis/${group}/${version}`)]
        : versions.map((version) => `/api/${version}`),
    )
    return ['/api', '/apis', '/apis/', ...groups].sort()
  }

  /** Gives back the memory of documents that nobody asks for. */
  release(): void {
    for (const [key, { group, document }] of this.#documents) {
      document.release()
      if (group !== undefined && !this.#source.groups.has(group)) this.#documents.delete(key)
    }
  }

  #remotes(): readonly RemoteGroupVersion[] {
    return this.#source.remotes?.() ?? []
  }

  #ofAll(
    key: string,
    build: (groups: DefinitionGroups, remotes: readonly RemoteGroupVersion[]) => Content,
  ): ServedDocument {
    return this.#known(key, undefined, this.#source.generation, () => build(this.#source.groups, this.#remotes()))!
  }

  #ofGroup(
    key: string,
    group: string,
    build: (members: readonly ResourceDefinition[], remotes: readonly RemoteGroupVersion[]) => Content | undefined,
  ): ServedDocument | undefined {
    const members = this.#source.groups.get(group) ?? []
    const remotes = this.#remotes().filter((one) => one.group === group)
    const basis = remotes.length === 0 ? members : this.#source.generation
    return this.#known(key, group, basis, () => build(members, remotes))
  }

  #known(
    key: string,
    group: string | undefined,
    basis: unknown,
    build: () => Content | undefined,
  ): ServedDocument | undefined {
    const known = this.#documents.get(key)
    if (known && known.basis === basis) return known.document
    const content = build()
    // What is not there is not remembered: anyone may ask for any path.
    if (!content) {
      this.#documents.delete(key)
      return undefined
    }
    const document = new ServedDocument(() => build()!, { content })
    this.#documents.set(key, { group, basis, document })
    return document
  }
}
