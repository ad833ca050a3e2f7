import type { JsonSchema, ResourceDefinition } from '#core/registry/resource.ts'
import { type DefinitionSource, newDocument, type ServedDocument } from '../discovery/document.ts'
import { servedGroups } from '../discovery/served.ts'
import { encodeGnostic } from './gnostic.ts'
import { groupPath, groupVersionPath, groupVersionPaths, type Path, rootPath, versionPath } from './operations.ts'
import { SchemaCatalog } from './schemas.ts'
import { buildV2 } from './v2.ts'
import { renderV3 } from './v3.ts'

/** What `/openapi/v2` in protocol buffers is sent as. */
export const v2ProtobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** What clients ask for it by: the older name is no valid media type, which clients mind in answers. */
export const v2ProtobufAccepts = [v2ProtobufType, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']

/**
 * The OpenAPI documents, each built when first asked for. A document of one group and version outlives changes of the
 * definitions of others.
 */
export class OpenApi {
  readonly #source: DefinitionSource
  readonly #types: Readonly<Record<string, JsonSchema>>
  readonly #version: string
  readonly #documents = new Map<string, { of: readonly ResourceDefinition[]; document: ServedDocument }>()
  #state: State | undefined

  /**
   * @param types the built-in types, by definition name
   * @param version of this server, as `/version` says it
   */
  constructor(source: DefinitionSource, types: Readonly<Record<string, JsonSchema>>, version: string) {
    this.#source = source
    this.#types = types
    this.#version = version
  }

  /** `/openapi/v3`: where each document is, with its hash. */
  v3Index(): ServedDocument {
    const state = this.#current()
    state.index ??= newDocument({
      paths: Object.fromEntries(
        [...state.sections.keys()].map((name) => [name, { serverRelativeURL: this.#urlOf(name) }]),
      ),
    })
    return state.index
  }

  #urlOf(name: string): string {
    return `/openapi/v3/${name}?hash=${this.v3(name)!.etag.slice(1, -1)}`
  }

  /** `/openapi/v3/<name>`, such as `apis/apps/v1`; undefined when the index does not name it */
  v3(name: string): ServedDocument | undefined {
    const { catalog, sections } = this.#current()
    const section = sections.get(name)
    if (!section) return undefined
    const known = this.#documents.get(name)
    if (known && sameMembers(known.of, section.of)) return known.document
    const document = newDocument(renderV3(section.paths(), catalog, this.#version))
    this.#documents.set(name, { of: section.of, document })
    return document
  }

  /** `/openapi/v2` in JSON */
  v2(): ServedDocument {
    const state = this.#current()
    state.v2 ??= newDocument(this.#buildV2(state))
    return state.v2
  }

  /** `/openapi/v2` for clients that accept one of `v2ProtobufAccepts`; its type is `v2ProtobufType` */
  v2Protobuf(): ServedDocument {
    const state = this.#current()
    state.v2Protobuf ??= newDocument(encodeGnostic(this.#buildV2(state)))
    return state.v2Protobuf
  }

  #buildV2({ catalog, sections }: State) {
    return buildV2(
      [...sections.values()].flatMap((section) => section.paths()),
      catalog,
      this.#version,
    )
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
  for (const { group, versions } of servedGroups(definitions)) {
    const members = definitions.filter((definition) => definition.group === group)
    if (group) add(`apis/${group}`, members, () => [groupPath(group)])
    for (const version of versions) {
      const name = groupVersionPath(group, version).slice(1)
      add(name, members, () => groupVersionPaths(members, group, version, catalog))
    }
  }
  return sections
}

function sameMembers(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}
