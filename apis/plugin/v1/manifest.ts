/** The manifest of a plugin: the `keelson` field of its package.json. Version 0 of the ABI. */
export interface PluginManifest {
  /** The ABI versions the plugin works with, as a semantic-version range: `^0.1`. */
  abi: string
  components: readonly ComponentManifest[]
  /** Globs of CustomResourceDefinition files, relative to the package. */
  crds?: readonly string[]
  /** What the plugin's ServiceAccount may do, cluster-wide, once an administrator has approved it. */
  permissions?: readonly PolicyRule[]
  /** JSON schema of the plugin's configuration, relative to the package. */
  config?: string
}

export interface ComponentManifest {
  /** Unique in the plugin; a DNS label. */
  name: string
  kind: ComponentKind
  /** The module to load, relative to the package; its default export is what `kind` asks for. */
  entry: string
  isolation: Isolation
  /** Built-in worker components that name the same unit share one thread; absent: one of its own. */
  unit?: string
  /** Old-generation heap limit in MiB; default 256 for a process, 128 for a worker. */
  memoryMiB?: number
}

/**
 * `worker`: a thread of the server's process, for built-ins only; built-in components that name the same `unit` share one.
 * `process`: a Node process of its own. `isolate`: pure functions without I/O (from ABI 1.0).
 */
export type Isolation = 'worker' | 'process' | 'isolate'

export const componentKinds = ['controller', 'scheduler', 'node-agent', 'cri'] as const
export type ComponentKind = (typeof componentKinds)[number]

/** @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/cluster-role-v1/ */
export interface PolicyRule {
  apiGroups?: readonly string[]
  resources?: readonly string[]
  resourceNames?: readonly string[]
  nonResourceURLs?: readonly string[]
  verbs: readonly string[]
}

/** The version of the ABI this host speaks. */
export const abiVersion = '0.1.0'
