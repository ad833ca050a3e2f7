import { hostname } from 'node:os'
import type { Node } from '@keelson/apis/core/v1/zz_generated.types.ts'

/** The agent's configuration, as the administrator writes it: config.schema.json describes each field. */
export interface NodeConfig {
  nodes: number
  namePrefix: string
  nodeName?: string
  runtime: string
  runtimeOptions: Readonly<Record<string, unknown>>
  dataDir: string
  address?: string
  port: number
  kubeletTls?: { cert: string; key: string }
  maxPods: number
  labels: Readonly<Record<string, string>>
  taints: NonNullable<NonNullable<Node['spec']>['taints']>
  clusterDns: readonly string[]
  clusterDomain: string
  /** Where pods find the API. */
  kubernetesService?: { host: string; port: number }
  /** Which Events about pods to record. */
  events: 'all' | 'warnings'
  backoffInitialMs: number
  backoffMaxMs: number
}

const defaults = {
  nodes: 1,
  namePrefix: 'node-',
  runtimeOptions: {},
  dataDir: '/var/lib/keelson/node',
  port: 10250,
  maxPods: 110,
  labels: {},
  taints: [],
  clusterDns: [],
  clusterDomain: 'cluster.local',
  backoffInitialMs: 10_000,
  backoffMaxMs: 300_000,
} satisfies Partial<NodeConfig>

/** @throws when `runtime` is missing: there is no runtime that fits every machine */
export function readConfig(config: Readonly<Record<string, unknown>>): NodeConfig {
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  if (typeof given.runtime !== 'string') throw new Error('config.runtime must name the package of a container runtime')
  const events = Number(given.nodes ?? defaults.nodes) > 1 ? 'warnings' : 'all'
  return { ...defaults, events, ...(given as Partial<NodeConfig> & Pick<NodeConfig, 'runtime'>) }
}

/** One node has the name given or the machine's; more are numbered. */
export function nodeNames({ nodes, namePrefix, nodeName }: NodeConfig): string[] {
  if (nodes === 1) return [nodeName ?? hostname().toLowerCase()]
  return Array.from({ length: nodes }, (_, index) => `${namePrefix}${index}`)
}
