import type { JsonSchema, ResourceDefinition } from '#core/registry/resource.ts'
import { type DefinitionSource, hashOf, ServedDocument } from '../discovery/document.ts'
import { servedGroups } from '../discovery/served.ts'
import { keelsonVersion } from '../version.ts'
import { encodeGnostic } from './gnostic.ts'
import { mergeV2, type V2Part } from './merge-v2.ts'
import { groupPath, groupVersionPath, groupVersionPaths, type Path, rootPath, versionPath } from './operations.ts'
import { SchemaCatalog } from './schemas.ts'
import { buildV2, type V2Document } from './v2.ts'
import { forgetRenderedSchemas, renderV3 } from './v3.ts'

/** What `/openapi/v2` in protocol buffers is sent as. */
export const v2ProtobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** What clients ask for it by: the older name is no valid media type, which clients mind in answers. */
export const v2ProtobufAccepts = [v2ProtobufType, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']

/** What other servers add to the documents. The source's generation changes with it. */
export interface RemoteOpenApi {
  /** Where the document of each group version is, by name (`apis/<group>/<version>`). */
  v3Urls(): ReadonlyMap<string, string>
  v2Parts(): readonly V2Part[]
}

const noRemote: RemoteOpenApi = { v3Urls: () => new Map(), v2Parts: () => [] }

/**
 * The OpenAPI documents, each built when first asked for. A document of one group and version outlives changes of the
 * definitions of others.
 */
export class OpenApi {
  readonly #source: DefinitionSource
  readonly #types: Readonly<Record<string, JsonSchema>>
  readonly #version: string
  readonly #remote: RemoteOpenApi
  readonly #documents = new Map<string, { of: readonly ResourceDefinition[]; document: ServedDocument }>()
  #state: State | undefined
  #commonHash: string | undefined

  /**
   * @param types the built-in types, by definition name
   * @param version of this server, as `/version` says it
   */
  constructor(
    source: DefinitionSource,
    types: Readonly<Record<string, JsonSchema>>,
    version: string,
    remote: RemoteOpenApi = noRemote,
  ) {
    this.#remote = remote
    this.#source = source
    this.#types = types
    this.#version = version
  }

  /** `/openapi/v3`: where each document is, with its hash. */
  v3Index(): ServedDocument {
    const state = this.#current()
    if (!state.index) {
      const build = () => ({ paths: this.#indexPaths(state) })
      state.index = new ServedDocument(build, { content: build() })
    }
    return state.index
  }

  #indexPaths({ sections }: State): object {
    const urls = new Map(Array.from(sections.keys(), (name) => [name, this.#urlOf(name)]))
    for (const [name, url] of this.#remote.v3Urls()) urls.set(name, url)
    return Object.fromEntries(Array.from(urls, ([name, serverRelativeURL]) => [name, { serverRelativeURL }]))
  }

  /** Of what all documents have in common. */
  get #typesHash(): string {
    this.#commonHash ??= hashOf(JSON.stringify([keelsonVersion, this.#version, this.#types]))
    return this.#commonHash
  }

  #urlOf(name: string): string {
    return v3Url(name, this.v3(name)!)
  }

  /** `/openapi/v3/<name>`, such as `apis/apps/v1`; undefined when it is not one of this server's */
  v3(name: string): ServedDocument | undefined {
    const section = this.#current().sections.get(name)
    if (!section) return undefined
    const known = this.#documents.get(name)
    if (known && sameMembers(known.of, section.of)) return known.document
    const hash = hashOf([this.#typesHash, name, ...section.of.map(definitionHash)].join())
    const document = new ServedDocument(() => this.#renderV3(name), { hash })
    this.#documents.set(name, { of: section.of, document })
    return document
  }

  #renderV3(name: string): string {
    const { catalog, sections } = this.#current()
    return renderV3(sections.get(name)?.paths() ?? [], catalog, this.#version)
  }

  /** `/openapi/v2` in JSON */
  v2(): ServedDocument {
    const state = this.#current()
    state.v2 ??= new ServedDocument(() => this.#buildV2(state))
    return state.v2
  }

  /** `/openapi/v2` for clients that accept one of `v2ProtobufAccepts`; its type is `v2ProtobufType` */
  v2Protobuf(): ServedDocument {
    const state = this.#current()
    state.v2Protobuf ??= new ServedDocument(() => encodeGnostic(this.#buildV2(state)))
    return state.v2Protobuf
  }

  #buildV2({ catalog, sections }: State): V2Document {
    const paths = [...sections.values()].flatMap((section) => section.paths())
    return mergeV2(buildV2(paths, catalog, this.#version), this.#remote.v2Parts())
  }

  /** Gives back the memory of documents that nobody asks for; who has one already is still told so. */
  release(): void {
    for (const { document } of this.#documents.values()) document.release()
    this.#state?.v2?.release()
    this.#state?.v2Protobuf?.release()
    forgetRenderedSchemas()
  }

  #current(): State {
    const { generation } = this.#source
    if (this.#state?.generation === generation) return this.#state
    const definitions = this.#source.definitions()
    const catalog = new SchemaCatalog(this.#types, definitions)
    this.#state = { generation, catalog, sections: sectionsOf(definitions, catalog) }
    for (const name of this.#documents.keys()) if (!this.#state.sections.has(name)) this.#documents.delete(name)
    return this.#state
  }
}

interface State {
  generation: number
  catalog: SchemaCatalog
  /** By name: `api/v1`, `apis/apps`, ... */
  sections: Map<string, Section>
  index?: ServedDocument
  v2?: ServedDocument
  v2Protobuf?: ServedDocument
}

/** Where a document is, for as long as it is this one. */
export function v3Url(name: string, { etag }: ServedDocument): string {
  return `/openapi/v3/${name}?hash=${etag.slice(1, -1)}`
}

/** What one document describes, and the definitions it depends on. */
interface Section {
  of: readonly ResourceDefinition[]
  paths(): Path[]
}

function sectionsOf(definitions: readonly ResourceDefinition[], catalog: SchemaCatalog): Map<string, Section> {
  const sections = new Map<string, Section>()
  const add = (name: string, of: readonly ResourceDefinition[], paths: () => Path[]) =>
    sections.set(name, { of, paths })
  add('api', [], () => [rootPath('api')])
  add('apis', [], () => [rootPath('apis')])
  add('version', [], () => [versionPath()])
  const byGroup = Map.groupBy(definitions, ({ group }) => group)
  for (const { group, versions } of servedGroups(definitions)) {
    const members = byGroup.get(group) ?? []
    if (group) add(`apis/${group}`, members, () => [groupPath(group)])
    for (const version of versions) {
      const name = groupVersionPath(group, version).slice(1)
      add(name, members, () => groupVersionPaths(members, group, version, catalog))
    }
  }
  return sections
}

const definitionHashes = new WeakMap<ResourceDefinition, string>()

/** Definitions do not change, so each is hashed once. A hash of what makes a document costs far less than the document. */
function definitionHash(definition: ResourceDefinition): string {
  let hash = definitionHashes.get(definition)
  if (hash === undefined) {
    hash = hashOf(JSON.stringify(definition))
    definitionHashes.set(definition, hash)
  }
  return hash
}

function sameMembers(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}
