import { randomUUID } from 'node:crypto'
import type { JsonSchema, ResourceDefinition, VersionDefinition } from '#core/registry/resource.ts'
import { type DefinitionSource, type Document, hashOf, ServedDocument } from '../discovery/document.ts'
import { keelsonVersion } from '../version.ts'
import { type Form, formsOf, type V2Form } from './forms.ts'
import { type Fragment, Fragments, fragmentOf, rootsOf } from './fragments.ts'
import { type Piece, storedPiece } from './gzip-pieces.ts'
import { mergeV2, type V2Known, type V2Part } from './merge-v2.ts'
import { groupPath, groupVersionPath, type Path, rootPath, versionListPath, versionPath } from './operations.ts'
import { PiecedDocument } from './pieced-document.ts'
import { NamedTypes, OwnSchemas, schemaNames } from './schemas.ts'
import { mapInTurns } from './turns.ts'
import { v2Definitions } from './v2.ts'

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

type Members = readonly ResourceDefinition[]

/** What of a group changes only with its definitions. */
interface Group {
  hash: string
  /** By name: `apis/apps`, `apis/apps/v1`. */
  documents: Map<string, PiecedDocument>
  /** Its entries of the index, as members of an object. */
  index: string
  /** What a document of all groups says of it besides its definitions, by form. */
  about: Map<Form['name'], Promise<Fragment>>
}

/** What changes with any group. */
interface Whole {
  generation: number
  index?: ServedDocument
  v2?: PiecedDocument
  v2Protobuf?: PiecedDocument
}

/** One definition in one version. */
type Served = readonly [definition: ResourceDefinition, version: VersionDefinition]

/**
 * The OpenAPI documents, each built when first asked for, in slices between which others have their turn. A change of a
 * definition costs what that definition adds to them: all else is there, compressed.
 */
export class OpenApi {
  readonly #source: DefinitionSource
  readonly #remote: RemoteOpenApi
  readonly #types: NamedTypes
  readonly #fragments: Fragments
  readonly #forms: ReturnType<typeof formsOf>
  readonly #groups = new Map<string, { of: Members; group: Group }>()
  readonly #hashTypes: () => string
  #knownTypesHash: string | undefined
  #knownFixed: ReadonlyMap<string, PiecedDocument> | undefined
  /** Content that nothing names: never the same as that of another process. */
  readonly #processId = randomUUID()
  #whole: Whole | undefined

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
    this.#types = new NamedTypes(types)
    this.#fragments = new Fragments(this.#types)
    this.#forms = formsOf(version)
    this.#hashTypes = () => hashOf(JSON.stringify([keelsonVersion, version, types]))
  }

  /** Of what all documents have in common. */
  get #typesHash(): string {
    return (this.#knownTypesHash ??= this.#hashTypes())
  }

  /** Documents that no definition changes. */
  get #fixed(): ReadonlyMap<string, PiecedDocument> {
    const paths = { api: rootPath('api'), apis: rootPath('apis'), version: versionPath() }
    return (this.#knownFixed ??= new Map(
      Object.entries(paths).map(([name, path]) => [name, this.#v3Document(name, '', [], path)]),
    ))
  }

  /** `/openapi/v3`: where each document is, with its hash. */
  v3Index(): ServedDocument {
    const whole = this.#current()
    if (!whole.index) {
      const build = () => this.#indexText()
      whole.index = new ServedDocument(build, { content: build() })
    }
    return whole.index
  }

  #indexText(): string {
    const remote = this.#remote.v3Urls()
    const local = Array.from(this.#source.groups, ([group, members]) =>
      remote.size === 0 ? this.#group(group, members).index : indexOf(this.#group(group, members).documents, remote),
    )
    const others = Array.from(remote, ([name, url]) => indexEntry(name, url))
    return `{"paths":{${[indexOf(this.#fixed), ...local, ...others].filter((text) => text !== '').join()}}}`
  }

  /** `/openapi/v3/<name>`, such as `apis/apps/v1`; undefined when it is not one of this server's */
  v3(name: string): Document | undefined {
    const fixed = this.#fixed.get(name)
    if (fixed) return fixed
    const [root, first = ''] = name.split('/', 2)
    const group = root === 'api' ? '' : first
    const members = this.#source.groups.get(group)
    return members && this.#group(group, members).documents.get(name)
  }

  #group(name: string, members: Members): Group {
    const known = this.#groups.get(name)
    if (known?.of === members) return known.group
    const hash = hashOf([this.#typesHash, name, ...members.map(fingerprintOf).sort()].join())
    const documents = new Map<string, PiecedDocument>()
    const add = (document: string, served: readonly Served[], about: Path) =>
      documents.set(document, this.#v3Document(document, hash, served, about))
    const versions = Map.groupBy(servedOf(members), ([, version]) => version.name)
    if (name !== '' && versions.size > 0) add(`apis/${name}`, [], groupPath(name))
    for (const [version, served] of versions) {
      add(groupVersionPath(name, version).slice(1), served, versionListPath(name, version))
    }
    const group = { hash, documents, index: indexOf(documents), about: new Map() }
    this.#groups.set(name, { of: members, group })
    return group
  }

  #v3Document(name: string, hash: string, served: readonly Served[], about: Path): PiecedDocument {
    const form = this.#forms.v3
    return new PiecedDocument(hashOf([this.#typesHash, hash, name].join()), async () =>
      this.#join(form, await this.#fragmentsOf(form, served), about),
    )
  }

  /** `/openapi/v2` in JSON */
  v2(): Document {
    return (this.#current().v2 ??= this.#v2Document(this.#forms.v2))
  }

  /** `/openapi/v2` for clients that accept one of `v2ProtobufAccepts`; its type is `v2ProtobufType` */
  v2Protobuf(): Document {
    return (this.#current().v2Protobuf ??= this.#v2Document(this.#forms.v2Protobuf))
  }

  #v2Document(form: V2Form): PiecedDocument {
    const groups = [...this.#source.groups]
    const parts = this.#remote.v2Parts()
    const remoteHash = parts.length === 0 ? '' : `${this.#processId} ${this.#source.generation}`
    const hashes = groups.map(([name, members]) => this.#group(name, members).hash)
    return new PiecedDocument(hashOf([form.name, this.#typesHash, remoteHash, ...hashes.sort()].join()), async () => {
      const served = groups.flatMap(([, members]) => servedOf(members))
      const fragments = [
        ...(await this.#fragmentsOf(form, served)),
        ...(await mapInTurns(groups, ([name, members]) => this.#aboutGroup(form, name, members))),
        await pathFragment(form, [rootPath('api'), rootPath('apis')]),
      ]
      if (parts.length > 0) fragments.push(await fragmentOf(form, form.part(mergeV2(this.#knownIn(groups), parts)), []))
      return this.#join(form, fragments, versionPath())
    })
  }

  #aboutGroup(form: Form, name: string, members: Members): Promise<Fragment> {
    const { about } = this.#group(name, members)
    let fragment = about.get(form.name)
    if (!fragment) about.set(form.name, (fragment = pathFragment(form, pathsAbout(name, members))))
    return fragment
  }

  #fragmentsOf(form: Form, served: readonly Served[]): Promise<Fragment[]> {
    const fragments = this.#fragments
    return mapInTurns(served, ([definition, version], turns) => fragments.ofVersion(form, definition, version, turns))
  }

  /** A document of some fragments and one more path, with all types these need. */
  async #join(form: Form, fragments: readonly Fragment[], last: Path): Promise<Piece[]> {
    const roots = new Set([...fragments.flatMap(({ types }) => types), ...rootsOf([last])])
    const types = await this.#fragments.typePieces(form, roots)
    return [
      storedPiece(form.head),
      ...fragments.flatMap(({ paths }) => paths ?? []),
      storedPiece(form.paths([last])),
      storedPiece(form.middle),
      ...fragments.flatMap(({ schemas }) => schemas ?? []),
      ...types,
      storedPiece(form.tail),
    ]
  }

  /** What the document says before other servers add to it. */
  #knownIn(groups: readonly (readonly [string, Members])[]): V2Known {
    const served = groups.flatMap(([, members]) => servedOf(members))
    const versions = new Set(served.map(([{ group }, { name }]) => groupVersionPath(group, name)))
    const own = new Map<string, () => JsonSchema | undefined>()
    for (const [definition, version] of served) {
      const schemas = () => new OwnSchemas(this.#types, definition, version).schemas
      for (const name of schemaNames(definition, version)) own.set(name, () => schemas().get(name))
    }
    return {
      hasPath: (path) => versions.has(path.split('/', 4).join('/')),
      definition: (name) => {
        const schema = this.#types.get(name) ?? own.get(name)?.()
        return schema && v2Definitions([[name, schema]])[name]
      },
    }
  }

  /** Gives back the memory of documents that nobody asks for; who has one already is still told so. */
  release(): void {
    for (const document of this.#fixed.values()) document.release()
    for (const [name, { group }] of this.#groups) {
      for (const document of group.documents.values()) document.release()
      if (!this.#source.groups.has(name)) this.#groups.delete(name)
    }
    this.#whole?.v2?.release()
    this.#whole?.v2Protobuf?.release()
    this.#fragments.release()
  }

  #current(): Whole {
    const { generation } = this.#source
    if (this.#whole?.generation !== generation) this.#whole = { generation }
    return this.#whole
  }
}

/** Where a document is, for as long as it is this one. */
export function v3Url(name: string, { etag }: Document): string {
  return `/openapi/v3/${name}?hash=${etag.slice(1, -1)}`
}

const indexEntry = (name: string, serverRelativeURL: string) =>
  `${JSON.stringify(name)}:${JSON.stringify({ serverRelativeURL })}`

/** Entries of the index. @param without what other servers answer for */
function indexOf(documents: ReadonlyMap<string, Document>, without: ReadonlyMap<string, unknown> = new Map()): string {
  return Array.from(documents)
    .filter(([name]) => !without.has(name))
    .map(([name, document]) => indexEntry(name, v3Url(name, document)))
    .join()
}

const servedOf = (members: Members): Served[] =>
  members.flatMap((definition) =>
    definition.versions.filter(({ served }) => served).map((version) => [definition, version] as const),
  )

function pathsAbout(group: string, members: Members): Path[] {
  const versions = new Set(servedOf(members).map(([, { name }]) => name))
  const ofVersions = Array.from(versions, (version) => versionListPath(group, version))
  return group === '' || versions.size === 0 ? ofVersions : [groupPath(group), ...ofVersions]
}

const pathFragment = (form: Form, paths: readonly Path[]) =>
  fragmentOf(form, { paths: form.paths(paths), schemas: '' }, [...rootsOf(paths)])

const fingerprints = new WeakMap<ResourceDefinition, string>()

/** Definitions do not change, so each is hashed once, unless it says itself what tells it from all others. */
function fingerprintOf(definition: ResourceDefinition): string {
  if (definition.fingerprint !== undefined) return definition.fingerprint
  let hash = fingerprints.get(definition)
  if (hash === undefined) fingerprints.set(definition, (hash = hashOf(JSON.stringify(definition))))
  return hash
}
