import { readFileSync } from 'node:fs'
import type { EtcdStorageOptions } from '#core/storage/etcd/etcd-storage.ts'
import { UsageError } from './usage-error.ts'

/** The flags that say where etcd is, and how to talk to it. */
export const etcdFlagOptions = {
  'etcd-servers': { type: 'string' },
  'etcd-prefix': { type: 'string' },
  'etcd-cafile': { type: 'string' },
  'etcd-certfile': { type: 'string' },
  'etcd-keyfile': { type: 'string' },
  'etcd-compaction-interval': { type: 'string' },
} as const

/** Where an etcd cluster is, and how to talk to it. */
export type EtcdConnection = Pick<EtcdStorageOptions, 'endpoints' | 'tls'> & { prefix: string }

export type EtcdFlagValues = Partial<Record<keyof typeof etcdFlagOptions, string>>

export const etcdConnectionHelp = `  --etcd-prefix P        where keys begin in etcd (default /registry)
  --etcd-cafile F        certificate authority of etcd's members
  --etcd-certfile F, --etcd-keyfile F  client certificate and key to show to etcd
`

export const etcdFlagsHelp = `  --etcd-servers URLS    keep objects in this etcd cluster instead of the data directory; separated by commas
${etcdConnectionHelp}  --etcd-compaction-interval D  how often etcd's history is compacted; 0: never (default 5m)
`

/** @returns undefined when no etcd is named @throws UsageError */
export function etcdFlags(
  values: EtcdFlagValues,
  duration: (flag: string, text: string) => number,
): EtcdStorageOptions | undefined {
  const servers = values['etcd-servers']
  if (servers === undefined) {
    const stray = Object.keys(etcdFlagOptions).find((flag) => values[flag as keyof EtcdFlagValues] !== undefined)
    if (stray !== undefined) throw new UsageError(`--${stray} needs --etcd-servers`)
    return undefined
  }
  return {
    ...etcdConnection(servers, values),
    compactionIntervalMs: duration('etcd-compaction-interval', values['etcd-compaction-interval'] ?? '5m'),
  }
}

/** @param servers URLs, separated by commas @throws UsageError */
export function etcdConnection(servers: string, values: EtcdFlagValues): EtcdConnection {
  const endpoints = servers.split(',').map(endpointOf)
  const prefix = values['etcd-prefix'] ?? '/registry'
  if (!/^\/[\w./-]*\w$/.test(prefix)) {
    throw new UsageError(`--etcd-prefix must be a path such as /registry, not ${JSON.stringify(prefix)}`)
  }
  if ((values['etcd-certfile'] === undefined) !== (values['etcd-keyfile'] === undefined)) {
    throw new UsageError('--etcd-certfile and --etcd-keyfile go together')
  }
  const file = (flag: 'etcd-cafile' | 'etcd-certfile' | 'etcd-keyfile') => readPem(flag, values[flag])
  const tls = { ca: file('etcd-cafile'), cert: file('etcd-certfile'), key: file('etcd-keyfile') }
  return { endpoints, prefix, tls }
}

function endpointOf(text: string): string {
  const url = URL.parse(text.trim())
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new UsageError(`--etcd-servers must name URLs such as https://10.0.0.1:2379, not ${JSON.stringify(text)}`)
  }
  return url.origin
}

function readPem(flag: string, path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UsageError(`--${flag}: ${(cause as Error).message}`, { cause })
  }
}
