import type { ResourceDefinition } from '#core/registry/resource.ts'
import { type AggregatedVersion, apiGroupDiscoveryList } from './aggregated.ts'
import { type DefinitionSource, ServedDocument } from './document.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts'
import { type RemoteGroupVersion, servedGroups } from './served.ts'

type Build = (definitions: readonly ResourceDefinition[], remotes: readonly RemoteGroupVersion[]) => object | undefined

/** The documents of discovery, each built when first asked for and kept until the set of definitions changes. */
export class Discovery {
  readonly #source: DefinitionSource
  readonly #serverAddress: string | undefined
  readonly #documents = new Map<string, ServedDocument>()
  #generation = -1

  /** @param serverAddress host and port for clients, shown by `/api` */
  constructor(source: DefinitionSource, serverAddress?: string) {
    this.#source = source
    this.#serverAddress = serverAddress
  }

  /** `/api` */
  apiVersions(): ServedDocument {
    return this.#cached('/api', () => apiVersions(this.#serverAddress))!
  }

  /** `/apis` */
  groupList(): ServedDocument {
    return this.#cached('/apis', apiGroupList)!
  }

  /** `/apis/<group>`; undefined when nothing of it is served */
  group(group: string): ServedDocument | undefined {
    return this.#cached(`/apis/${group}`, (definitions, remotes) => apiGroup(definitions, group, remotes))
  }

  /** `/api/v1` (with group '') and `/apis/<group>/<version>`; undefined when nothing of it is served */
  resourceList(group: string, version: string): ServedDocument | undefined {
    const key = group ? `/apis/${group}/${version}` : `/api/${version}`
    return this.#cached(key, (definitions) => apiResourceList(definitions, group, version))
  }

  /** `/api` and `/apis` for clients that accept `aggregatedContentType(version)` */
  aggregated(root: 'api' | 'apis', version: AggregatedVersion): ServedDocument {
    return this.#cached(`${version}/${root}`, (definitions, remotes) =>
      apiGroupDiscoveryList(definitions, root, version, remotes),
    )!
  }

  /** `/api`, `/apis` and all below them that can be asked for, by alphabet */
  paths(): string[] {
    const { definitions, remotes } = this.#told()
    const groups = servedGroups(definitions, remotes).flatMap(({ group, versions }) =>
      group
        ? [`/apis/${group}`, ...versions.map((version) => `/apis/${group}/${version}`)]
        : versions.map((version) => `/api/${version}`),
    )
    return ['/api', '/apis', '/apis/', ...groups].sort()
  }

  /** Gives back the memory of documents that nobody asks for. */
  release(): void {
    for (const document of this.#documents.values()) document.release()
  }

  #told() {
    return { definitions: this.#source.definitions(), remotes: this.#source.remotes?.() ?? [] }
  }

  #cached(key: string, build: Build): ServedDocument | undefined {
    if (this.#generation !== this.#source.generation) {
      this.#documents.clear()
      this.#generation = this.#source.generation
    }
    const known = this.#documents.get(key)
    if (known) return known
    const { definitions, remotes } = this.#told()
    const make = () => build(definitions, remotes)
    const content = make()
    // What is not there is not remembered: anyone may ask for any path.
    if (!content) return undefined
    const document = new ServedDocument(() => make()!, { content })
    this.#documents.set(key, document)
    return document
  }
}
