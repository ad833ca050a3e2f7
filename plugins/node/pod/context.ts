import type { ContainerRuntime, RuntimeFeatures } from '@keelson/apis/plugin/v1/cri.ts'
import type { Logger } from '@keelson/apis/plugin/v1/host.ts'
import type { Client } from '@keelson/client'
import type { Clock, EventRecorder, Limiter } from '@keelson/kit'
import type { ObjectCache } from '../object-cache.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import type { ServiceAccountTokens } from '../volumes/service-account-tokens.ts'
import type { ClusterDns } from './container-config.ts'
import type { NodeFacts } from './model.ts'

/** What the workers of all pods of an agent share. */
export interface PodContext {
  client: Client
  runtime: ContainerRuntime
  runtimeName: string
  features: RuntimeFeatures
  recorder: EventRecorder
  volumes: PodVolumes
  objects: ObjectCache
  tokens: ServiceAccountTokens
  clock: Clock
  log: Logger
  node: NodeFacts
  allocatable: Readonly<Record<string, string>>
  /** In bytes. */
  nodeMemory: number
  dns?: ClusterDns
  /** Where the API is, for clients in pods: `KUBERNETES_SERVICE_HOST` and its like. */
  clusterEnvironment: ReadonlyMap<string, string>
  seccompDirectory: string
  /** Tells this agent's sandboxes from those of others on the same runtime. */
  instance: string
  statusLimit: Limiter
  /** Called when nothing of a pod is left. */
  onForgotten(uid: string): void
}
