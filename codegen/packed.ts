/** What becomes of a package's files when they are compiled for npm. Pure. */

/** The fields of a package.json that packing reads or changes. */
export interface PackageJson {
  name: string
  files?: string[]
  exports?: Record<string, unknown>
  keelson?: { components?: { entry: string }[] }
  [field: string]: unknown
}

const importSpecifier = /((?:\bfrom|\bimport)\s*\(?\s*)(['"])([^'"\n]+)\.ts\2/g

/** The text of a compiled file with the names of modules as they are after compiling. Names of `.d.ts` files stay. */
export function packedSource(source: string): string {
  return source.replace(importSpecifier, (whole, before: string, quote: string, path: string) =>
    path.endsWith('.d') ? whole : `${before}${quote}${path}.js${quote}`,
  )
}

/**
 * The package.json of a compiled package. Modules stay reachable by the names of their sources, so one spelling of an
 * import works against the repository and against npm.
 */
export function packedPackageJson(json: PackageJson): PackageJson {
  const exports = json.exports && Object.fromEntries(Object.entries(json.exports).flatMap(packedExport))
  const keelson = json.keelson && {
    ...json.keelson,
    components: json.keelson.components?.map((one) => ({ ...one, entry: compiled(one.entry) })),
  }
  return { ...json, ...(exports && { exports }), ...(keelson && { keelson }) }
}

function packedExport([name, target]: [string, unknown]): [string, unknown][] {
  if (typeof target !== 'string') return [[name, target]]
  if (!name.endsWith('*')) return [[name, conditions(target)]]
  return [
    [`${name}.ts`, conditions(`${target}.ts`)],
    [name, target],
  ]
}

function conditions(target: string): string | { types: string; default: string } {
  if (!target.endsWith('.ts')) return target
  return { types: target.replace(/\.ts$/, '.d.ts'), default: compiled(target) }
}

const compiled = (path: string) => path.replace(/\.ts$/, '.js')
