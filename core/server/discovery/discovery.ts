import type { ResourceDefinition } from '#core/registry/resource.ts'
import { type AggregatedVersion, apiGroupDiscoveryList } from './aggregated.ts'
import { type DefinitionSource, newDocument, type ServedDocument } from './document.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts'

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
    return this.#cached(`/apis/${group}`, (definitions) => apiGroup(definitions, group))
  }

  /** `/api/v1` (with group '') and `/apis/<group>/<version>`; undefined when nothing of it is served */
  resourceList(group: string, version: string): ServedDocument | undefined {
    const key = group ? `/apis/${group}/${version}` : `/api/${version}`
    return this.#cached(key, (definitions) => apiResourceList(definitions, group, version))
  }

  /** `/api` and `/apis` for clients that accept `aggregatedContentType(version)` */
  aggregated(root: 'api' | 'apis', version: AggregatedVersion): ServedDocument {
    return this.#cached(`${version}/${root}`, (definitions) => apiGroupDiscoveryList(definitions, root, version))!
  }

  #cached(
    key: string,
    build: (definitions: readonly ResourceDefinition[]) => object | undefined,
  ): ServedDocument | undefined {
    if (this.#generation !== this.#source.generation) {
      this.#documents.clear()
      this.#generation = this.#source.generation
    }
    const known = this.#documents.get(key)
    if (known) return known
    const content = build(this.#source.definitions())
    // What is not there is not remembered: anyone may ask for any path.
    if (!content) return undefined
    const document = newDocument(content)
    this.#documents.set(key, document)
    return document
  }
}
