import type { V2Path, V2Schema } from './v2.ts'

/** What another server says in OpenAPI 2.0 of the group versions that it answers for. */
export interface V2Part {
  paths: Readonly<Record<string, V2Path>>
  definitions: Readonly<Record<string, V2Schema>>
}

/** What is in the document before other servers' parts. */
export interface V2Known {
  hasPath(path: string): boolean
  definition(name: string): V2Schema | undefined
}

/**
 * What the parts of other servers add to a document: their paths, and the definitions these need. Two definitions of one
 * name that differ are both kept, the later one under a name of its own.
 */
export function mergeV2(known: V2Known, parts: readonly V2Part[]): V2Part {
  const paths = new Map<string, V2Path>()
  const definitions = new Map<string, V2Schema>()
  const all: V2Known = {
    hasPath: (path) => paths.has(path) || known.hasPath(path),
    definition: (name) => definitions.get(name) ?? known.definition(name),
  }
  for (const part of parts) addPart(all, paths, definitions, part)
  return { paths: Object.fromEntries(paths), definitions: Object.fromEntries(definitions) }
}

const refPrefix = '#/definitions/'

function addPart(all: V2Known, paths: Map<string, V2Path>, definitions: Map<string, V2Schema>, part: V2Part): void {
  const renamed = new Map<string, string>()
  const needed = closureOf(part)
  for (const name of needed) {
    const known = all.definition(name)
    if (known && !isShared(name) && !isSameJson(known, part.definitions[name])) {
      renamed.set(name, freeName(name, all, part))
    }
  }
  for (const name of needed) {
    const target = renamed.get(name) ?? name
    if (!all.definition(target)) definitions.set(target, renameRefs(part.definitions[name]!, renamed))
  }
  for (const [path, item] of Object.entries(part.paths)) {
    if (!all.hasPath(path)) paths.set(path, renameRefs(item, renamed))
  }
}

/** Types of Kubernetes itself: an older server's differ in words only. */
const isShared = (name: string) => name.startsWith('io.k8s.apimachinery.') || name.startsWith('io.k8s.api.')

const isSameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

function freeName(name: string, all: V2Known, part: V2Part): string {
  for (let serial = 2; ; serial++) {
    const candidate = `${name}_v${serial}`
    if (!all.definition(candidate) && !Object.hasOwn(part.definitions, candidate)) return candidate
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
