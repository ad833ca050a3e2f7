/** Reads what a TypeScript file imports, and judges it by the table. Pure. */
import { posix } from 'node:path'
import { mayImport, testsMayImport } from './may-import.ts'

const importPattern =
  /(?:^|[;\n])\s*(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|[;\n])\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g

/** Specifiers of all static imports, re-exports and dynamic imports of literals, in order. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(importPattern)].map((match) => (match[1] ?? match[2] ?? match[3])!)
}

export interface Package {
  name: string
  /** Relative to the repository; empty for its root. */
  folder: string
  dependencies: ReadonlySet<string>
  devDependencies: ReadonlySet<string>
}

const covers = (folder: string, path: string) => folder === '' || path === folder || path.startsWith(`${folder}/`)
const longest = (folders: Iterable<string>, path: string) =>
  [...folders].filter((folder) => covers(folder, path)).sort((a, b) => b.length - a.length)[0]

export const isTest = (file: string) => /\.(test|suite|bench)\.ts$/.test(file) || file.includes('/testing/')

/** The module behind a specifier: a path in the repository, or the name of an npm package; undefined for one of node's. */
function targetOf(file: string, specifier: string, packages: readonly Package[]): { path?: string; npm?: string } {
  if (specifier.startsWith('node:')) return {}
  if (specifier.startsWith('.')) return { path: posix.join(posix.dirname(file), specifier) }
  if (specifier.startsWith('#')) return { path: specifier.slice(1) }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const workspace = packages.find((one) => one.name === name && one.folder)
  if (!workspace) return { npm: name }
  return { path: posix.join(workspace.folder, specifier.slice(name.length + 1)), npm: name }
}

/** Why `file` may not import `specifier`, or undefined when it may. */
export function judgeImport(file: string, specifier: string, packages: readonly Package[]): string | undefined {
  const { path, npm } = targetOf(file, specifier, packages)
  const folders = packages.map(({ folder }) => folder)
  const owner = packages.find(({ folder }) => folder === longest(folders, file))!
  if (npm && !isDeclared(npm, file, owner, packages)) return `${owner.name} does not declare the dependency ${npm}`
  if (path === undefined || isInside(file, path, owner)) return undefined
  const entry = longest(Object.keys(mayImport), file)
  const allowed = [...(mayImport[entry ?? ''] ?? []), ...(isTest(file) ? testsMayImport : [])]
  return allowed.some((folder) => covers(folder, path)) ? undefined : `${entry ?? file} may not import ${path}`
}

/** Tests may use the repository's own tools. */
function isDeclared(name: string, file: string, owner: Package, packages: readonly Package[]): boolean {
  if (name === owner.name || owner.dependencies.has(name)) return true
  const root = packages.find(({ folder }) => folder === '')
  const isTool = root?.devDependencies.has(name) || packages.some((one) => one.name === name && one.folder)
  return Boolean((isTest(file) || file === 'vitest.config.ts' || owner === root) && isTool)
}

/** A package is one unit, and so is an area that is no package. */
function isInside(file: string, path: string, owner: Package): boolean {
  if (owner.folder) return covers(owner.folder, path)
  return file.split('/')[0] === path.split('/')[0] && !path.startsWith('plugins/')
}
