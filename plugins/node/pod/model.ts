import { createHash } from 'node:crypto'
import type { ContainerStatus as ApiContainerStatus, Container, Pod } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { ContainerStatus, PodSandboxStatus } from '@keelson/apis/plugin/v1/cri.ts'
import type { DeepReadonly } from '@keelson/client'

/** What the agent knows of one pod at one moment: all that `plan` and `podStatus` look at. */
export interface PodView {
  readonly pod: PodObject
  readonly nowMs: number
  /** False once the API has no such pod any more. */
  readonly exists: boolean
  readonly sandboxes: readonly PodSandboxStatus[]
  readonly containers: readonly ContainerStatus[]
  readonly memory: Readonly<PodMemory>
  readonly node: NodeFacts
}

export type PodObject = DeepReadonly<Pod>
export type ContainerSpec = DeepReadonly<Container>

/** What holds for all pods of a node. */
export interface NodeFacts {
  hostIPs: readonly string[]
  backoff: BackoffLimits
}

export interface BackoffLimits {
  initialMs: number
  maxMs: number
}

/** What the runtime does not keep. It is lost with the agent; nothing in it is needed to leave running containers alone. */
export interface PodMemory {
  /** Counts what asked for the volumes to be made or brought up to date. */
  volumesWanted: number
  /** The count at the start of the last mount that succeeded; 0 before the first. */
  volumesMounted: number
  /** By container name: the image for its next start. */
  images: Map<string, ImageState>
  /** By container name: how long the next restart waits. */
  backoffs: Map<string, RestartBackoff>
  /** Why the last attempt at something failed: `volumes`, `sandbox`, `start:<container>`, `pull:<container>`. */
  failures: Map<string, Failure>
  /** By container id. */
  probes: Map<string, ProbeState>
  /** By container id: what it left in its termination message file. */
  messages: Map<string, string>
  /** Ids of containers whose wait for the next attempt has been announced. */
  backedOff: Set<string>
  /** Ids of containers whose postStart hook has yet to return. */
  hooked: Set<string>
  /** Keys of actions under way. */
  busy: Set<string>
  /** Set when the pod must end though nobody deleted it. */
  failed?: { reason: string; message: string }
  /** When the agent first saw that the pod must end. */
  endingSinceMs?: number
  /** True once the last status has been sent and the API object may go. */
  isFinished: boolean
}

export type ImageState = { ref: string }

export interface RestartBackoff {
  delayMs: number
  updatedAtMs: number
}

export interface Failure {
  reason: string
  message: string
  /** Attempts in a row that failed. */
  count: number
  retryAtMs: number
}

export interface ProbeState {
  /** The startup probe has passed, or there is none. */
  started: boolean
  ready: boolean
  /** Why the container must be restarted. */
  unhealthy?: string
  graceSeconds?: number
}

export const newMemory = (): PodMemory => ({
  volumesWanted: 1,
  volumesMounted: 0,
  images: new Map(),
  backoffs: new Map(),
  failures: new Map(),
  probes: new Map(),
  messages: new Map(),
  backedOff: new Set(),
  hooked: new Set(),
  busy: new Set(),
  isFinished: false,
})

export type ContainerKind = 'init' | 'main' | 'ephemeral'

export interface ContainerRole {
  spec: ContainerSpec
  kind: ContainerKind
  restartPolicy: 'Always' | 'OnFailure' | 'Never'
}

/** A restartable init container. */
export const isSidecar = ({ kind, spec }: ContainerRole) => kind === 'init' && spec.restartPolicy === 'Always'

/** Every container of the pod in the order it starts. An init container is retried as the pod's policy says. */
export function rolesOf(pod: PodObject): ContainerRole[] {
  const podPolicy = pod.spec.restartPolicy ?? 'Always'
  const ofInit = podPolicy === 'Always' ? 'OnFailure' : podPolicy
  const role = (kind: ContainerKind, otherwise: ContainerRole['restartPolicy']) => (spec: ContainerSpec) => {
    return { spec, kind, restartPolicy: spec.restartPolicy ?? otherwise }
  }
  return [
    ...(pod.spec.initContainers ?? []).map(role('init', ofInit)),
    ...pod.spec.containers.map(role('main', podPolicy)),
    ...((pod.spec.ephemeralContainers ?? []) as readonly ContainerSpec[]).map(role('ephemeral', 'Never')),
  ]
}

/** The pod's newest sandbox, if it works. */
export function readySandbox({ sandboxes }: Pick<PodView, 'sandboxes'>): PodSandboxStatus | undefined {
  return sandboxes.find(({ state }) => state === 'SANDBOX_READY')
}

/** A container's attempts, newest first. */
export function attemptsOf(view: Pick<PodView, 'containers'>, name: string): ContainerStatus[] {
  return view.containers
    .filter(({ metadata }) => metadata.name === name)
    .sort((a, b) => b.metadata.attempt - a.metadata.attempt || b.createdAtMs - a.createdAtMs)
}

export const isRunning = ({ state }: ContainerStatus) => state === 'CONTAINER_RUNNING'
export const hasExited = ({ state }: ContainerStatus) => state === 'CONTAINER_EXITED' || state === 'CONTAINER_UNKNOWN'

export type KnownStatus = DeepReadonly<ApiContainerStatus>

/** What the API remembers of a container. */
export function knownStatus({ pod: { status } }: Pick<PodView, 'pod'>, name: string): KnownStatus | undefined {
  const lists = [status?.initContainerStatuses, status?.containerStatuses, status?.ephemeralContainerStatuses]
  return lists.flatMap((list) => list ?? []).find((one) => one.name === name)
}

/** Reported of a container that ended unobserved. */
export const lostExitCode = 137

/** The number of the next attempt; counts on from what the API remembers when the runtime has forgotten. */
export function nextAttempt(view: PodView, name: string): number {
  const latest = attemptsOf(view, name)[0]
  if (latest) return latest.metadata.attempt + 1
  const known = knownStatus(view, name)
  return known?.containerID || known?.restartCount ? known.restartCount + 1 : 0
}

/** Changes when a container must be replaced: of what can change in a running pod, only the image asks for that. */
export function containerHash(spec: ContainerSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([spec.name, spec.image]))
    .digest('hex')
    .slice(0, 16)
}

export const hashAnnotation = 'io.kubernetes.container.hash'

export const isTerminalPhase = (pod: PodObject) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

const defaultGraceSeconds = 30

/** Seconds containers have to end, counted from the moment the pod was asked to. */
export function graceSecondsOf(pod: PodObject): number {
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds
}
