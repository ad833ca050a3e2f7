import { readdir, readFile } from 'node:fs/promises'
import type { PluginManifest } from '#apis/plugin/v1/manifest.ts'

/** A plugin package on disk. */
export interface PluginPackage {
  /** Name of its Plugin object: the package's name without the `@keelson/` of built-ins. */
  name: string
  package: string
  version: string
  /** `file:` URL, with a slash at the end. */
  directory: URL
  manifest: PluginManifest
}

const root = new URL('../../plugins/', import.meta.url)

/** The packages under plugins/ whose package.json carries a manifest. */
export async function findBuiltinPlugins(): Promise<PluginPackage[]> {
  const folders = await childFolders(root)
  const nested = await Promise.all(folders.map((folder) => childFolders(folder)))
  const found = await Promise.all([...folders, ...nested.flat()].map(readPlugin))
  return found.filter((one) => one !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function childFolders(parent: URL): Promise<URL[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => new URL(`${encodeURIComponent(entry.name)}/`, parent))
}

async function readPlugin(directory: URL): Promise<PluginPackage | undefined> {
  const text = await readFile(new URL('package.json', directory), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { name, version, keelson } = JSON.parse(text) as { name: string; version: string; keelson?: PluginManifest }
  if (!keelson) return undefined
  return { name: name.replace(/^@keelson\//, ''), package: name, version, directory, manifest: keelson }
}

/** The module of a component, as something `import()` takes. */
export function entryUrl(plugin: PluginPackage, entry: string): string {
  const url = new URL(entry, plugin.directory)
  if (!url.href.startsWith(plugin.directory.href)) {
    throw new Error(`plugin ${plugin.name}: entry ${JSON.stringify(entry)} lies outside of the package`)
  }
  return url.href
}
