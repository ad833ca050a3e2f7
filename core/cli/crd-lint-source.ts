import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml'
import { checkValue } from '#core/endpoints/json-text.ts'
import { yamlOptions } from '#core/endpoints/yaml-text.ts'

/** Counted from 1. */
export interface Position {
  line: number
  column: number
}

/** A document of a YAML or JSON file, or an item of the list it holds. */
export interface SourceDocument {
  value: unknown
  /** Where a field stands; where the nearest thing around it stands when it is not there. @param path `spec.versions[0].name` */
  locate(path: string): Position
}

export interface SourceFault extends Position {
  message: string
}

/** Reads what a file holds, as the server reads YAML. Documents that are no YAML are left out. */
export function readSource(text: string): { documents: SourceDocument[]; faults: SourceFault[] } {
  const counter = new LineCounter()
  const positionAt = (offset: number): Position => {
    const { line, col } = counter.linePos(offset)
    return { line, column: col }
  }
  const documents: SourceDocument[] = []
  const faults: SourceFault[] = []
  for (const parsed of parseAllDocuments(text, { ...yamlOptions, lineCounter: counter }) as Document.Parsed[]) {
    for (const { message, pos } of parsed.errors) faults.push({ ...positionAt(pos[0]), message: firstLine(message) })
    if (parsed.errors.length > 0 || parsed.contents === null) continue
    for (const { offset, name } of repeatedKeys(parsed)) {
      faults.push({ ...positionAt(offset), message: `key ${JSON.stringify(name)} already set in map` })
    }
    try {
      documents.push(...unpacked(new ParsedDocument(parsed, positionAt, readValue(parsed))))
    } catch (error) {
      faults.push({ ...positionAt(parsed.range[0]), message: (error as Error).message })
    }
  }
  return { documents, faults }
}

/** @throws Error when it is nested too deeply, or repeats itself too often, or for ever */
function readValue(document: Document.Parsed): unknown {
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  checkValue(value)
  return value
}

const firstLine = (message: string) => message.split('\n', 1)[0]!.replace(/ at line \d+, column \d+:?$/, '')

class ParsedDocument implements SourceDocument {
  readonly value: unknown
  readonly #document: Document.Parsed
  readonly #positionAt: (offset: number) => Position
  /** Of the item of a list this is; empty for the document itself. */
  readonly #root: string

  constructor(document: Document.Parsed, positionAt: (offset: number) => Position, value: unknown, root = '') {
    this.value = value
    this.#document = document
    this.#positionAt = positionAt
    this.#root = root
  }

  item(at: number, value: unknown): ParsedDocument {
    return new ParsedDocument(this.#document, this.#positionAt, value, `items[${at}]`)
  }

  locate(path: string): Position {
    const whole = this.#root === '' || path === '' ? this.#root + path : `${this.#root}.${path}`
    const contents = this.#document.contents as unknown as Node
    const reached = follow(this.#document, contents, whole, contents.range?.[0] ?? 0)
    return this.#positionAt(reached.offset)
  }
}

/** The items of a List; kubectl takes those one by one as well. */
function unpacked(document: ParsedDocument): SourceDocument[] {
  const { kind, items } = (document.value ?? {}) as { kind?: unknown; items?: unknown }
  if (kind !== 'List' || !Array.isArray(items)) return [document]
  return items.map((item, at) => document.item(at, item))
}

interface Reached {
  offset: number
  /** Characters of the path that were found. */
  depth: number
}

/**
 * Goes along a path as far as it leads. A key may have dots and brackets of its own: the way that leads furthest is the right one.
 * @param offset where what `node` is stands: the key before it, if there is one
 */
function follow(document: Document, node: unknown, path: string, offset: number): Reached {
  const here = isAlias(node) ? node.resolve(document) : node
  let best: Reached = { offset, depth: 0 }
  if (path === '') return best
  // Go's decoder names the fields of items as if there was no list around them.
  const skipsItems = isSeq(here) && path.startsWith('.')
  for (const { text, value, offset: start } of children(here)) {
    const length = skipsItems ? 0 : lengthOf(text, path)
    if (length === 0 && !skipsItems) continue
    const inner = follow(document, value, path.slice(length), start)
    const depth = length + inner.depth
    if (depth > best.depth) best = { offset: inner.offset, depth }
  }
  return best
}

interface Child {
  text: string
  value: unknown
  offset: number
}

function children(node: unknown): Child[] {
  if (isSeq(node)) {
    return node.items.map((value, at) => ({ text: String(at), value, offset: (value as Node).range?.[0] ?? 0 }))
  }
  if (!isMap(node)) return []
  return (node.items as Pair[]).flatMap(({ key, value }) => {
    return isScalar(key) ? [{ text: String(key.value), value, offset: key.range?.[0] ?? 0 }] : []
  })
}

/** How much of the path names a child: `.name`, `name` or `[name]`; 0 when it names another. */
function lengthOf(child: string, path: string): number {
  if (path.startsWith(`[${child}]`)) return child.length + 2
  const start = path.startsWith('.') ? 1 : 0
  if (!path.startsWith(child, start)) return 0
  const end = start + child.length
  return end === path.length || path[end] === '.' || path[end] === '[' ? end : 0
}

function repeatedKeys(document: Document): { offset: number; name: string }[] {
  const found: { offset: number; name: string }[] = []
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<string>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        const name = String(key.value)
        if (seen.has(name)) found.push({ offset: key.range?.[0] ?? 0, name })
        seen.add(name)
      }
    },
  })
  return found
}
