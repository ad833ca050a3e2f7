import type { ResourceDefinition, VersionDefinition } from '#core/registry/resource.ts'
import type { Form, NamedSchema } from './forms.ts'
import { compressPiece, type Piece } from './gzip-pieces.ts'
import { definitionPaths, type Path, schemasOf } from './operations.ts'
import { metaSchema, type NamedTypes, OwnSchemas } from './schemas.ts'
import { mapInTurns, type Turns } from './turns.ts'

/** What something adds to a document. */
export interface Fragment {
  /** With a separator behind. Absent: nothing. */
  paths: Piece | undefined
  schemas: Piece | undefined
  /** The named types that must be in the document, too. */
  types: readonly string[]
}

/** Types of so many names are a piece. */
const typesAtOnce = 64

/**
 * The parts of documents, rendered and compressed once for as long as what they describe stays: those of a definition for as
 * long as there is that definition. So a document costs what has changed.
 */
export class Fragments {
  readonly #types: NamedTypes
  readonly #ofDefinitions = new WeakMap<ResourceDefinition, Map<string, Promise<Fragment>>>()
  readonly #ofTypes = new Map<string, Promise<Piece>>()

  constructor(types: NamedTypes) {
    this.#types = types
  }

  /** What one version of a definition adds. */
  ofVersion(form: Form, definition: ResourceDefinition, version: VersionDefinition, turns: Turns): Promise<Fragment> {
    let known = this.#ofDefinitions.get(definition)
    if (!known) this.#ofDefinitions.set(definition, (known = new Map()))
    const key = `${form.name} ${version.name}`
    let fragment = known.get(key)
    if (!fragment) known.set(key, (fragment = this.#render(form, definition, version, turns)))
    // What went wrong may go well another time.
    fragment.catch(() => known.delete(key))
    return fragment
  }

  async #render(
    form: Form,
    definition: ResourceDefinition,
    version: VersionDefinition,
    turns: Turns,
  ): Promise<Fragment> {
    const own = new OwnSchemas(this.#types, definition, version)
    const paths = definitionPaths(definition, version.name, own)
    const types = own.references(rootsOf(paths))
    while (turns.isOver) await turns.next()
    const text = { paths: form.paths(paths), schemas: form.schemas(own.schemas) }
    while (turns.isOver) await turns.next()
    return fragmentOf(form, text, types)
  }

  /** The named types, without a separator behind. */
  async typePieces(form: Form, roots: Iterable<string>): Promise<Piece[]> {
    const names = this.#types.closure(roots)
    const parts = Array.from({ length: Math.ceil(names.length / typesAtOnce) }, (_, at) => {
      const part = names.slice(at * typesAtOnce, (at + 1) * typesAtOnce)
      return { part, isLast: (at + 1) * typesAtOnce >= names.length }
    })
    return mapInTurns(parts, ({ part, isLast }) => this.#typePiece(form, part, isLast ? '' : form.separator))
  }

  #typePiece(form: Form, names: readonly string[], behind: string): Promise<Piece> {
    const key = `${form.name}${behind} ${names.join()}`
    let piece = this.#ofTypes.get(key)
    if (!piece) {
      const schemas = names.map((name): NamedSchema => [name, this.#types.get(name)!])
      this.#ofTypes.set(key, (piece = compressPiece(withBehind(form.schemas(schemas), behind))))
    }
    return piece
  }

  /** Gives back what is quickly made again. */
  release(): void {
    this.#ofTypes.clear()
  }
}

/** @param types named types that are needed as well */
export async function fragmentOf(
  form: Form,
  text: { paths: string | Buffer; schemas: string | Buffer },
  types: readonly string[],
): Promise<Fragment> {
  const compress = (part: string | Buffer) =>
    part.length === 0 ? undefined : compressPiece(withBehind(part, form.separator))
  const [paths, schemas] = await Promise.all([compress(text.paths), compress(text.schemas)])
  return { paths, schemas, types }
}

/** The schemas that paths mention; what is watched is sent as an event. */
export function rootsOf(paths: readonly Path[]): Set<string> {
  const roots = schemasOf(paths)
  const isListed = paths.some(({ operations }) => operations.some(({ action }) => action === 'list'))
  return isListed ? roots.add(metaSchema('WatchEvent')) : roots
}

const withBehind = (text: string | Buffer, behind: string) =>
  typeof text === 'string' ? text + behind : Buffer.concat([text, Buffer.from(behind)])
