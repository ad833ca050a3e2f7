import type { V2Document, V2Path, V2Schema } from './v2.ts'

/** What another server says in OpenAPI 2.0 of the group versions that it answers for. */
export interface V2Part {
  paths: Readonly<Record<string, V2Path>>
  definitions: Readonly<Record<string, V2Schema>>
}

/**
 * The document with the parts of other servers: their paths, and the definitions these need. Two definitions of one name
 * that differ are both kept, the later one under a name of its own.
 * @returns `document` itself when there are no parts; it may be changed
 */
export function mergeV2(document: V2Document, parts: readonly V2Part[]): V2Document {
  if (parts.length === 0) return document
  const paths = new Map(Object.entries(document.paths))
  const definitions = new Map(Object.entries(document.definitions))
  for (const part of parts) addPart(paths, definitions, part)
  return { ...document, paths: Object.fromEntries(paths), definitions: Object.fromEntries(definitions) }
}

const refPrefix = '#/definitions/'

function addPart(paths: Map<string, V2Path>, definitions: Map<string, V2Schema>, part: V2Part): void {
  const renamed = new Map<string, string>()
  const needed = closureOf(part)
  for (const name of needed) {
    const known = definitions.get(name)
    if (known && !isShared(name) && !isSameJson(known, part.definitions[name])) {
      renamed.set(name, freeName(name, definitions, part))
    }
  }
  for (const name of needed) {
    const target = renamed.get(name) ?? name
    if (!definitions.has(target)) definitions.set(target, renameRefs(part.definitions[name]!, renamed))
  }
  for (const [path, item] of Object.entries(part.paths)) {
    if (!paths.has(path)) paths.set(path, renameRefs(item, renamed))
  }
}

/** Types of Kubernetes itself: an older server's differ in words only. */
const isShared = (name: string) => name.startsWith('io.k8s.apimachinery.') || name.startsWith('io.k8s.api.')

const isSameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

function freeName(name: string, definitions: ReadonlyMap<string, V2Schema>, part: V2Part): string {
  for (let serial = 2; ; serial++) {
    const candidate = `${name}_v${serial}`
    if (!definitions.has(candidate) && !Object.hasOwn(part.definitions, candidate)) return candidate
  }
}

/** The definitions that the paths refer to, directly or not. */
function closureOf({ paths, definitions }: V2Part): Set<string> {
  const seen = new Set<string>()
  const waiting: unknown[] = [paths]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const name of referencesOf(next)) {
      if (seen.has(name) || !Object.hasOwn(definitions, name)) continue
      seen.add(name)
      waiting.push(definitions[name])
    }
  }
  return seen
}

function* referencesOf(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    if (key === '$ref' && typeof child === 'string' && child.startsWith(refPrefix)) yield child.slice(refPrefix.length)
    else yield* referencesOf(child)
  }
}

function renameRefs<T>(value: T, renamed: ReadonlyMap<string, string>): T {
  if (renamed.size === 0 || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => renameRefs(one, renamed)) as T
  const entries = Object.entries(value).map(([key, child]) => {
    const target = key === '$ref' && typeof child === 'string' ? renamed.get(child.slice(refPrefix.length)) : undefined
    return [key, target === undefined ? renameRefs(child, renamed) : refPrefix + target]
  })
  return Object.fromEntries(entries) as T
}
