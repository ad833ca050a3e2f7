/** What a running component is handed. The same in a worker, in a process, and in a test. */
export interface PluginHost {
  abiVersion: string
  /** Name of the Plugin object. */
  plugin: string
  component: string
  /** The configuration the administrator gave, valid against the plugin's schema. */
  config: Readonly<Record<string, unknown>>
  /** How to reach the API as the plugin's own ServiceAccount; `connect(host.api)` of @keelson/client takes it. */
  api: ApiAccess
  log: Logger
  /** Aborted when the component must stop; it then has 2.5 seconds before it is ended. */
  signal: AbortSignal
  /** Tells the host that the component works: its first sync is done. */
  ready(): void
}

export interface ApiAccess {
  /** `https://127.0.0.1:6443` */
  server: string
  /** PEM of the authority the server's certificate is checked against. */
  caData: string
  /** The current bearer token; call it for each request: tokens are renewed. Absent with a client certificate. */
  token?: () => string
  /** PEM client certificate and key. */
  clientCertificate?: { certData: string; keyData: string }
}

/** A constant message plus keys: `log.info('pod bound', { pod, node })`. */
export interface Logger {
  debug(message: string, keys?: Record<string, unknown>): void
  info(message: string, keys?: Record<string, unknown>): void
  warn(message: string, keys?: Record<string, unknown>): void
  error(message: string, keys?: Record<string, unknown>): void
}

/**
 * The default export of a component of kind `controller`, `scheduler` or `node-agent`: runs until `host.signal` aborts, then
 * resolves once everything it holds is released. A rejection or an early return counts as a failure and restarts it with backoff.
 */
export type Run = (host: PluginHost) => Promise<void>
