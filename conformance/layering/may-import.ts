/**
 * Who may import whom. A folder (or file) may import itself and what its entry lists; the longest entry that covers a
 * file counts. Paths are relative to the repository; the arrows point to `apis`.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  apis: [],
  core: ['apis'],
  // The composition root joins what may not know each other.
  'core/cluster.ts': ['apis', 'core', 'admission', 'codegen/client', 'plugins'],
  // Commands that are clients of a server.
  'core/cli/crd-lint-cluster.ts': ['apis', 'core', 'codegen/client'],
  'core/cli/migrate.ts': ['apis', 'core', 'codegen/client'],
  'core/leadership.ts': ['apis', 'codegen/client', 'plugins/kit'],
  admission: ['apis', 'core/errors', 'core/machinery', 'core/schema', 'core/cel'],
  plugins: ['apis', 'codegen/client', 'plugins/kit'],
  'codegen/client': ['apis'],
  codegen: ['apis', 'core/registry/resource.ts'],
  conformance: ['apis', 'codegen/client', 'plugins/kit'],
  // Measures parts of the server as well as the whole.
  bench: ['apis', 'core', 'codegen/client', 'plugins/kit'],
  examples: ['apis', 'codegen/client', 'plugins/kit'],
}

/** What tests and their helpers may import on top of that. */
export const testsMayImport: readonly string[] = [
  'conformance/plugins',
  'codegen/client/testing',
  'plugins/kit/testing',
]
